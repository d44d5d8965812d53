import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError, type LinkView } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { devicesOf, link, showCode } from "../../support/linking.ts";
import { errorWith } from "../../support/protocol.ts";

/*
 * A linking that somebody, or something, breaks off: both sides learn of it, and what was begun is taken back or stands, at both of them alike.
 */

let world: World;
let ada: Person;
/** Ada's other computer. */
let desk: Person;

beforeEach(async () => {
  world = await World.start();
  ada = await world.person("Ada").host();
  desk = world.person("Desk");
});
afterEach(() => world.dispose());

const never = (): Promise<boolean> => new Promise(() => undefined);

/** Both people say that they match. */
function matching(shown: Awaited<ReturnType<typeof showCode>>["shown"]) {
  return async (): Promise<boolean> => {
    await shown.reaches("compare");
    void ada.client.commands["link.match"]({ history: false });
    return true;
  };
}

const hasOne = () =>
  until("the device is out again", async () => (await devicesOf(ada)).length === 1);

describe("the new computer is told", () => {
  test("that the symbols differ, also when that is said before it has them", async () => {
    const { shown, link: text } = await showCode(ada);
    const said: Promise<unknown>[] = [];
    ada.client.on("link.changed", (view: LinkView) => {
      if (view.kind === "compare") said.push(ada.client.commands["link.differ"]({}));
    });
    await expect(desk.link(text, { compared: never })).rejects.toThrow(errorWith("link-declined"));
    await Promise.all(said);
    expect(shown.view).toEqual({ kind: "failed", code: "link-symbols-differ" });
  });

  test("once there is a connection again, when there was none", async () => {
    const { shown, link: text } = await showCode(ada);
    const linking = desk.link(text, { compared: never });
    linking.catch(() => undefined);
    await shown.reaches("compare");
    ada.cable.unplug();
    await until("off line", () => ada.client.view.connection.kind === "offline");
    await ada.client.commands["link.differ"]({});
    expect(shown.view.kind).toBe("failed");
    ada.cable.plug();
    ada.client.retryNow();
    await expect(linking).rejects.toThrow(errorWith("link-declined"));
  });

  test("by an end, when what it said was spoilt and there is no channel", async () => {
    const { shown, link: text } = await showCode(ada);
    let messages = 0;
    ada.cable.onFrame = (frame) => {
      const result = frame.kind === "response" ? frame.result : null;
      const heard = (result ?? {}) as { messages?: { bytes: Uint8Array }[] };
      for (const { bytes } of heard.messages ?? []) {
        messages += 1;
        // The commitment passes, the key that it was made to doesn't.
        if (messages === 2) bytes[bytes.length - 1]! ^= 1;
      }
      return frame;
    };
    await expect(desk.link(text, { compared: never })).rejects.toThrow(errorWith("link-ended"));
    expect(await shown.reaches("failed")).toEqual({ kind: "failed", code: "link-refused" });
  });
});

test("the existing computer is told when the new one's person goes away", async () => {
  const { shown, link: text } = await showCode(ada);
  const leaving = new AbortController();
  const linking = desk.link(text, {
    compared: () => Promise.resolve(true),
    onStep: ({ kind }) => {
      if (kind === "waiting") leaving.abort();
    },
    signal: leaving.signal,
  });
  await expect(linking).rejects.toThrow(errorWith("link-ended"));
  expect(await shown.reaches("failed")).toEqual({ kind: "failed", code: "link-declined" });
});

describe("a device that is listed and hasn't the account is taken back", () => {
  test("after a crash before the account went out, and another try adds it", async () => {
    const { shown, link: text } = await showCode(ada);
    let isAt = false;
    ada.cable.onRequest = ({ method }) => {
      // The channel's: the device is added by now.
      if (method === "rendezvous.open") isAt = true;
      return !isAt;
    };
    const leaving = new AbortController();
    const linking = desk.link(text, { compared: matching(shown), signal: leaving.signal });
    linking.catch(() => undefined);
    await until("the account is next", () => isAt);
    expect(await devicesOf(ada)).toHaveLength(2);
    await ada.kill();
    ada.cable.onRequest = null;
    leaving.abort();
    await expect(linking).rejects.toThrow(errorWith("link-ended"));
    await (await ada.open()).online();
    await hasOne();
    await until("nothing is noted", () => readFact(ada.vault, "linkPending") === undefined);
    await link(ada, desk);
    await desk.online();
    expect(await devicesOf(ada)).toHaveLength(2);
  });

  test("when the new computer can't keep it", async () => {
    const start = world.startWorker.bind(world);
    world.startWorker = async () => {
      const worker = await start();
      const call = worker.call.bind(worker);
      worker.call = (method, params) => {
        if (method === "directory.trust") throw new AppError("vault-write-failed");
        return call(method, params);
      };
      return worker;
    };
    const { shown, link: text } = await showCode(ada);
    const linking = desk.link(text, { compared: matching(shown) });
    await expect(linking).rejects.toThrow(errorWith("vault-write-failed"));
    expect(await shown.reaches("failed")).toEqual({ kind: "failed", code: "link-declined" });
    await hasOne();
    world.startWorker = start;
    await link(ada, desk);
    expect(await devicesOf(ada)).toHaveLength(2);
  });

  test("when it is cancelled before it has answered", async () => {
    const { shown, link: text } = await showCode(ada);
    const linking = desk.link(text, {
      compared: matching(shown),
      onStep: ({ kind }) => {
        if (kind === "waiting") desk.cable.unplug();
      },
    });
    linking.catch(() => undefined);
    await until("the account is out", () => readFact(ada.vault, "linkChannels")?.length === 1);
    await ada.client.commands["link.cancel"]({});
    expect(await devicesOf(ada)).toHaveLength(1);
    expect(readFact(ada.vault, "linkChannels")).toEqual([]);
    desk.cable.plug();
    await expect(linking).rejects.toThrow(errorWith("link-ended"));
  });
});

test("a device that is in is said to be, also when its last word was lost", async () => {
  const { shown, link: text } = await showCode(ada);
  const leaving = new AbortController();
  await desk.link(text, {
    compared: matching(shown),
    onStep: ({ kind }) => {
      if (kind === "receiving") leaving.abort();
    },
    signal: leaving.signal,
  });
  const deviceName = "Desk's computer";
  expect(await shown.reaches("added")).toEqual({ kind: "added", deviceName, history: false });
  expect(await devicesOf(ada)).toHaveLength(2);
});
