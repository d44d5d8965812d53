import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  rejectionLabel,
  rejectionPayload,
  type ConversationId,
  type GroupEntry,
  type MessageId,
  idFromBytes,
} from "#protocol";
import { codeOf, eventually, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
let ada: SignedIn;
let bo: SignedIn;
let cy: SignedIn;
let di: SignedIn;
let group: ConversationId;

/** Longer than the relay waits for others when several people, or only one, reject a commit. */
const graceMs = 6_000;
const loneGraceMs = 21_000;

beforeEach(async () => {
  ({ fixture, admin: ada } = await RelayFixture.claimed());
  bo = await fixture.invite(ada, "Bo");
  cy = await fixture.invite(ada, "Cy");
  di = await fixture.invite(ada, "Di");
  group = await ada.createGroup();
  const added = await ada.commit(group, 0, { add: [bo.deviceId, cy.deviceId], groupInfo: info1 });
  expect(added).toMatchObject({ kind: "accepted", sequence: 1 });
});
afterEach(() => fixture.dispose());

const info1 = testBytes(90);
const hashOf = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** Ada's commit of epoch 1, which others will reject. */
const bad = testBytes(120);
const commitBad = async (change: Parameters<SignedIn["commit"]>[2] = {}) => {
  expect(await ada.commit(group, 1, { bytes: bad, ...change })).toMatchObject({ sequence: 2 });
};
const reject = async (
  who: SignedIn,
  place: { readonly epoch?: number; readonly sequence?: number; readonly bytes?: Uint8Array } = {},
  signer: SignedIn = who,
) => {
  const { epoch = 1, sequence = 2, bytes = bad } = place;
  const commit = { conversationId: group, epoch, sequence, commitHash: hashOf(bytes) };
  const signature = signer.device.signature.signMessage(rejectionLabel, rejectionPayload(commit));
  const { kind } = await who.client.request("group.reject", { ...commit, signature });
  return kind;
};
const reopenedIn = (entries: readonly GroupEntry[]) =>
  entries.find((entry) => entry.kind === "reopened");
const headOf = async (who: SignedIn) => {
  const { epoch, headSequence } = await who.read(group, 500);
  return { epoch, headSequence };
};

describe("a commit that nobody can take", () => {
  test("is void at once when all others say so: roster, GroupInfo and epoch are those from before it", async () => {
    await commitBad({ add: [di.deviceId], remove: [cy.deviceId] });
    // Who was removed by it has no say, and who was added neither.
    expect(await codeOf(reject(cy))).toBe("not-allowed");
    expect(await reject(di)).toBe("stands");
    expect(await reject(bo)).toBe("reopened");
    expect(await headOf(bo)).toEqual({ epoch: 1, headSequence: 3 });
    const { groupInfo } = await cy.client.request("group.info", { conversationId: group });
    expect(groupInfo).toEqual(info1);
    expect((await di.client.request("inbox.read", { afterSequence: 0 })).entries).toEqual([]);
    const { entries } = await bo.read(group, 1);
    expect(entries).toEqual([
      { kind: "dropped", sequence: 2 },
      {
        kind: "reopened",
        sequence: 3,
        epoch: 1,
        voids: 2,
        commitHash: hashOf(bad),
        sender: ada.deviceId,
        receivedAtMs: expect.any(Number) as number,
        rejections: [{ deviceId: bo.deviceId, signature: expect.any(Uint8Array) as Uint8Array }],
      },
    ]);
    // Those who heard of the commit hear that it is void, and who was removed listens again.
    for (const who of [ada, bo, cy, di]) {
      await eventually(() =>
        who.client.events.some(
          ({ name, body }) =>
            name === "group.entry" &&
            (body as { readonly entry: GroupEntry }).entry.kind === "reopened",
        ),
      );
    }
    expect(await cy.commit(group, 1)).toMatchObject({ kind: "accepted", sequence: 4 });
    expect(await codeOf(di.append(group, 2))).toBe("not-allowed");
  });

  test("is void after a few seconds when two people say so, after more when it is one, also over a restart", async () => {
    await commitBad();
    expect(await reject(bo)).toBe("noted");
    expect(await reject(bo)).toBe("noted");
    fixture.clock.advance(graceMs);
    expect(await reject(bo)).toBe("noted");
    expect(await headOf(bo)).toEqual({ epoch: 2, headSequence: 2 });
    await fixture.stopRelay();
    await fixture.startRelay();
    fixture.clock.advance(loneGraceMs - graceMs);
    await bo.reconnect();
    await eventually(async () => (await headOf(bo)).epoch === 1);
    expect(await reject(bo)).toBe("reopened");
    expect(reopenedIn((await bo.read(group, 1)).entries)).toMatchObject({ voids: 2 });
  });

  test("whoever came by Welcome sees the log up to there, and can be added again", async () => {
    await commitBad({ add: [di.deviceId] });
    await eventually(() => di.client.events.some(({ name }) => name === "inbox.entry"));
    expect(await reject(bo)).toBe("noted");
    expect(await reject(cy)).toBe("reopened");
    expect((await di.read(group, 2)).entries).toMatchObject([{ kind: "reopened", sequence: 3 }]);
    expect(await codeOf(di.append(group, 1))).toBe("not-allowed");
    await di.acknowledge(group, 3);
    expect(await codeOf(di.read(group, 2))).toBe("not-allowed");
    const welcome = testBytes(50);
    await bo.commit(group, 1, { add: [di.deviceId], welcome });
    const inbox = await di.client.request("inbox.read", { afterSequence: 0 });
    expect(inbox.entries).toMatchObject([{ groupSequence: 4, bytes: welcome }]);
    expect(await di.append(group, 2)).toMatchObject({ kind: "accepted" });
  });

  test("takes what stood on it along, and its committer can say that again", async () => {
    await commitBad();
    const messageId = idFromBytes<MessageId>(testBytes(32));
    await ada.append(group, 2, { messageId });
    await ada.commit(group, 2, { add: [di.deviceId] });
    await ada.append(group, 3);
    await reject(bo);
    expect(await reject(cy)).toBe("reopened");
    expect(await headOf(ada)).toEqual({ epoch: 1, headSequence: 6 });
    const { entries } = await bo.read(group, 1);
    expect(entries.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 4 }, () => "dropped"),
      "reopened",
    ]);
    const again = await ada.append(group, 1, { messageId });
    expect(again).toMatchObject({ kind: "accepted", sequence: 7 });
    expect(await ada.append(group, 1, { messageId })).toEqual(again);
    // The void commit itself is refused for ever, another one of the same epoch isn't.
    expect(await codeOf(ada.commit(group, 1, { bytes: bad }))).toBe("argument-invalid");
    expect(await ada.commit(group, 1)).toMatchObject({ kind: "accepted", sequence: 8 });
  });
});

