import { describe, expect, test } from "vitest";
import { AppError, type ConnectionView } from "#protocol";
import {
  startLink,
  type LinkIdentity,
  type RelayEventMessage,
} from "../../../../electron/link/index.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createFakeSockets, settle, type FakeSocket } from "../../../support/fake-relay-socket.ts";

const deviceId = "AAAAAAAAAAAAAAAAAAAAAA" as never;
const session = {
  relayTimeMs: 1_700_000_000_000,
  highestVaultSequence: 1,
  acknowledgedInboxSequence: 0,
  directoryVersion: 1,
  policyVersion: 1,
  keyPackagesLeft: 100,
};

function start(identity: Partial<LinkIdentity> = {}) {
  const clock = createFakeClock();
  const { connect, sockets } = createFakeSockets();
  const states: ConnectionView[] = [];
  const heard: (RelayEventMessage["name"] | "session")[] = [];
  const link = startLink({
    connect,
    clock,
    random: (sizeBytes) => new Uint8Array(sizeBytes).fill(0xff),
    relayUrl: "wss://relay.example",
    identity: {
      checkRelay: () => Promise.resolve(),
      signIn: () =>
        Promise.resolve({
          protocolVersion: 1,
          deviceId,
          signature: new Uint8Array(64),
          vaultSequence: 1,
        }),
      acceptSession: () => Promise.resolve(),
      ...identity,
    },
    listener: {
      onSession: () => heard.push("session"),
      onEvent: ({ name }) => heard.push(name),
      onState: (state) => states.push(state),
    },
  });
  const socket = (): FakeSocket => sockets.at(-1)!;
  const signIn = async (): Promise<void> => {
    socket().hello();
    await settle();
    socket().answer(session);
    await settle();
  };
  return { clock, sockets, socket, states, heard, link, signIn };
}

const changed = { kind: "event", name: "directory.changed", body: { version: 2 } } as const;

