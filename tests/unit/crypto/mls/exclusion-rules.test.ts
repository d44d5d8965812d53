import { createCommit, makePskIndex, type Proposal } from "ts-mls";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { GroupMember, RoomState, UserId } from "#protocol";
import { lifetimeHeld, type JudgedAt } from "../../../../crypto/mls/client-config.ts";
import { decodeKeyPackage, encodePrivateMessage } from "../../../../crypto/mls/codec.ts";
import { groupInfoOf } from "../../../../crypto/mls/group-begin.ts";
import { openEntry, proposeLeave } from "../../../../crypto/mls/group-messages.ts";
import { leavesOf } from "../../../../crypto/mls/room.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../../../support/mls-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
const dayMs = 86_400_000;
afterEach(() => {
  vi.useRealTimers();
});

/** A directory in which people are excluded as the test goes. */
class Doors {
  readonly #excluded = new Map<string, number>();

  exclude(device: MlsDevice, sinceMs = 0): void {
    this.#excluded.set(device.deviceId, sinceMs);
  }

  readonly trust = {
    judge: () => "trusted" as const,
    mayBeAdded: ({ deviceId }: GroupMember, at: JudgedAt) => {
      const sinceMs = this.#excluded.get(deviceId);
      return sinceMs === undefined || (at !== "now" && at <= sinceMs);
    },
    mayBeRemoved: ({ deviceId }: GroupMember) => this.#excluded.has(deviceId),
  };
}

async function groupOfThree(room: Partial<RoomState> = {}) {
  const doors = new Doors();
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128, trust: doors.trust });
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora], room);
  return { doors, world, anna, ben, cora };
}

/** A commit of a member who asks no rules. */
async function commitWithoutRules(member: MlsDevice, proposals: Proposal[]): Promise<Uint8Array> {
  const { impl, state } = member.memory(id);
  const made = await createCommit(
    { state, cipherSuite: impl, pskIndex: makePskIndex(state, {}) },
    { ratchetTreeExtension: true, extraProposals: proposals },
  );
  if (made.commit.wireformat !== "mls_private_message") throw new Error("not private");
  return encodePrivateMessage(made.commit.privateMessage);
}

async function adding(device: MlsDevice, nowMs?: number): Promise<Proposal> {
  const keyPackage = decodeKeyPackage(await device.keyPackage(nowMs));
  return { proposalType: "add", add: { keyPackage } };
}

async function opened(member: MlsDevice, bytes: Uint8Array, at: JudgedAt): Promise<string> {
  const outcome = await openEntry(member.memory(id), id, bytes, at);
  return outcome.kind === "refused" ? outcome.code : outcome.kind;
}

describe("an excluded device", () => {
  test.each(["group", "room"] as const)("is taken out of a %s by any member", async (kind) => {
    const { doors, anna, ben, cora } = await groupOfThree({ kind });
    await expect(ben.prepare(id, { removeDevices: [cora.deviceId] })).rejects.toMatchObject({
      code: "not-allowed",
    });
    doors.exclude(cora);
    const wanted = { removeDevices: [cora.deviceId] };
    await orderCommit(id, ben, wanted, { others: [anna, cora] });
    expect(anna.summary(id).members.map(({ deviceId }) => deviceId)).not.toContain(cora.deviceId);
    expect(cora.has(id)).toBe(false);
    expect(anna.summary(id).epochAuthenticator).toBe(ben.summary(id).epochAuthenticator);
  });

  test("is taken out of a direct conversation, though nobody can be removed there", async () => {
    const doors = new Doors();
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128, trust: doors.trust });
    const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
    const administrators = [anna.userId, ben.userId];
    await groupOf(id, anna, [ben], { kind: "direct", name: "", administrators });
    const wanted = { removeDevices: [ben.deviceId] };
    await expect(anna.prepare(id, wanted)).rejects.toMatchObject({ code: "not-allowed" });
    doors.exclude(ben);
    await orderCommit(id, anna, wanted, { others: [ben] });
    expect(ben.has(id)).toBe(false);
  });

  test("leaves a room with its moderator gone to somebody else, as everybody computes it", async () => {
    const { doors, anna, ben, cora } = await groupOfThree({ kind: "room" });
    doors.exclude(anna);
    await orderCommit(id, ben, { removeDevices: [anna.deviceId] }, { others: [cora] });
    const [moderator] = ben.summary(id).roomState.administrators;
    expect([ben.userId, cora.userId] as UserId[]).toContain(moderator);
    expect(cora.summary(id).roomState).toEqual(ben.summary(id).roomState);
  });

  test("is added by nobody, and a commit that was ordered before its exclusion is followed still", async () => {
    const { doors, world, anna, ben } = await groupOfThree();
    const dora = new MlsDevice(world);
    const bytes = await commitWithoutRules(ben, [await adding(dora)]);
    doors.exclude(dora, world.nowMs);
    await expect(
      anna.prepare(id, { addKeyPackages: [await dora.keyPackage()] }),
    ).rejects.toMatchObject({ code: "commit-refused" });
    expect(await opened(anna, bytes, world.nowMs + 1)).toBe("commit-refused");
    expect(await opened(anna, bytes, world.nowMs)).toBe("commit");
  });

  test("commits nothing that others follow", async () => {
    const { doors, world, anna, ben } = await groupOfThree();
    const bytes = await commitWithoutRules(ben, []);
    doors.exclude(ben, world.nowMs);
    expect(await opened(anna, bytes, world.nowMs + 1)).toBe("commit-refused");
    await expect(ben.prepare(id)).rejects.toMatchObject({ code: "commit-refused" });
    expect(await opened(anna, bytes, world.nowMs)).toBe("commit");
  });
});

