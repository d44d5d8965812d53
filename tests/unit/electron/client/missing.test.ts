import { describe, expect, test } from "vitest";
import {
  decodeAgain,
  decodeMessage,
  encodeAgain,
  encodeMessage,
  idFromBytes,
  roomUri,
  suiteNames,
  userUri,
  type Again,
  type DeviceId,
  type MessageId,
  type MessageIntent,
  type MissingRequest,
  type RendezvousId,
} from "#protocol";
import { messageCommands } from "../../../../electron/client/commands/message-commands.ts";
import type { Engine } from "../../../../electron/client/commands/engine.ts";
import { answerKeyFor } from "../../../../electron/client/conversations/answer-keys.ts";
import { answerLimits } from "../../../../electron/client/conversations/answers.ts";
import {
  askAgainAfterMs,
  Asker,
  placesOf,
} from "../../../../electron/client/conversations/asker.ts";
import { takeContent } from "../../../../electron/client/conversations/content.ts";
import { maxGaps, noteJumped, noteSpoilt } from "../../../../electron/client/conversations/gaps.ts";
import { adoptOrphans } from "../../../../electron/client/conversations/orphans.ts";
import { noteSent } from "../../../../electron/client/conversations/sent.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { putFact } from "../../../../electron/client/store/facts.ts";
import { keyColumns, type Gap } from "../../../../electron/client/store/missing.ts";
import { encodeMembers } from "../../../../electron/client/store/rows.ts";
import type { Link } from "../../../../electron/link/index.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

const hourMs = 3_600_000;
/** Beyond the pause between two answers, however slow the machine is: time that passes really counts, too. */
const minuteMs = 60_000;
const peerDevice = idFromBytes<DeviceId>(new Uint8Array(16).fill(6));
const otherDevice = idFromBytes<DeviceId>(new Uint8Array(16).fill(7));
const someKey = new Uint8Array(32).fill(8);

/** Two people, the relay in the test's hand. */
async function people() {
  const fixture = await createCoreFixture();
  const { core, conversationId, peer, clock } = fixture;
  const engine = { core, hub: { opened: () => undefined } } as unknown as Engine;
  const messages = messageCommands(engine);
  const { networkId } = core.self;
  let sequence = 0;
  let generation = 0;

  const say = async (text: string): Promise<MessageId> => {
    const params = { conversationId, text, replyTo: null, timers: null };
    return (await messages["message.send"](params)).messageId;
  };
  /** The relay takes everything that waits. @returns what it was */
  const deliver = async (): Promise<readonly MessageIntent[]> => {
    const taken: MessageIntent[] = [];
    for (;;) {
      const conversation = core.store.ensureConversation(conversationId);
      const item = core.store.outboxNext(conversationId, core.time.now());
      if (item === undefined) return taken;
      const changes = new Changes();
      if (item.content !== null) {
        const room = roomUri(networkId, conversationId);
        const own = userUri(networkId, core.self.userId);
        taken.push(decodeMessage(item.content, own, room) as MessageIntent);
        const bytes = new Uint8Array([generation]);
        changes.write("outbox.setCiphertext", item.itemId, bytes, 1, bytes, generation++);
      }
      const receivedAtMs = core.time.now();
      noteSent(core, changes, { conversation, item, sequence: ++sequence, epoch: 1, receivedAtMs });
      if (item.kind === "drop") changes.write("outbox.delete", item.itemId);
      await core.commit(changes);
    }
  };
  /** What the other person writes. */
  const written = (intent: MessageIntent) =>
    encodeMessage(intent, {
      salt: core.random(16),
      senderUri: userUri(networkId, peer),
      roomUri: roomUri(networkId, conversationId),
      expiresAtMs: core.time.now() + hourMs,
      burnSeconds: null,
    });
  /** Something of the other person comes out of the log. */
  const receive = async (intent: MessageIntent, deviceId = peerDevice): Promise<void> => {
    const changes = new Changes();
    const { bytes } = written(intent);
    const arrival = {
      sender: peer,
      deviceId,
      content: bytes,
      sequence: ++sequence,
      epoch: 1,
      sentAtMs: core.time.now(),
      order: null,
    };
    const conversation = core.store.ensureConversation(conversationId);
    await takeContent({ core, changes, conversation, arrival });
    await core.commit(changes);
  };
  const ask = (request: Partial<MissingRequest>, deviceId = peerDevice) =>
    receive(
      {
        kind: "missing",
        request: { answerKey: someKey, generations: [], sequences: [], ...request },
      },
      deviceId,
    );
  /** Own generations of epoch 1. */
  const generations = (first: number, last = first) => ({
    generations: [{ deviceId: core.self.deviceId, epoch: 1, first, last }],
  });
  const said = (intents: readonly MessageIntent[]): readonly Again[] =>
    intents.flatMap((intent) => (intent.kind === "again" ? [intent.again] : []));
  const conversation = () => core.store.ensureConversation(conversationId);
  return {
    ...fixture,
    clock,
    messages,
    say,
    deliver,
    written,
    receive,
    ask,
    generations,
    said,
    conversation,
  };
}

