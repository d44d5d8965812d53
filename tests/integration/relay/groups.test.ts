import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  idFromBytes,
  maxFrameBytes,
  type ConversationId,
  type DeviceId,
  type GroupEntry,
  type MessageId,
} from "#protocol";
import { codeOf, eventually, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let ada: SignedIn;
let bo: SignedIn;
let cy: SignedIn;

beforeEach(async () => {
  ({ fixture, admin: ada } = await RelayFixture.claimed());
  bo = await fixture.invite(ada, "Bo");
  cy = await fixture.invite(ada, "Cy");
});
afterEach(() => fixture.dispose());

/** A group of Ada, Bo and Cy at epoch 1; the commit that added them is entry 1. */
const groupOfThree = async (): Promise<ConversationId> => {
  const group = await ada.createGroup();
  await ada.commit(group, 0, { add: [bo.deviceId, cy.deviceId] });
  return group;
};
const sequencesOf = (entries: readonly GroupEntry[]): number[] =>
  entries.map(({ sequence }) => sequence);
const kindsOf = (entries: readonly GroupEntry[]): string[] => entries.map(({ kind }) => kind);
const groupEvents = (who: SignedIn): number =>
  who.client.events.filter(({ name }) => name === "group.entry").length;
const strangerId = (): ConversationId => idFromBytes<ConversationId>(testBytes(16));

describe("starting a log", () => {
  test("it begins at epoch 0 with its creator; repeating it is harmless, another's is refused", async () => {
    const group = strangerId();
    const create = (who: SignedIn) =>
      codeOf(
        who.client.request("group.create", { conversationId: group, groupInfo: testBytes(10) }),
      );
    expect(await create(ada)).toBe("no failure");
    await ada.commit(group, 0);
    expect(await create(ada)).toBe("no failure");
    expect(await create(bo)).toBe("conversation-exists");
    expect(await ada.client.request("group.list", {})).toEqual({
      groups: [{ conversationId: group, epoch: 1, headSequence: 1, acknowledgedSequence: 0 }],
    });
  });

  test("of many who start the same log at once, one does", async () => {
    const group = strangerId();
    const codes = await Promise.all(
      [ada, bo, cy].map(({ client }) =>
        codeOf(client.request("group.create", { conversationId: group, groupInfo: testBytes(10) })),
      ),
    );
    expect(codes.toSorted()).toEqual(["conversation-exists", "conversation-exists", "no failure"]);
  });
});

describe("commits", () => {
  test("an accepted commit moves the epoch, changes the roster, delivers the Welcome and is read by all", async () => {
    const group = await ada.createGroup();
    const welcome = testBytes(300);
    const bytes = testBytes(200);
    const groupInfo = testBytes(150);
    const accepted = await ada.commit(group, 0, {
      add: [bo.deviceId],
      welcome,
      bytes,
      groupInfo,
    });
    expect(accepted).toMatchObject({ kind: "accepted", sequence: 1 });

    const inboxEvent = await bo.client.nextEvent("inbox.entry");
    expect(inboxEvent).toMatchObject({
      kind: "welcome",
      sequence: 1,
      conversationId: group,
      groupSequence: 1,
      sender: ada.deviceId,
      bytes: welcome,
    });
    const inbox = await bo.client.request("inbox.read", { afterSequence: 0 });
    expect(inbox).toEqual({ entries: [inboxEvent], headSequence: 1 });

    expect(await bo.client.request("group.info", { conversationId: group })).toEqual({
      epoch: 1,
      groupInfo,
    });
    const { entries } = await ada.read(group);
    expect(entries).toMatchObject([
      { kind: "commit", sequence: 1, epoch: 0, sender: ada.deviceId, bytes },
    ]);
    expect((await ada.client.nextEvent("group.entry")).entry).toEqual(entries[0]);
    // The one who was added reads what comes after its own addition.
    expect(kindsOf((await bo.read(group)).entries)).toEqual(["dropped"]);
    expect(await codeOf(cy.read(group))).toBe("not-allowed");
  });

  test("a commit for another epoch is told where the log is, and leaves no trace", async () => {
    const group = await groupOfThree();
    await bo.append(group, 1);
    for (const epoch of [0, 2, 7]) {
      const outcome = await bo.commit(group, epoch, { remove: [cy.deviceId] });
      expect(outcome).toEqual({ kind: "stale", epoch: 1, headSequence: 2 });
    }
    expect(await codeOf(cy.append(group, 1))).toBe("no failure");
  });

  test("the same commit again gets its first answer, also after others; its Welcome is delivered once", async () => {
    const group = await ada.createGroup();
    const commit = { add: [bo.deviceId], welcome: testBytes(30), bytes: testBytes(200) };
    const first = await ada.commit(group, 0, commit);
    expect(await ada.commit(group, 0, commit)).toEqual(first);
    await bo.commit(group, 1);
    expect(await ada.commit(group, 0, commit)).toEqual(first);
    // Somebody else's commit with the same bytes is another commit.
    expect(await bo.commit(group, 0, { bytes: commit.bytes })).toMatchObject({ kind: "stale" });
    expect((await bo.client.request("inbox.read", { afterSequence: 0 })).entries).toHaveLength(1);
    expect((await ada.read(group)).headSequence).toBe(2);
  });

  test("of twenty commits at once for one epoch, one wins and the others are stale", async () => {
    const group = await ada.createGroup();
    const people = [ada, bo, cy];
    await ada.commit(group, 0, { add: [bo.deviceId, cy.deviceId] });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => people[index % 3]!.commit(group, 1)),
    );
    const winners = outcomes.filter(({ kind }) => kind === "accepted");
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "stale")).toHaveLength(19);
    for (const outcome of outcomes) {
      if (outcome.kind === "stale") expect(outcome).toMatchObject({ epoch: 2, headSequence: 2 });
    }
    const { entries, epoch } = await cy.read(group, 1);
    expect({ epoch, sequences: sequencesOf(entries) }).toEqual({ epoch: 2, sequences: [2] });
  });

  test("twenty rounds of racing commits leave twenty commits, one per epoch", async () => {
    const group = await groupOfThree();
    for (let epoch = 1; epoch <= 20; epoch += 1) {
      await Promise.all([ada, bo, cy].map((who) => who.commit(group, epoch)));
    }
    const { entries } = await ada.read(group, 1);
    const epochs = entries.map((entry) => (entry.kind === "commit" ? entry.epoch : -1));
    expect(epochs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test("changes that don't fit the roster are refused, and nothing of them happens", async () => {
    const group = await groupOfThree();
    const unknown = idFromBytes<DeviceId>(testBytes(16));
    const changes = [
      { add: [unknown] },
      { add: [bo.deviceId] },
      { remove: [unknown] },
      { remove: [ada.deviceId] },
      { remove: [bo.deviceId, bo.deviceId] },
      { add: [unknown, unknown] },
      { welcome: testBytes(10) },
      { add: [bo.deviceId], remove: [bo.deviceId], welcome: null },
    ];
    for (const change of changes) {
      expect(await codeOf(ada.commit(group, 1, change))).toBe("argument-invalid");
    }
    expect((await ada.read(group)).epoch).toBe(1);
    expect(await codeOf(ada.commit(strangerId(), 0))).toBe("not-found");
  });

  test("a device can be removed and added again in one commit, having lost its state", async () => {
    const group = await groupOfThree();
    await ada.append(group, 1);
    await bo.client.nextEvent("inbox.entry");
    const outcome = await ada.commit(group, 1, { remove: [bo.deviceId], add: [bo.deviceId] });
    expect(outcome).toMatchObject({ kind: "accepted", sequence: 3 });
    expect(await bo.client.nextEvent("inbox.entry")).toMatchObject({
      sequence: 2,
      groupSequence: 3,
    });
    await ada.append(group, 2);
    const { entries } = await bo.read(group);
    expect(kindsOf(entries)).toEqual(["dropped", "dropped", "dropped", "application"]);
    await eventually(() => groupEvents(bo) === 3);
  });

  test("a removed device loses access at once, but reads up to the commit that removed it until it has acknowledged it", async () => {
    const group = await groupOfThree();
    await ada.append(group, 1);
    await ada.commit(group, 1, { remove: [cy.deviceId] });
    await ada.append(group, 2);
    await ada.append(group, 2);

    expect(await codeOf(cy.append(group, 1))).toBe("not-allowed");
    expect(await codeOf(cy.commit(group, 2))).toBe("not-allowed");
    expect(await codeOf(cy.client.request("group.info", { conversationId: group }))).toBe(
      "not-allowed",
    );
    const { entries, headSequence, epoch } = await cy.read(group, 1);
    expect(kindsOf(entries)).toEqual(["application", "commit"]);
    expect({ headSequence, epoch }).toEqual({ headSequence: 3, epoch: 2 });
    expect((await cy.read(group, 3)).entries).toEqual([]);
    expect(await codeOf(cy.acknowledge(group, 4))).toBe("not-found");
    expect(await cy.client.request("group.list", {})).toEqual({
      groups: [{ conversationId: group, epoch: 2, headSequence: 3, acknowledgedSequence: 0 }],
    });
    // Live it got the removal and nothing after it.
    await eventually(() => groupEvents(bo) === 4);
    const live = cy.client.events.filter(({ name }) => name === "group.entry");
    expect(live).toHaveLength(2);

    // A reconnection doesn't bring it back.
    await cy.reconnect();
    await ada.append(group, 2);
    await eventually(() => groupEvents(bo) === 5);
    expect(groupEvents(cy)).toBe(0);

    await cy.acknowledge(group, 3);
    expect(await codeOf(cy.read(group))).toBe("not-allowed");
    expect(await cy.client.request("group.list", {})).toEqual({ groups: [] });
  });

  test("what was there before a removal waits for who was removed, and only commits after it", async () => {
    const group = await groupOfThree();
    await ada.append(group, 1);
    await ada.commit(group, 1, { remove: [cy.deviceId] });
    await ada.append(group, 2);
    for (const who of [ada, bo]) await who.acknowledge(group, 4);
    expect(kindsOf((await ada.read(group)).entries)).toEqual([
      "dropped",
      "application",
      "commit",
      "dropped",
    ]);
    expect(kindsOf((await cy.read(group, 1)).entries)).toEqual(["application", "commit"]);
    await cy.acknowledge(group, 3);
    expect(kindsOf((await ada.read(group)).entries)).toEqual(Array(4).fill("dropped"));
  });

  test("a removed device that never comes back is forgotten after thirty days, and so are the commits it held", async () => {
    const group = await groupOfThree();
    await ada.commit(group, 1, { remove: [cy.deviceId] });
    for (const who of [ada, bo]) await who.acknowledge(group, 2);
    expect(kindsOf((await ada.read(group, 1)).entries)).toEqual(["commit"]);
    await cy.client.close();
    fixture.clock.advance(30 * 24 * 3_600_000 + 1000);
    await eventually(async () => (await ada.read(group, 1)).entries[0]?.kind === "dropped");
    await cy.reconnect();
    expect(await codeOf(cy.read(group))).toBe("not-allowed");
  });
});

describe("messages", () => {
  test("a message goes to everybody who is connected, and is read in order by those who were not", async () => {
    const group = await groupOfThree();
    await cy.client.close();
    const bytes = [testBytes(50), testBytes(60), testBytes(70)];
    for (const each of bytes) await bo.append(group, 1, { bytes: each });
    for (const [index, each] of bytes.entries()) {
      const event = await ada.client.nextEvent("group.entry");
      expect(event.conversationId).toBe(group);
      if (index === 0) {
        // Ada committed; she hears of it as of every entry.
        expect(event.entry).toMatchObject({ kind: "commit", sequence: 1 });
        await ada.client.nextEvent("group.entry");
      } else {
        expect(event.entry).toMatchObject({
          kind: "application",
          sequence: index + 2,
          bytes: each,
        });
      }
    }
    await cy.reconnect();
    const { entries, headSequence, epoch } = await cy.read(group, 1);
    expect(entries.map((entry) => "bytes" in entry && entry.bytes)).toEqual(bytes);
    expect({ headSequence, epoch }).toEqual({ headSequence: 4, epoch: 1 });
    const first = entries[0];
    expect(first).toMatchObject({ sender: bo.deviceId, epoch: 1, sequence: 2 });
  });

  test("the same message id again gives the first answer, though sealed anew, also in a later epoch and after a restart", async () => {
    const group = await groupOfThree();
    const messageId = idFromBytes<MessageId>(testBytes(32));
    const first = await bo.append(group, 1, { messageId });
    expect(await bo.append(group, 1, { messageId })).toEqual(first);
    await ada.commit(group, 1);
    expect(await bo.append(group, 2, { messageId, bytes: testBytes(10) })).toEqual(first);
    await fixture.stopRelay();
    await fixture.startRelay();
    await bo.reconnect();
    expect(await bo.append(group, 2, { messageId })).toEqual(first);
    // Another's message may have the same id.
    await cy.reconnect();
    const other = await cy.append(group, 2, { messageId });
    expect(other).toMatchObject({ kind: "accepted", sequence: 4 });
  });

  test("a message for another epoch is stale, and can be sent again for the right one", async () => {
    const group = await groupOfThree();
    const messageId = idFromBytes<MessageId>(testBytes(32));
    await ada.commit(group, 1);
    expect(await bo.append(group, 1, { messageId })).toEqual({
      kind: "stale",
      epoch: 2,
      headSequence: 2,
    });
    expect(await bo.append(group, 2, { messageId })).toMatchObject({
      kind: "accepted",
      sequence: 3,
    });
  });

  test("messages sent without waiting keep their order, and sequences have no gaps", async () => {
    const group = await groupOfThree();
    const outcomes = await Promise.all([
      ...Array.from({ length: 100 }, () => ada.append(group, 1)),
      ...Array.from({ length: 100 }, () => bo.append(group, 1)),
    ]);
    const sequences = outcomes.map((outcome) =>
      outcome.kind === "accepted" ? outcome.sequence : -1,
    );
    const ofAda = sequences.slice(0, 100);
    const ofBo = sequences.slice(100);
    expect(ofAda).toEqual(ofAda.toSorted((a, b) => a - b));
    expect(ofBo).toEqual(ofBo.toSorted((a, b) => a - b));
    expect(sequences.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 2),
    );
    await eventually(() => groupEvents(cy) === 200);
    const live = cy.client.events
      .filter(({ name }) => name === "group.entry")
      .map(({ body }) => (body as { entry: GroupEntry }).entry.sequence);
    expect(live).toEqual(Array.from({ length: 200 }, (_, index) => index + 2));
  });

  test("who isn't in a conversation neither writes nor reads it", async () => {
    const group = await ada.createGroup();
    for (const attempt of [
      bo.append(group, 0),
      bo.read(group),
      bo.acknowledge(group, 0),
      bo.client.request("group.drop", { conversationId: group, sequences: [1] }),
      bo.client.request("group.info", { conversationId: group }),
      bo.commit(group, 0),
    ]) {
      expect(await codeOf(attempt)).toBe("not-allowed");
    }
    for (const attempt of [
      bo.append(strangerId(), 0),
      bo.read(strangerId()),
      bo.acknowledge(strangerId(), 0),
      bo.client.request("group.info", { conversationId: strangerId() }),
    ]) {
      expect(await codeOf(attempt)).toBe("not-found");
    }
  });

  test("reading goes on where a page ended; a page ends by number and by size", async () => {
    const group = await groupOfThree();
    for (let index = 0; index < 5; index += 1) {
      await ada.append(group, 1, { bytes: testBytes(400_000) });
    }
    const byNumber = await bo.read(group, 1, 2);
    expect(sequencesOf(byNumber.entries)).toEqual([2, 3]);
    const bySize = await bo.read(group, 1, 500);
    expect(sequencesOf(bySize.entries)).toEqual([2, 3]);
    expect(bySize.headSequence).toBe(6);
    expect(sequencesOf((await bo.read(group, 3)).entries)).toEqual([4, 5]);
    expect(sequencesOf((await bo.read(group, 5)).entries)).toEqual([6]);
    expect((await bo.read(group, 6)).entries).toEqual([]);
    expect((await bo.read(group, 60)).entries).toEqual([]);
  });

  test("the largest message that is taken is also given out; a larger one is refused with words", async () => {
    const group = await groupOfThree();
    const largest = testBytes(maxFrameBytes - 16 * 1024);
    expect(await ada.append(group, 1, { bytes: largest })).toMatchObject({ kind: "accepted" });
    const { entries } = await bo.read(group, 1);
    expect(entries[0]?.kind === "application" && Buffer.compare(entries[0].bytes, largest)).toBe(0);
    await bo.client.nextEvent("group.entry");
    const larger = testBytes(maxFrameBytes - 8 * 1024);
    expect(await codeOf(ada.append(group, 1, { bytes: larger }))).toBe("frame-too-large");
  });
});

