import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { equalBytes } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { devicesOf, link, showCode } from "../../support/linking.ts";
import { errorWith } from "../../support/protocol.ts";

let world: World;
let ada: Person;
/** Ada's other computer. */
let desk: Person;

beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.dispose());

describe("a computer that is linked", () => {
  test("has the account's key and its own device, and both know each other", async () => {
    [ada] = (await world.people("Ada", "Bo")) as [Person];
    desk = world.person("Desk");
    const shown = await link(ada, desk);
    expect(shown.view).toEqual({ kind: "added", deviceName: "Desk's computer", history: true });
    await desk.online();
    expect(desk.userId).toBe(ada.userId);
    for (const person of [ada, desk]) {
      await until("both are listed", async () => (await devicesOf(person)).length === 2);
      const devices = await devicesOf(person);
      expect(devices.find(({ thisDevice }) => thisDevice)?.deviceName).toBe(
        person === ada ? "Laptop" : "Desk's computer",
      );
    }
    const [one, other] = [ada, desk].map((person) => readFact(person.vault, "account")!);
    expect(one!.deviceId).not.toBe(other!.deviceId);
    expect(equalBytes(one!.accountKey, other!.accountKey)).toBe(true);
    expect(equalBytes(one!.signatureKey, other!.signatureKey)).toBe(false);
  });

  test("has a number when there is one of its name", async () => {
    ada = await world.person("Ada").host();
    await link(ada, world.person("Desk"));
    desk = world.person("Desk");
    const deviceName = "Desk's computer 2";
    expect((await link(ada, desk)).view).toMatchObject({ kind: "added", deviceName });
    expect(readFact(desk.vault, "account")).toMatchObject({ deviceName });
    expect((await devicesOf(desk)).map((device) => device.deviceName)).toContain(deviceName);
  });
});