describe("a link", () => {
  test("checks the relay, signs in, and is on line", async () => {
    const { link, signIn, heard, socket } = start();
    expect(link.state).toEqual({ kind: "connecting" });
    await expect(link.request("policy.get", {})).rejects.toMatchObject({
      code: "relay-unreachable",
    });
    await signIn();
    expect(link.state).toEqual({ kind: "online" });
    expect(heard).toEqual(["session"]);
    const asked = link.request("group.list", {});
    socket().answer({ groups: [] });
    expect(await asked).toEqual({ groups: [] });
    link.close();
  });

  test("sends nothing to a relay that isn't the network's", async () => {
    const { link, socket, clock, sockets } = start({
      checkRelay: () => Promise.reject(new AppError("relay-identity-changed")),
    });
    socket().hello();
    await settle();
    expect(socket().requests).toEqual([]);
    expect(socket().closed).toBe(true);
    expect(link.state).toEqual({
      kind: "offline",
      code: "relay-identity-changed",
      retryAtMs: clock.now() + 30_000,
    });
    clock.advance(30_000);
    expect(sockets).toHaveLength(2);
    link.close();
  });

  test("ends a session that shows a vault which was rolled back", async () => {
    const { link, signIn, heard } = start({
      acceptSession: () => Promise.reject(new AppError("vault-rolled-back")),
    });
    await signIn();
    expect(link.state).toMatchObject({ kind: "offline", code: "vault-rolled-back" });
    expect(heard).toEqual([]);
    link.close();
  });

  test("tells events only after the session they belong to", async () => {
    const { link, socket, heard } = start();
    socket().hello();
    await settle();
    socket().answer(session);
    socket().frame(changed);
    await settle();
    socket().frame(changed);
    expect(heard).toEqual(["session", "directory.changed", "directory.changed"]);
    link.close();
  });

  test("comes back by itself, later after each failure, at once when asked", async () => {
    const { link, sockets, socket, clock, signIn } = start();
    socket().hangUp();
    await settle();
    expect(link.state).toMatchObject({ kind: "offline", retryAtMs: clock.now() + 500 });
    clock.advance(499);
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    expect(sockets).toHaveLength(2);
    socket().hangUp();
    await settle();
    clock.advance(999);
    expect(sockets).toHaveLength(2);
    link.retryNow();
    expect(sockets).toHaveLength(3);
    link.retryNow();
    expect(sockets).toHaveLength(3);
    await signIn();
    expect(link.state).toEqual({ kind: "online" });
    link.close();
  });

  test("a connection that holds only a moment doesn't start the back-off anew", async () => {
    const { link, socket, clock, signIn } = start();
    for (const delayMs of [500, 1000, 2000]) {
      await signIn();
      clock.advance(100);
      socket().hangUp();
      await settle();
      expect(link.state).toMatchObject({ retryAtMs: clock.now() + delayMs });
      clock.advance(delayMs);
    }
    await signIn();
    clock.advance(10_000);
    socket().hangUp();
    await settle();
    expect(link.state).toMatchObject({ retryAtMs: clock.now() + 500 });
    link.close();
  });

  test("asks after a silence, and notices that nobody is there", async () => {
    const { link, socket, clock, signIn } = start();
    await signIn();
    clock.advance(30_000);
    expect(socket().last.method).toBe("policy.get");
    clock.advance(30_000);
    await settle();
    expect(link.state).toMatchObject({ kind: "offline", code: "relay-unreachable" });
    link.close();
  });

  test("doesn't ask while there is something to hear", async () => {
    const { link, socket, clock, signIn } = start();
    await signIn();
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(20_000);
      socket().frame(changed);
    }
    expect(socket().requests.map(({ method }) => method)).toEqual(["session.signIn"]);
    link.close();
  });

  test("says why when the engine distrusts what it got", async () => {
    const { link, signIn } = start();
    await signIn();
    link.distrust("frame-out-of-order");
    await settle();
    expect(link.state).toMatchObject({ kind: "offline", code: "frame-out-of-order" });
    link.close();
  });

  test("that rests hears on, asks nothing more, and does not come back", async () => {
    const { link, socket, sockets, clock, signIn, heard, states } = start();
    await signIn();
    const asked = link.request("group.list", {});
    const before = states.length;
    const arrived: string[] = [];
    link.rest(({ name }) => arrived.push(name));
    await expect(asked).rejects.toMatchObject({ code: "relay-unreachable" });
    await expect(link.request("group.list", {})).rejects.toMatchObject({
      code: "relay-unreachable",
    });
    socket().frame(changed);
    expect({ arrived, heard }).toEqual({ arrived: ["directory.changed"], heard: ["session"] });
    clock.advance(30_000);
    expect(socket().last.method, "it still notices a dead connection").toBe("policy.get");
    socket().hangUp();
    await settle();
    clock.advance(3_600_000);
    await settle();
    expect(sockets).toHaveLength(1);
    expect(states).toHaveLength(before);
    link.close();
  });

  test("that rests before it has signed in is closed", async () => {
    const { link, sockets, clock, socket } = start();
    socket().hello();
    link.rest(() => undefined);
    await settle();
    expect(socket().closed).toBe(true);
    clock.advance(3_600_000);
    expect(sockets).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  test("is silent once it is closed, wherever it was", async () => {
    const waiting = start();
    waiting.socket().hangUp();
    await settle();
    const opening = start();
    const online = start();
    await online.signIn();
    for (const { link, clock, sockets, states, heard } of [waiting, opening, online]) {
      const before = { states: states.length, heard: heard.length, sockets: sockets.length };
      link.close();
      await settle();
      expect(clock.waiting).toBe(0);
      expect(sockets.at(-1)!.closed).toBe(true);
      clock.advance(3_600_000);
      await settle();
      expect({ states: states.length, heard: heard.length, sockets: sockets.length }).toEqual(
        before,
      );
    }
  });
});