describe("who is asked", () => {
  test("says a message again as it was, by its generation and by its place in the log", async () => {
    const { core, clock, say, deliver, ask, generations, said } = await people();
    const messageId = await say("hello");
    const [before] = await deliver();
    await ask(generations(0));
    const [again] = said(await deliver());
    expect(again).toMatchObject({
      outcome: "again",
      place: { epoch: 1, generation: 0, sequence: 1 },
    });
    if (again?.outcome !== "again") return;
    const { networkId, userId } = core.self;
    const room = roomUri(networkId, core.store.conversations()[0]!.conversationId);
    expect(decodeMessage(again.content, userUri(networkId, userId), room)).toEqual(before);
    expect((before as { readonly messageId?: MessageId }).messageId).toBe(messageId);
    // The answer was for everybody.
    await ask({ sequences: [{ first: 1, last: 1 }] }, otherDevice);
    expect(said(await deliver())).toEqual([]);
    clock.advance(minuteMs);
    await ask({ sequences: [{ first: 1, last: 1 }] }, otherDevice);
    expect(said(await deliver())).toMatchObject([{ outcome: "again" }]);
  });

  test("says that one is over once it was recalled, deleted, or has ended", async () => {
    const { clock, conversationId, messages, say, deliver, ask, generations, said } =
      await people();
    const ids = [await say("recalled"), await say("deleted"), await say("ended")] as const;
    await deliver();
    await messages["message.recall"]({ conversationId, messageId: ids[0] });
    await messages["message.deleteForMe"]({ conversationId, messageId: ids[1] });
    await deliver();
    await ask(generations(0, 1));
    const over = (generation: number, sequence: number) => ({ epoch: 1, generation, sequence });
    expect(said(await deliver())).toMatchObject([
      { outcome: "over", places: [over(0, 1), over(1, 2)] },
    ]);
    clock.advance(25 * hourMs);
    await ask(generations(2));
    expect(said(await deliver())).toMatchObject([{ outcome: "over", places: [over(2, 3)] }]);
  });

  test("doesn't speak for other devices, nor of what was said before the asking one came", async () => {
    const { core, conversationId, say, deliver, ask, generations, said } = await people();
    await say("hello");
    await deliver();
    await ask({ generations: [{ deviceId: otherDevice, epoch: 1, first: 0, last: 5 }] });
    const changes = new Changes();
    changes.write("join.put", conversationId, peerDevice, 2);
    await core.commit(changes);
    await ask({ ...generations(0, 3), sequences: [{ first: 1, last: 9 }] });
    expect(said(await deliver())).toEqual([]);
  });

  describe("where somebody came since", () => {
    /** The peer's second device, added in an epoch. */
    async function joined(at: Awaited<ReturnType<typeof people>>, epoch: number) {
      const { core, conversationId, peer, conversation } = at;
      const changes = new Changes();
      const members = [...conversation().members, { userId: peer, deviceId: otherDevice }];
      changes.write("conversation.setMembers", conversationId, encodeMembers(members));
      changes.write("join.put", conversationId, otherDevice, epoch);
      await core.commit(changes);
    }
    /** It goes again. */
    async function left({
      core,
      conversationId,
      conversation,
    }: Awaited<ReturnType<typeof people>>) {
      const changes = new Changes();
      const members = conversation().members.filter(({ deviceId }) => deviceId !== otherDevice);
      changes.write("conversation.setMembers", conversationId, encodeMembers(members));
      await core.commit(changes);
    }

    test("says it to who asks alone, sealed to the key that came with the request", async () => {
      const at = await people();
      const { say, deliver, ask, generations, said } = at;
      await say("hello");
      await deliver();
      await joined(at, 2);
      await ask(generations(0));
      const [again] = said(await deliver());
      expect(again).toMatchObject({ outcome: "sealed", requester: peerDevice, kemOutput: someKey });
      if (again?.outcome !== "sealed") return;
      expect(decodeAgain(again.ciphertext)).toMatchObject({
        outcome: "again",
        place: { epoch: 1, generation: 0, sequence: 1 },
      });
    });

    test("says it to all, where all were there when it was said", async () => {
      const at = await people();
      const { say, deliver, ask, generations, said } = at;
      await say("hello");
      await deliver();
      await joined(at, 1);
      await ask(generations(0));
      expect(said(await deliver())).toMatchObject([{ outcome: "again" }]);
    });

    test("says it to all once who came is gone", async () => {
      const at = await people();
      const { say, deliver, ask, generations, said } = at;
      await say("hello");
      await deliver();
      await joined(at, 2);
      await left(at);
      await ask(generations(0));
      expect(said(await deliver())).toMatchObject([{ outcome: "again" }]);
    });

    test("what one device got for itself isn't kept from another at once", async () => {
      const at = await people();
      const { say, deliver, ask, generations, said } = at;
      const third = idFromBytes<DeviceId>(new Uint8Array(16).fill(9));
      await say("hello");
      await deliver();
      await joined(at, 2);
      for (const requester of [peerDevice, third]) {
        await ask(generations(0), requester);
        expect(said(await deliver())).toMatchObject([{ outcome: "sealed", requester }]);
        await ask({ sequences: [{ first: 1, last: 1 }] }, requester);
        expect(said(await deliver())).toEqual([]);
      }
      // Nor from all of them.
      await left(at);
      await ask(generations(0), idFromBytes<DeviceId>(new Uint8Array(16).fill(10)));
      expect(said(await deliver())).toMatchObject([{ outcome: "again" }]);
    });

    test("seals what may be of any epoch, whoever is there", async () => {
      const at = await people();
      const { core, conversationId, say, deliver, ask, said } = at;
      const itemId = await say("hello");
      const changes = new Changes();
      // Found out only that it was sent.
      const item = core.store.outboxItem(itemId)!;
      const place = { sequence: 1, epoch: 1, receivedAtMs: core.time.now() };
      noteSent(core, changes, { conversation: at.conversation(), item, ...place });
      await core.commit(changes);
      expect(core.store.outboxNext(conversationId, core.time.now())).toBeUndefined();
      await ask({ sequences: [{ first: 1, last: 1 }] });
      expect(said(await deliver())).toMatchObject([{ outcome: "sealed", requester: peerDevice }]);
    });
  });

  test("says one message again to one device a few times at most, and not at once", async () => {
    const { clock, say, deliver, ask, generations, said } = await people();
    await say("hello");
    await deliver();
    let times = 0;
    for (let round = 0; round < 10; round += 1) {
      await ask(generations(0));
      await ask(generations(0));
      times += said(await deliver()).length;
      clock.advance(minuteMs);
    }
    expect(times).toBe(4);
  });

  test("answers so many requests of one device in an hour, and others all the same", async () => {
    const { clock, say, deliver, ask, generations, said } = await people();
    await say("hello");
    await deliver();
    const { requestsPerHour } = answerLimits;
    let answers = 0;
    for (let round = 0; round < requestsPerHour + 20; round += 1) {
      await ask(generations(1000 + round));
      answers += said(await deliver()).length;
    }
    expect(answers).toBe(requestsPerHour);
    await ask(generations(0), otherDevice);
    expect(said(await deliver())).toHaveLength(1);
    clock.advance(hourMs + 1000);
    await ask(generations(0));
    expect(said(await deliver())).toHaveLength(1);
  });

  test("says so much again for one request and in one hour", async () => {
    const { say, deliver, ask, said } = await people();
    const { itemsPerHour, itemsPerRequest } = answerLimits;
    for (let index = 0; index < itemsPerHour + 50; index += 1) await say(String(index));
    await deliver();
    const sequences = [{ first: 1, last: itemsPerHour + 50 }];
    await ask({ sequences });
    expect(said(await deliver())).toHaveLength(itemsPerRequest);
    let sum = itemsPerRequest;
    for (let first = 101; first <= itemsPerHour + 50; first += 50) {
      await ask({ sequences: [{ first, last: first + 49 }] });
      sum += said(await deliver()).length;
    }
    expect(sum).toBe(itemsPerHour);
  });
});