test("an excluded device takes nobody of its person's out by asking to leave", async () => {
  const { doors, world, anna, ben } = await groupOfThree();
  const { entries } = await proposeLeave(ben.memory(id));
  doors.exclude(ben, world.nowMs);
  for (const bytes of entries) {
    expect(await opened(anna, bytes, world.nowMs + 1)).toBe("commit-refused");
    expect(await opened(anna, bytes, world.nowMs)).toBe("leave-proposed");
  }
});

test("an excluded device vouches for no GroupInfo that others join anew from", async () => {
  const { doors, anna, ben, cora } = await groupOfThree();
  const infoOf = ({ impl, state }: ReturnType<MlsDevice["memory"]>) => groupInfoOf(impl, state);
  const bens = await infoOf(ben.memory(id));
  const coras = await infoOf(cora.memory(id));
  doors.exclude(cora);
  await expect(anna.rejoin(id, coras)).rejects.toMatchObject({ code: "members-unvouched" });
  const { signer } = await anna.rejoin(id, bens);
  expect(signer).toEqual({ userId: ben.userId, deviceId: ben.deviceId });
});

test("an excluded device doesn't come back from outside", async () => {
  const { doors, world, anna, ben } = await groupOfThree();
  const { impl, state } = anna.memory(id);
  const { bytes } = await ben.rejoin(id, await groupInfoOf(impl, state));
  doors.exclude(ben, world.nowMs);
  expect(await opened(anna, bytes, world.nowMs + 1)).toBe("commit-refused");
  expect(await opened(anna, bytes, world.nowMs)).toBe("commit");
});

describe("a key package's lifetime", () => {
  test("is held against when its commit was ordered, not against when it is read", async () => {
    const { world, anna, ben } = await groupOfThree();
    const dora = new MlsDevice(world);
    const bytes = await commitWithoutRules(ben, [await adding(dora)]);
    expect(await opened(anna, bytes, world.nowMs + 400 * dayMs)).toBe("commit-refused");
    expect(await opened(anna, bytes, world.nowMs - 3 * dayMs)).toBe("commit-refused");
    expect(await opened(anna, bytes, world.nowMs + 300 * dayMs)).toBe("commit");
  });

  test("is never longer than ours are", () => {
    const seconds = (ms: number): bigint => BigInt(Math.floor(ms / 1000));
    const lifetime = (days: number) => ({
      notBefore: seconds(0),
      notAfter: seconds(days * dayMs),
    });
    expect(lifetimeHeld(lifetime(367), dayMs)).toBe(true);
    expect(lifetimeHeld(lifetime(368), dayMs)).toBe(false);
    expect(lifetimeHeld({ notBefore: 0n, notAfter: 2n ** 64n - 1n }, dayMs)).toBe(false);
  });

  test("that has passed doesn't keep its leaf from being in a tree that is joined", async () => {
    const { world, anna, ben, cora } = await groupOfThree();
    const laterMs = world.nowMs + 500 * dayMs;
    // The library looks at the machine's clock when it makes a commit.
    vi.useFakeTimers({ toFake: ["Date"], now: laterMs });
    Object.defineProperty(world, "nowMs", { value: laterMs });
    const dora = new MlsDevice(world);
    const addKeyPackages = [await dora.keyPackage()];
    await orderCommit(id, anna, { addKeyPackages }, { others: [ben, cora], newcomers: [dora] });
    expect(leavesOf(dora.memory(id).state.ratchetTree).size).toBe(4);
  });
});
