import { describe, expect, test } from "vitest";
import { AppError, decodeFrame, relayMethods, type Frame, type RelayMethodName } from "#protocol";
import type { RelayHandlers } from "../../../../relay/domain/handlers.ts";
import { createDispatch, type Caller } from "../../../../relay/link/dispatcher.ts";
import { TestDevice } from "../../../support/relay-identity.ts";

const ada = new TestDevice("Ada");
const asDevice: Caller = {
  kind: "device",
  device: { deviceId: ada.deviceId, userId: ada.userId },
};
const asVisitor: Caller = {
  kind: "visitor",
  visitor: { challenge: new Uint8Array(32), signIn: () => Promise.resolve() },
};

/** A dispatcher whose handlers all do `work`. */
function dispatcherOf(work: (name: string, params: unknown) => Promise<unknown>) {
  const logged: { event: string; error: unknown }[] = [];
  const handlers = Object.fromEntries(
    Object.keys(relayMethods).map((name) => [name, (params: unknown) => work(name, params)]),
  ) as unknown as RelayHandlers;
  const dispatch = createDispatch(handlers, {
    info: () => undefined,
    error: (event, error) => logged.push({ event, error }),
  });
  const call = async (method: string, params: unknown, caller = asDevice): Promise<Frame> =>
    decodeFrame(await dispatch({ id: 7, method, params }, caller));
  return { call, logged };
}

const codeOf = (frame: Frame): string => (frame.kind === "failure" ? frame.error.code : frame.kind);

describe("the dispatcher", () => {
  test("gives parsed params to the handler and its result to the asker", async () => {
    const seen: unknown[] = [];
    const { call } = dispatcherOf((name, params) => {
      seen.push([name, params]);
      return Promise.resolve({ entries: [], version: 3 });
    });
    expect(await call("directory.list", { afterVersion: 2 })).toEqual({
      kind: "response",
      id: 7,
      result: { entries: [], version: 3 },
    });
    expect(seen).toEqual([["directory.list", { afterVersion: 2 }]]);
  });

  test("asks no handler when method, access or params are wrong", async () => {
    const { call } = dispatcherOf(() => Promise.reject(new Error("asked")));
    expect(codeOf(await call("toString", {}))).toBe("command-unknown");
    expect(codeOf(await call("directory.list", { afterVersion: -1 }))).toBe("frame-malformed");
    expect(codeOf(await call("directory.list", { afterVersion: 1, extra: 1 }))).toBe(
      "frame-malformed",
    );
    for (const [name, { access }] of Object.entries(relayMethods)) {
      if (access === "any") continue;
      const wrongCaller = access === "device" ? asVisitor : asDevice;
      expect(codeOf(await call(name, {}, wrongCaller))).toBe("frame-out-of-order");
    }
  });

  test("tells the failures that a method's contract names, and those that all have", async () => {
    for (const [method, code] of [
      ["invite.revoke", "invite-unknown"],
      ["invite.revoke", "not-allowed"],
      ["invite.revoke", "relay-storage-failed"],
      ["invite.revoke", "frame-too-large"],
    ] as const) {
      const { call } = dispatcherOf(() => Promise.reject(new AppError(code, { data: { at: 1 } })));
      expect(await call(method, { inviteId: "A".repeat(22) })).toEqual({
        kind: "failure",
        id: 7,
        error: { code, data: { at: 1 } },
      });
    }
  });

  test("hides every other failure behind `internal`, and logs it", async () => {
    for (const error of [
      new Error("secret"),
      new AppError("vault-damaged", { data: { secret: "secret" } }),
      new AppError("conversation-exists"),
      "a string",
    ]) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a library might do
      const { call, logged } = dispatcherOf(() => Promise.reject(error));
      expect(await call("invite.list", {})).toEqual({
        kind: "failure",
        id: 7,
        error: { code: "internal" },
      });
      expect(logged).toHaveLength(1);
    }
  });

  test("logs no failure that a method's contract names, which is an answer", async () => {
    for (const [code, times] of [
      ["link-ended", 0],
      ["relay-storage-failed", 1],
    ] as const) {
      const { call, logged } = dispatcherOf(() => Promise.reject(new AppError(code)));
      const params = { rendezvousId: "A".repeat(22), seat: null, afterSequence: 0 };
      expect(codeOf(await call("rendezvous.receive", params))).toBe(code);
      expect(logged).toHaveLength(times);
    }
  });

  test("sends nothing that doesn't fit the contract", async () => {
    const { call, logged } = dispatcherOf(() =>
      Promise.resolve({ version: 3, entries: [], key: 1 }),
    );
    expect(codeOf(await call("directory.list", { afterVersion: 2 }))).toBe("internal");
    expect(logged).toHaveLength(1);
  });

  test("begins requests in the order in which they come", () => {
    const begun: unknown[] = [];
    const { call } = dispatcherOf((_, params) => {
      begun.push(params);
      return new Promise(() => undefined);
    });
    for (let index = 0; index < 5; index += 1) {
      void call("directory.list", { afterVersion: index });
    }
    expect(begun).toEqual([0, 1, 2, 3, 4].map((afterVersion) => ({ afterVersion })));
  });

  test("has a handler for every method of the contract, and no other", async () => {
    const { createHandlers } = await import("../../../../relay/domain/handlers.ts");
    const names = Object.keys(createHandlers({} as never)) as RelayMethodName[];
    expect(names.toSorted()).toEqual(Object.keys(relayMethods).toSorted());
  });
});
