import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, GroupEntry } from "#protocol";
import type { StorageKey } from "../../../relay/storage/port.ts";
import { codeOf, eventually, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let ada: SignedIn;
let bo: SignedIn;
let group: ConversationId;

beforeEach(async () => {
  ({ fixture, admin: ada } = await RelayFixture.claimed());
  bo = await fixture.invite(ada, "Bo");
  group = await ada.createGroup();
  await ada.commit(group, 0, { add: [bo.deviceId] });
});
afterEach(() => fixture.dispose());

const kinds = async (afterSequence = 1, who = ada): Promise<string[]> =>
  (await who.read(group, afterSequence)).entries.map(({ kind }) => kind);
const storedBytes = () =>
  fixture.storage.list({
    prefix: `group.${group}.bytes.` as StorageKey,
    after: null,
    limit: 1000,
  });
const inMs = (ms: number): number => fixture.clock.nowMs() + ms;

describe("expiry", () => {
  test("a message is dropped at its end: it can't be read from that moment on, and its bytes go", async () => {
    const bytes = testBytes(100);
    await ada.append(group, 1, { bytes, expiresAtMs: inMs(60_000) });
    await ada.append(group, 1, { expiresAtMs: inMs(120_000) });
    expect(await kinds()).toEqual(["application", "application"]);
    fixture.clock.advance(60_000);
    expect(await kinds()).toEqual(["dropped", "application"]);
    await eventually(async () =>
      (await storedBytes()).every((stored) => Buffer.compare(stored.bytes, bytes) !== 0),
    );
    const { entries, headSequence } = await bo.read(group, 1);
    expect(entries[0]).toEqual({ kind: "dropped", sequence: 2 });
    expect(headSequence).toBe(3);
  });

  test("reading refuses an ended message even when its sweep can't be done", async () => {
    await ada.append(group, 1, { expiresAtMs: inMs(60_000) });
    fixture.storage.failCommits = true;
    fixture.clock.advance(60_000);
    expect(await kinds()).toEqual(["dropped"]);
    expect(await storedBytes()).toHaveLength(2);
    // It is done later by itself.
    fixture.storage.failCommits = false;
    fixture.clock.advance(5_000);
    await eventually(async () => (await storedBytes()).length === 1);
  });

  test("what ended while the relay was off is gone before it listens", async () => {
    await ada.append(group, 1, { expiresAtMs: inMs(60_000) });
    await ada.append(group, 1, { expiresAtMs: null });
    await fixture.stopRelay();
    fixture.clock.advance(60_000);
    await fixture.startRelay();
    expect(await storedBytes()).toHaveLength(2);
    await ada.reconnect();
    expect(await kinds()).toEqual(["dropped", "application"]);
  });

  test("deadlines are met in their order, also one that comes before those that were known", async () => {
    await ada.append(group, 1, { expiresAtMs: inMs(3_600_000) });
    await ada.append(group, 1, { expiresAtMs: inMs(300) });
    await ada.append(group, 1, { expiresAtMs: inMs(100) });
    await eventually(async () => (await storedBytes()).length === 2);
    expect(await kinds()).toEqual(["application", "dropped", "dropped"]);
  });

  test("hundreds of messages that end together all go", async () => {
    const expiresAtMs = inMs(60_000);
    await Promise.all(Array.from({ length: 700 }, () => ada.append(group, 1, { expiresAtMs })));
    expect(await storedBytes()).toHaveLength(701);
    fixture.clock.advance(60_000);
    await eventually(async () => (await storedBytes()).length === 1);
  });

  test("a message whose end has come before it arrives keeps its place and nothing else", async () => {
    const outcome = await ada.append(group, 1, { expiresAtMs: inMs(-1) });
    expect(outcome).toMatchObject({ kind: "accepted", sequence: 2 });
    expect(await storedBytes()).toHaveLength(1);
    expect((await bo.client.nextEvent("group.entry")).entry).toEqual({
      kind: "dropped",
      sequence: 2,
    });
    expect(await ada.append(group, 1)).toMatchObject({ sequence: 3 });
  });

  test("no message stays longer than the policy lets one live", async () => {
    await ada.append(group, 1, { expiresAtMs: inMs(10 * 365 * 24 * 3_600_000) });
    const [entry] = (await bo.read(group, 1)).entries;
    const thirtyDays = 30 * 24 * 3_600_000;
    const kept = entry?.kind === "application" ? entry.expiresAtMs! - entry.receivedAtMs : 0;
    expect(kept).toBe(thirtyDays);
  });
});

describe("delivery", () => {
  test("what all members have is dropped, and not before", async () => {
    for (let index = 0; index < 3; index += 1) await ada.append(group, 1);
    await ada.acknowledge(group, 4);
    expect(await kinds()).toEqual(["application", "application", "application"]);
    await bo.acknowledge(group, 3);
    expect(await kinds()).toEqual(["dropped", "dropped", "application"]);
    // An older acknowledgement takes nothing back.
    await bo.acknowledge(group, 2);
    await bo.acknowledge(group, 4);
    expect(await kinds(0)).toEqual(["dropped", "dropped", "dropped", "dropped"]);
    expect(await storedBytes()).toEqual([]);
    expect((await ada.append(group, 1)).kind).toBe("accepted");
    expect(await kinds(4)).toEqual(["application"]);
  });

  test("a member who joined later isn't waited for with what came before", async () => {
    await ada.append(group, 1);
    const cy = await fixture.invite(ada, "Cy");
    await ada.commit(group, 1, { add: [cy.deviceId] });
    await ada.append(group, 2);
    for (const who of [ada, bo]) await who.acknowledge(group, 4);
    expect(await kinds()).toEqual(["dropped", "dropped", "application"]);
    await cy.acknowledge(group, 4);
    expect(await kinds()).toEqual(["dropped", "dropped", "dropped"]);
  });

  test("a removed device reads what was said while it was there, and holds back nothing else", async () => {
    await ada.append(group, 1);
    await ada.commit(group, 1, { remove: [bo.deviceId] });
    await ada.append(group, 2);
    await ada.acknowledge(group, 4);
    expect(await kinds()).toEqual(["application", "commit", "dropped"]);
    expect(await kinds(1, bo)).toEqual(["application", "commit"]);
    await bo.acknowledge(group, 3);
    expect(await storedBytes()).toEqual([]);
    expect(await codeOf(bo.read(group, 1))).toBe("not-allowed");
  });

  test("a device that was removed and never came back is waited for thirty days", async () => {
    await ada.append(group, 1);
    await ada.commit(group, 1, { remove: [bo.deviceId] });
    await ada.acknowledge(group, 3);
    expect(await storedBytes()).toHaveLength(2);
    fixture.clock.advance(30 * 24 * 3_600_000 + 1000);
    await eventually(async () => (await storedBytes()).length === 0);
  });

  test("whoever is removed and added all day long holds back no more than eight stays", async () => {
    for (let epoch = 1; epoch < 20; epoch += 2) {
      await ada.commit(group, epoch, { remove: [bo.deviceId] });
      await ada.commit(group, epoch + 1, { add: [bo.deviceId] });
    }
    await ada.acknowledge(group, 21);
    const read = await kinds(1, bo);
    expect(read.filter((kind) => kind === "commit")).toHaveLength(8);
    expect(read.slice(0, 4)).toEqual(["dropped", "dropped", "dropped", "dropped"]);
  });

  test("who was removed and added again while away reads each of its stays, and not what lies between", async () => {
    const again = async (epoch: number): Promise<void> => {
      await ada.append(group, epoch);
      await ada.commit(group, epoch, { remove: [bo.deviceId] });
      await ada.append(group, epoch + 1);
      await ada.commit(group, epoch + 1, { add: [bo.deviceId] });
    };
    await again(1);
    await again(3);
    await ada.append(group, 5);
    await ada.acknowledge(group, 10);
    const stay = ["application", "commit", "dropped", "dropped"];
    expect(await kinds(1, bo)).toEqual([...stay, ...stay, "application"]);
    // The first removal is known, and what came before it goes; the second is still waited for.
    await bo.acknowledge(group, 3);
    expect(await kinds(1, bo)).toEqual([
      "dropped",
      "dropped",
      ...stay.slice(2),
      ...stay,
      "application",
    ]);
    await bo.acknowledge(group, 10);
    expect(await storedBytes()).toEqual([]);
    await ada.append(group, 5);
    expect(await kinds(10, bo)).toEqual(["application"]);
    // The ends of waits that are over leave a member where it is.
    fixture.clock.advance(30 * 24 * 3_600_000 - 1000);
    expect((await bo.read(group, 10)).headSequence).toBe(11);
  });

  test("an acknowledgement beyond the log is refused", async () => {
    expect(await codeOf(ada.acknowledge(group, 2))).toBe("not-found");
  });

  test("a long log is dropped whole when the last device catches up", async () => {
    await Promise.all(Array.from({ length: 1200 }, () => ada.append(group, 1)));
    await ada.acknowledge(group, 1201);
    await bo.acknowledge(group, 1201);
    expect(await storedBytes()).toEqual([]);
  });

  test("acknowledgements of many at once are all kept", async () => {
    const others = [];
    for (const name of ["Cy", "Di", "Ed", "Fi"]) others.push(await fixture.invite(ada, name));
    await ada.commit(group, 1, { add: others.map(({ deviceId }) => deviceId) });
    await ada.append(group, 2);
    await Promise.all([ada, bo, ...others].map((who) => who.acknowledge(group, 3)));
    expect(await storedBytes()).toEqual([]);
  });
});

describe("recall", () => {
  const drop = (who: SignedIn, sequences: number[]) =>
    who.client.request("group.drop", { conversationId: group, sequences });

  test("a sender's own message is dropped at once, everybody hears it, and repeating is harmless", async () => {
    await ada.append(group, 1);
    await ada.append(group, 1);
    for (const sequence of [2, 3]) {
      expect((await bo.client.nextEvent("group.entry")).entry.sequence).toBe(sequence);
    }
    await drop(ada, [2]);
    expect(await bo.client.nextEvent("group.entry")).toEqual({
      conversationId: group,
      entry: { kind: "dropped", sequence: 2 },
    });
    await drop(ada, [2, 2]);
    expect(await kinds()).toEqual(["dropped", "application"]);
    expect(await storedBytes()).toHaveLength(2);
  });

  test("others' messages, commits and what isn't there are refused, and then none is dropped", async () => {
    await ada.append(group, 1);
    await bo.append(group, 1);
    expect(await codeOf(drop(ada, [2, 3]))).toBe("not-allowed");
    expect(await codeOf(drop(bo, [2]))).toBe("not-allowed");
    expect(await codeOf(drop(ada, [1]))).toBe("not-allowed");
    expect(await codeOf(drop(ada, [2, 4]))).toBe("not-found");
    expect(await codeOf(drop(ada, [0]))).toBe("not-found");
    expect(await kinds()).toEqual(["application", "application"]);
  });
});

describe("what the disk holds", () => {
  test("the bytes of a dropped message are overwritten once their pages are used again", async () => {
    const marker = testBytes(5000);
    await ada.append(group, 1, { bytes: marker });
    const sample = Buffer.from(marker.subarray(2000, 2064));
    const holds = (): boolean => readFileSync(`${fixture.directory}/data.mdb`).includes(sample);
    expect(holds()).toBe(true);
    await ada.client.request("group.drop", { conversationId: group, sequences: [2] });
    const others: GroupEntry[] = [];
    for (let index = 0; index < 30 && holds(); index += 1) {
      await ada.append(group, 1, { bytes: testBytes(5000) });
    }
    expect(holds()).toBe(false);
    expect(others).toEqual([]);
  });

  test("notes about answered messages are forgotten after thirty days", async () => {
    await ada.append(group, 1, { expiresAtMs: inMs(1000) });
    const notes = () =>
      fixture.storage.list({
        prefix: `group.${group}.message.` as StorageKey,
        after: null,
        limit: 10,
      });
    expect(await notes()).toHaveLength(1);
    fixture.clock.advance(30 * 24 * 3_600_000 + 1000);
    await eventually(async () => (await notes()).length === 0);
  });

  test("an expired invite is forgotten after thirty days", async () => {
    await ada.client.request("invite.create", { expiresAtMs: inMs(60_000), uses: 1 });
    const invites = () =>
      fixture.storage.list({ prefix: "invite" as StorageKey, after: null, limit: 10 });
    const before = (await invites()).length;
    fixture.clock.advance(60_000 + 30 * 24 * 3_600_000 + 1000);
    await eventually(async () => (await invites()).length < before - 1);
  });
});
