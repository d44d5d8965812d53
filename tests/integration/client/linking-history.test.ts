import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { devicesOf, link } from "../../support/linking.ts";
import { errorWith } from "../../support/protocol.ts";

let world: World;
let ada: Person;
/** Ada's other computer. */
let desk: Person;

beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.dispose());

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