describe("a good commit", () => {
  test("stands as soon as somebody else has taken it, whatever a hostile member says", async () => {
    await commitBad();
    expect(await reject(bo)).toBe("noted");
    await cy.acknowledge(group, 2);
    expect(await reject(bo)).toBe("stands");
    fixture.clock.advance(loneGraceMs);
    await bo.append(group, 2);
    expect(await headOf(bo)).toEqual({ epoch: 2, headSequence: 3 });
  });

  test("stands when somebody else commits after it", async () => {
    await commitBad();
    expect(await reject(bo)).toBe("noted");
    await cy.commit(group, 2);
    expect(await reject(bo)).toBe("stands");
    // That one can be rejected in turn.
    expect(await reject(bo, { epoch: 2, sequence: 3, bytes: testBytes(3) })).toBe("stands");
  });

  test("isn't void by word of its committer, of a forger, or of somebody who names another", async () => {
    await commitBad();
    expect(await reject(ada)).toBe("stands");
    expect(await reject(bo, { bytes: testBytes(9) })).toBe("stands");
    expect(await reject(bo, { epoch: 0 })).toBe("stands");
    expect(await reject(bo, { sequence: 1 })).toBe("stands");
    expect(await reject(bo, { sequence: 77 })).toBe("stands");
    expect(await codeOf(reject(bo, {}, cy))).toBe("signature-invalid");
    expect(await codeOf(reject(di))).toBe("not-allowed");
    fixture.clock.advance(loneGraceMs);
    expect(await headOf(bo)).toEqual({ epoch: 2, headSequence: 2 });
  });

  test("that follows one which others took is judged by itself", async () => {
    const good = testBytes(80);
    await ada.commit(group, 1, { bytes: good });
    expect(await ada.commit(group, 2, { bytes: bad })).toMatchObject({ sequence: 3 });
    await bo.acknowledge(group, 2);
    expect(await reject(cy, { bytes: good })).toBe("stands");
    await reject(bo, { epoch: 2, sequence: 3 });
    expect(await reject(cy, { epoch: 2, sequence: 3 })).toBe("reopened");
    expect(await headOf(bo)).toEqual({ epoch: 2, headSequence: 4 });
  });
});

test("who makes void commits again and again must wait, longer each time", async () => {
  const codes: string[] = [];
  for (let sequence = 2, attempt = 0; attempt < 2; attempt += 1, sequence += 2) {
    const bytes = testBytes(100);
    await ada.commit(group, 1, { bytes });
    await reject(bo, { sequence, bytes });
    codes.push(await reject(cy, { sequence, bytes }));
  }
  expect(codes).toEqual(["reopened", "reopened"]);
  expect(await codeOf(ada.commit(group, 1))).toBe("rate-limited");
  // Nobody else is held up by it.
  expect(await bo.commit(group, 1)).toMatchObject({ kind: "accepted" });
  fixture.clock.advance(31_000);
  expect(await ada.commit(group, 2)).toMatchObject({ kind: "accepted" });
});

test("a person alone with devices of their own is never held up", async () => {
  const alone = await ada.createGroup();
  for (let epoch = 0; epoch < 70; epoch += 1) await ada.commit(alone, epoch);
  expect(await ada.append(alone, 70)).toMatchObject({ kind: "accepted" });
});