describe("who misses something", () => {
  const spoil = async (
    { core, conversation }: Awaited<ReturnType<typeof people>>,
    sequences: readonly number[],
  ): Promise<void> => {
    const changes = new Changes();
    await noteSpoilt(core, changes, conversation(), { sequences, code: "message-unopenable" });
    await core.commit(changes);
  };

  test("asks again after growing pauses, until it can't be alive", async () => {
    const at = await people();
    const { core, clock, conversationId, deliver } = at;
    core.link = { online: true } as unknown as Link;
    Object.defineProperty(core, "online", { get: () => true });
    const asker = new Asker(core);
    await spoil(at, [4]);
    asker.wanted([conversationId]);
    let requests = 0;
    const settle = async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      await core.groupQueue.idle();
      requests += (await deliver()).filter(({ kind }) => kind === "missing").length;
    };
    clock.advance(1000);
    await settle();
    expect(requests).toBe(1);
    for (const pauseMs of askAgainAfterMs.slice(0, 4)) {
      clock.advance(pauseMs / 2);
      await settle();
      const before = requests;
      clock.advance(pauseMs / 2 + 6000);
      await settle();
      expect(requests).toBe(before + 1);
    }
    clock.advance(25 * hourMs);
    await settle();
    expect(core.store.missing.gapCount(conversationId)).toBe(0);
    asker.close();
  });

  test("asks for so many in one conversation, and counts the others", async () => {
    const at = await people();
    const { core, conversationId, conversation } = at;
    const changes = new Changes();
    const keys = Array.from({ length: maxGaps + 100 }, (_, number) => {
      return { deviceId: peerDevice, epoch: 1, number };
    });
    await noteJumped(core, changes, conversation(), { keys, explained: 0 });
    await core.commit(changes);
    expect(core.store.missing.gapCount(conversationId)).toBe(maxGaps);
    expect(conversation().unopenable).toBe(maxGaps + 100);
  });

  test("takes nothing that isn't missed, and what is at its place", async () => {
    const at = await people();
    const { core, conversationId, receive } = at;
    const { bytes: content, messageId } = at.written({
      kind: "text",
      markdown: "late",
      replyTo: null,
      replaces: null,
    });
    const place = { epoch: 1, generation: 3, sequence: 400 };
    const takenAtMs = core.time.now() - 1000;
    const again = { outcome: "again", place, takenAtMs, content } as const;
    await receive({ kind: "again", again });
    expect(core.store.message(messageId)).toBeUndefined();
    await spoil(at, [400]);
    await receive({ kind: "text", markdown: "newer", replyTo: null, replaces: null });
    await receive({ kind: "again", again });
    expect(core.store.message(messageId)).toMatchObject({ sequence: 400, sentAtMs: takenAtMs });
    const shown = core.store.page(conversationId, 1000, { limit: 10, nowMs: core.time.now() });
    expect(shown.map(({ kind, messageId: id }) => [kind, id === messageId])).toEqual([
      ["text", true],
      ["text", false],
    ]);
  });

  test("keeps one key for all that is missing, until nothing is", async () => {
    const at = await people();
    const { core, conversationId, conversation } = at;
    const { missing } = core.store;
    const key = async () => {
      const changes = new Changes();
      const publicKey = await answerKeyFor(core, changes, conversation());
      await core.commit(changes);
      return publicKey;
    };
    // There is nothing to ask for: it isn't kept.
    await key();
    expect(missing.answerKey(conversationId)).toBeUndefined();
    await spoil(at, [400, 401]);
    const publicKey = await key();
    expect(missing.answerKey(conversationId)).toMatchObject({
      suite: suiteNames.default,
      publicKey,
    });
    const settle = async (number: number) => {
      const changes = new Changes();
      const gap = { deviceId: null, epoch: 0, number };
      changes.write("gap.delete", conversationId, ...keyColumns(gap));
      await core.commit(changes);
    };
    await settle(400);
    expect(missing.answerKey(conversationId)).toBeDefined();
    // The conversation has gone over to another suite.
    const other = new Changes();
    other.write("conversation.setSuite", conversationId, "another");
    await core.commit(other);
    await key();
    expect(missing.answerKey(conversationId)).toMatchObject({ suite: "another" });
    await settle(401);
    expect(missing.answerKey(conversationId)).toBeUndefined();
  });

  test("opens what was said again to this device alone, and passes over what it can't open", async () => {
    const at = await people();
    const { core, conversation, conversationId, receive } = at;
    await spoil(at, [400]);
    const changes = new Changes();
    const answerKey = await answerKeyFor(core, changes, conversation());
    await core.commit(changes);
    const { bytes: content, messageId } = at.written({
      kind: "text",
      markdown: "late",
      replyTo: null,
      replaces: null,
    });
    const place = { epoch: null, generation: null, sequence: 400 };
    const takenAtMs = core.time.now() - 1000;
    const ciphertext = encodeAgain({ outcome: "again", place, takenAtMs, content });
    const sealed = { outcome: "sealed", requester: core.self.deviceId } as const;
    for (const wrong of [
      { ...sealed, kemOutput: answerKey, requester: otherDevice, ciphertext },
      { ...sealed, kemOutput: someKey, ciphertext },
      { ...sealed, kemOutput: answerKey, ciphertext: new Uint8Array([0xff]) },
      {
        ...sealed,
        kemOutput: answerKey,
        ciphertext: encodeAgain({ outcome: "over", places: [place] }),
      },
    ]) {
      await receive({ kind: "again", again: wrong });
      expect(core.store.missing.gapCount(conversationId)).toBe(1);
      expect(conversation().unopenable).toBe(1);
    }
    await receive({ kind: "again", again: { ...sealed, kemOutput: answerKey, ciphertext } });
    expect(core.store.message(messageId)).toMatchObject({ sequence: 400 });
    expect(core.store.missing.answerKey(conversationId)).toBeUndefined();
  });

  test("an answer in an answer is no answer", async () => {
    const at = await people();
    const { core, conversationId, peer, receive } = at;
    const { networkId } = core.self;
    await spoil(at, [400, 401]);
    const envelope = {
      salt: core.random(16),
      senderUri: userUri(networkId, peer),
      roomUri: roomUri(networkId, conversationId),
      expiresAtMs: core.time.now() + hourMs,
      burnSeconds: null,
    };
    const place = (sequence: number) => ({ epoch: null, generation: null, sequence });
    const inner = encodeMessage(
      { kind: "again", again: { outcome: "over", places: [place(401)] } },
      envelope,
    );
    const again = {
      outcome: "again",
      place: place(400),
      takenAtMs: 0,
      content: inner.bytes,
    } as const;
    await receive({ kind: "again", again });
    expect(core.store.missing.gaps(conversationId).map(({ number }) => number)).toEqual([401]);
  });
});

