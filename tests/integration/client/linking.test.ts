import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { equalBytes, type LinkStepView, type LinkView } from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type LinkingPerson, type Person } from "../../support/client-world.ts";
import { errorWith } from "../../support/protocol.ts";

let world: World;
let ada: Person;
/** Ada's other computer. */
let desk: Person;

beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.dispose());

/** What the existing device shows of it, as it changes. */
class Shown {
  view: LinkView = { kind: "idle" };

  constructor(person: Person) {
    person.client.on("link.changed", (view) => {
      this.view = view;
    });
  }

  async reaches<Kind extends LinkView["kind"]>(
    kind: Kind,
  ): Promise<Extract<LinkView, { readonly kind: Kind }>> {
    await until(`the other device shows ${kind}`, () => this.view.kind === kind);
    return this.view as Extract<LinkView, { readonly kind: Kind }>;
  }
}

async function showCode(person: Person): Promise<{ readonly shown: Shown; readonly link: string }> {
  await person.online();
  const shown = new Shown(person);
  await person.client.commands["link.show"]({});
  const { link } = await shown.reaches("code");
  return { shown, link };
}

/** The whole way, with two people who look. */
async function link(
  existing: Person,
  added: Person,
  options: { readonly history?: boolean } & Partial<LinkingPerson> = {},
): Promise<Shown> {
  const { shown, link: text } = await showCode(existing);
  let steps: LinkStepView[] = [];
  await added.link(text, {
    ...options,
    onStep: (step) => {
      steps = [...steps, step];
      options.onStep?.(step);
    },
    compared: async () => {
      const { symbols } = await shown.reaches("compare");
      const own = steps.at(-1);
      await existing.client.commands["link.match"]({ history: options.history ?? true });
      return own?.kind === "compare" && own.symbols.join() === symbols.join();
    },
  });
  await shown.reaches("added");
  return shown;
}

const devicesOf = (person: Person) => person.client.commands["devices.list"]({});

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