describe("a code", () => {
  test("that is mistyped or unknown says so", async () => {
    ada = await world.person("Ada").host();
    desk = world.person("Desk");
    const { link: text } = await showCode(ada);
    const never = { compared: () => Promise.resolve(true) };
    await expect(desk.link(text.replace("-", "-U"), never)).rejects.toThrow(
      errorWith("link-code-malformed"),
    );
    // The code of a minute ago: showing another one ended it.
    const { link: next } = await showCode(ada);
    await expect(desk.link(text, never)).rejects.toThrow(errorWith("link-code-unknown"));
    expect(next).not.toBe(text);
  });

  test("works once, also for two who come at the same time", async () => {
    ada = await world.person("Ada").host();
    const { shown, link: text } = await showCode(ada);
    const [first, second] = [world.person("Desk"), world.person("Thief")];
    const compared = async (): Promise<boolean> => {
      await shown.reaches("compare");
      await ada.client.commands["link.match"]({ history: false });
      return true;
    };
    const results = await Promise.allSettled([
      first.link(text, { compared }),
      second.link(text, { compared }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [refused] = results.filter((result) => result.status === "rejected");
    expect(refused?.reason).toEqual(errorWith("link-code-used"));
    await shown.reaches("added");
    const third = world.person("Late");
    await expect(third.link(text, { compared })).rejects.toThrow(errorWith("link-code-used"));
    expect(await devicesOf(ada)).toHaveLength(2);
  });
});

describe("nothing is added", () => {
  beforeEach(async () => {
    ada = await world.person("Ada").host();
    desk = world.person("Desk");
  });
  afterEach(async () => {
    expect(await devicesOf(ada)).toHaveLength(1);
  });

  test("when the new computer's person sees other symbols", async () => {
    const { shown, link: text } = await showCode(ada);
    const compared = (): Promise<boolean> => Promise.resolve(false);
    await expect(desk.link(text, { compared })).rejects.toThrow(errorWith("link-symbols-differ"));
    expect(await shown.reaches("failed")).toEqual({ kind: "failed", code: "link-declined" });
  });

  test("when the existing computer's person does", async () => {
    const { shown, link: text } = await showCode(ada);
    const compared = async (): Promise<boolean> => {
      await shown.reaches("compare");
      await ada.client.commands["link.differ"]({});
      return new Promise(() => undefined);
    };
    await expect(desk.link(text, { compared })).rejects.toThrow(errorWith("link-declined"));
    expect(shown.view).toEqual({ kind: "failed", code: "link-symbols-differ" });
  });

  test("when it is closed there, or here", async () => {
    const { shown, link: text } = await showCode(ada);
    const compared = async (): Promise<boolean> => {
      await shown.reaches("compare");
      await ada.client.commands["link.cancel"]({});
      return new Promise(() => undefined);
    };
    await expect(desk.link(text, { compared })).rejects.toThrow(errorWith("link-declined"));
    expect(shown.view).toEqual({ kind: "idle" });

    const { link: next } = await showCode(ada);
    const leaving = new AbortController();
    const stays = desk.link(next, {
      compared: () => {
        leaving.abort();
        return new Promise(() => undefined);
      },
      signal: leaving.signal,
    });
    await expect(stays).rejects.toThrow(errorWith("link-ended"));
  });

  test("when the account has as many devices as it can, and both are told", async () => {
    const { shown, link: text } = await showCode(ada);
    let asked: number | null = null;
    // As it would be answered by a relay that has ten: the request never reaches this one.
    ada.cable.onRequest = ({ method, id }) => {
      if (method === "device.add") asked = id;
      return method !== "device.add";
    };
    ada.cable.onFrame = (frame) => {
      if (asked === null || frame.kind !== "response" || frame.id < asked) return frame;
      const id = asked;
      asked = Infinity;
      return { kind: "failure", id, error: { code: "too-many-devices" } };
    };
    const compared = async (): Promise<boolean> => {
      await shown.reaches("compare");
      void ada.client.commands["link.match"]({ history: true });
      return true;
    };
    const linking = desk.link(text, { compared });
    linking.catch(() => undefined);
    await until("it is asked for", () => asked !== null);
    // Whatever is answered next becomes the refusal.
    ada.client.commands["invites.list"]({}).catch(() => undefined);
    expect(await shown.reaches("failed")).toEqual({ kind: "failed", code: "too-many-devices" });
    ada.cable.onFrame = null;
    ada.cable.onRequest = null;
    await ada.reconnect();
    await expect(linking).rejects.toThrow(errorWith("link-declined"));
  });

  test("when a relay changes what they say", async () => {
    const { shown, link: text } = await showCode(ada);
    ada.cable.onRequest = () => true;
    desk.cable.onFrame = (frame) => {
      const result = frame.kind === "response" ? frame.result : null;
      const { messages } = (result ?? {}) as { messages?: { bytes: Uint8Array }[] };
      for (const { bytes } of messages ?? []) bytes[bytes.length - 1]! ^= 1;
      return frame;
    };
    const compared = (): Promise<boolean> => Promise.resolve(true);
    await expect(desk.link(text, { compared })).rejects.toThrow(errorWith("link-refused"));
    expect(shown.view.kind).toBe("code");
    await ada.client.commands["link.cancel"]({});
  });
});

describe("a connection that is cut", () => {
  test("at any step at either side delays it only", async () => {
    ada = await world.person("Ada").host();
    desk = world.person("Desk");
    const { shown, link: text } = await showCode(ada);
    const cut = async (person: Person): Promise<void> => {
      person.cable.unplug();
      await Promise.resolve();
      person.cable.plug();
      if (person === ada) ada.client.retryNow();
    };
    await desk.link(text, {
      onStep: (step) => {
        if (step.kind !== "connecting") void cut(desk);
      },
      compared: async () => {
        await shown.reaches("compare");
        await cut(ada);
        await ada.client.commands["link.match"]({ history: false });
        await cut(ada);
        return true;
      },
    });
    await shown.reaches("added");
    expect(await devicesOf(ada)).toHaveLength(2);
  });
});