test("a request names neighbours as one range, and no more than it may hold", () => {
  const gap = (deviceId: DeviceId | null, epoch: number, number: number): Gap => {
    const times = { nextAtMs: 0, showsAtMs: 0, endsAtMs: 0 };
    return { deviceId, epoch, number, order: 0, lineId: null, asked: 0, ...times };
  };
  const few = [
    gap(null, 0, 9),
    gap(peerDevice, 1, 3),
    gap(null, 0, 7),
    gap(peerDevice, 1, 4),
    gap(peerDevice, 2, 5),
    gap(null, 0, 8),
  ];
  expect(placesOf(few).places).toEqual({
    generations: [
      { deviceId: peerDevice, epoch: 1, first: 3, last: 4 },
      { deviceId: peerDevice, epoch: 2, first: 5, last: 5 },
    ],
    sequences: [{ first: 7, last: 9 }],
  });
  const scattered = Array.from({ length: 400 }, (_, index) => gap(null, 0, 2 * index));
  const { places, named } = placesOf(scattered);
  expect(places.sequences).toHaveLength(128);
  expect(named).toHaveLength(128);
  const many = Array.from({ length: 1000 }, (_, index) => gap(peerDevice, 1, index));
  expect(placesOf(many).named).toHaveLength(512);
});

test("what changes a message waits for as long as messages come over from another device", async () => {
  const { core, conversationId, receive } = await people();
  const progress = async (beforeOrder: number | null) => {
    const one = { conversationId, count: 1, readOrder: 0, lastActivityMs: 0 };
    const listed = [{ ...one, pinned: false, muted: false, beforeOrder }];
    await core.vault.transact([putFact("historyProgress", { listed, done: 0, total: 1 })]);
  };
  const channel = {
    rendezvousId: idFromBytes<RendezvousId>(new Uint8Array(16)),
    seat: new Uint8Array(1),
    sealedChannel: new Uint8Array(1),
    role: "joiner",
    deviceId: null,
    history: false,
    expiresAtMs: core.clock.now() + hourMs,
  } as const;
  await core.vault.transact([putFact("linkChannels", [channel])]);
  await progress(9);
  await receive({ kind: "recall", replaces: core.localId() });
  await adoptOrphans(core, conversationId);
  expect(core.store.missing.hasOrphans(conversationId)).toBe(true);
  await progress(null);
  await adoptOrphans(core, conversationId);
  expect(core.store.missing.hasOrphans(conversationId)).toBe(false);
});