describe("conversations", () => {
  let bo: Person;

  beforeEach(async () => {
    [ada, bo] = (await world.people("Ada", "Bo")) as [Person, Person];
    desk = world.person("Desk");
  });

  /** What the linked computer shows once everything that is alive has come over. */
  async function historyIsHere(): Promise<void> {
    await until("all messages have come over", () => desk.client.view.history?.finished === true);
  }

  test("are joined by the new computer, their messages come over, and it takes part", async () => {
    const crew = await ada.create("group", [bo]);
    await ada.say(crew, "one");
    await bo.finds(crew);
    await bo.sees(crew, "one");
    await bo.say(crew, "two");
    await ada.look(crew);
    await ada.sees(crew, "two");
    const two = ada.message(crew, "two")!.messageId;
    const params = { conversationId: crew, messageId: two };
    await ada.client.commands["message.react"]({ ...params, emoji: "👍", on: true });
    await bo.client.commands["message.edit"]({ ...params, text: "two, as it should be" });
    await ada.sees(crew, "two, as it should be");
    await ada.client.commands["conversation.setPinned"]({ conversationId: crew, pinned: true });

    await link(ada, desk);
    await desk.finds(crew);
    await historyIsHere();
    await desk.look(crew);
    expect(desk.texts(crew)).toEqual(["one", "two, as it should be"]);
    const [one, edited] = desk.messages(crew).filter(({ kind }) => kind === "text");
    expect(one).toMatchObject({ own: true, sender: { displayName: "Ada" } });
    expect(edited).toMatchObject({ messageId: two, own: false, edited: true });
    expect(edited).toMatchObject({ reactions: [{ emoji: "👍", own: true }] });
    await until("it is pinned there too", () => desk.rows[0]?.pinned === true);

    await desk.say(crew, "from the desk");
    await bo.sees(crew, "from the desk");
    await ada.sees(crew, "from the desk");
    expect(ada.message(crew, "from the desk")).toMatchObject({ own: true });
    await bo.say(crew, "welcome");
    await desk.sees(crew, "welcome");
    await until("the other device has let the channel go", () =>
      [ada, desk].every((person) => readFact(person.vault, "linkChannels")?.length === 0),
    );
  });

  test("what has ended stays ended, and what is to end does so at both", async () => {
    const crew = await ada.create("group", [bo]);
    await bo.finds(crew);
    await ada.look(crew);
    await ada.say(crew, "stays");
    await ada.say(crew, "ends soon", { timers: { expirationSeconds: 6, burnSeconds: null } });
    const recalled = await ada.say(crew, "recalled");
    await bo.sees(crew, "recalled");
    const params = { conversationId: crew, messageId: recalled };
    await ada.client.commands["message.recall"](params);
    await until("it has ended", () => !ada.texts(crew).includes("ends soon"));
    await link(ada, desk);
    await desk.finds(crew);
    await historyIsHere();
    await desk.look(crew);
    expect(desk.texts(crew)).toEqual(["stays"]);
    const ends = (person: Person) => person.message(crew, "stays");
    expect(ends(desk)).toMatchObject({ expiry: (ends(ada) as { expiry: unknown }).expiry });
  });

  test("no messages come over when the person wants none", async () => {
    const crew = await ada.create("group", [bo]);
    await ada.say(crew, "before");
    await link(ada, desk, { history: false });
    await desk.finds(crew);
    await historyIsHere();
    await ada.say(crew, "after");
    await desk.sees(crew, "after");
    expect(desk.texts(crew)).toEqual(["after"]);
  });

  test("the messages go on where they were when a computer stops or its connection is cut", async () => {
    const crew = await ada.create("group", [bo]);
    await ada.look(crew);
    // Four of them fill a page.
    const long = "All quiet. ".repeat(1500);
    const said = Array.from({ length: 12 }, (_, index) => `${String(index)} ${long}`.trim());
    for (const text of said) await ada.say(crew, text);
    await until("all are sent", () =>
      ada.messages(crew).every((message) => {
        return message.kind !== "text" || message.delivery?.kind !== "waiting";
      }),
    );
    let questions = 0;
    desk.cable.onRequest = ({ method, params }) => {
      // The list has come, and a page: the next question never arrives.
      const { sequence } = params as { readonly sequence?: number | null };
      if (method === "rendezvous.send" && sequence === null) questions += 1;
      return questions < 3;
    };
    await link(ada, desk);
    await until("a page is here", () => (readFact(desk.vault, "historyProgress")?.done ?? 0) > 0);
    const before = readFact(desk.vault, "historyProgress")!.done;
    desk.cable.onRequest = null;
    await desk.kill();
    await ada.restart();
    await ada.online();
    await desk.open();
    await historyIsHere();
    const { done, total } = readFact(desk.vault, "historyProgress")!;
    expect(before).toBeLessThan(done);
    expect(done).toBe(total);
    const { page } = await desk.client.commands["conversation.open"]({ conversationId: crew });
    const texts = page.messages.flatMap((message) => (message.kind === "text" ? message.text : []));
    expect(texts).toEqual(said);
  });

  test("a computer that is removed learns it, and the others hear nothing from it", async () => {
    const crew = await ada.create("group", [bo]);
    await ada.look(crew);
    await link(ada, desk);
    await desk.finds(crew);
    const { deviceId } = (await devicesOf(ada)).find(({ thisDevice }) => !thisDevice)!;
    await ada.client.commands["devices.rename"]({ deviceId, deviceName: "Third floor" });
    await until("both know its name", async () => {
      const lists = await Promise.all([ada, desk].map(devicesOf));
      return lists.every((devices) => devices.some((one) => one.deviceName === "Third floor"));
    });
    await ada.client.commands["devices.remove"]({ deviceId });
    expect(await devicesOf(ada)).toHaveLength(1);
    await until("it is told", () => {
      const { connection } = desk.client.view;
      return connection.kind === "offline" && connection.code === "device-revoked";
    });
    await until("it is out of the conversation", async () => {
      const { conversation } = await bo.client.commands["conversation.open"]({
        conversationId: crew,
      });
      return conversation.members.every(({ deviceCount }) => deviceCount === 1);
    });
    const own = ada.client.view.me.deviceId;
    await expect(ada.client.commands["devices.remove"]({ deviceId: own })).rejects.toThrow(
      errorWith("argument-invalid"),
    );
  });
});