describe("inboxes", () => {
  test("what was acknowledged is dropped; a Welcome's bytes stay until its last reader has it", async () => {
    const group = await groupOfThree();
    const read = async (who: SignedIn) =>
      (await who.client.request("inbox.read", { afterSequence: 0 })).entries;
    const welcomeKeys = async () =>
      fixture.storage.list({ prefix: `welcome.${group}.` as never, after: null, limit: 10 });
    const [entry] = await read(bo);
    await bo.client.request("inbox.acknowledge", { sequence: 1 });
    await bo.client.request("inbox.acknowledge", { sequence: 1 });
    expect(await read(bo)).toEqual([]);
    const [other] = await read(cy);
    expect(other?.bytes).toEqual(entry?.bytes);
    expect(await welcomeKeys()).toHaveLength(1);
    await cy.client.request("inbox.acknowledge", { sequence: 99 });
    await eventually(async () => (await welcomeKeys()).length === 0);
    // Numbers go on.
    const second = await ada.createGroup();
    await ada.commit(second, 0, { add: [bo.deviceId] });
    expect((await read(bo)).map(({ sequence }) => sequence)).toEqual([2]);
  });

  test("a device added while it was away finds its Welcome and hears what comes", async () => {
    await bo.client.close();
    const group = await ada.createGroup();
    await ada.commit(group, 0, { add: [bo.deviceId] });
    await bo.reconnect();
    const { entries } = await bo.client.request("inbox.read", { afterSequence: 0 });
    expect(entries).toMatchObject([{ conversationId: group, groupSequence: 1 }]);
    await ada.append(group, 1);
    expect((await bo.client.nextEvent("group.entry")).entry.sequence).toBe(2);
  });

  test("many Welcomes at once to one device each get a place", async () => {
    const groups = await Promise.all(Array.from({ length: 20 }, () => ada.createGroup()));
    await Promise.all(groups.map((group) => ada.commit(group, 0, { add: [bo.deviceId] })));
    const { entries, headSequence } = await bo.client.request("inbox.read", { afterSequence: 0 });
    expect(headSequence).toBe(20);
    expect(entries.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(new Set(entries.map(({ conversationId }) => conversationId))).toEqual(new Set(groups));
  });
});
