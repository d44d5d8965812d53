import { beforeEach, describe, expect, test } from "vitest";
import { suiteNames, type ConversationKind, type RoomState, type WorkerParams } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import { conversationId, someTimers } from "../../../support/mls-device.ts";
import {
  createStoryNetwork,
  WorkerDevice,
  type StoryNetwork,
} from "../../../support/worker-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
const suite = suiteNames.default;

let network: StoryNetwork;
let anna: WorkerDevice;
let ben: WorkerDevice;
let cora: WorkerDevice;
let everybody: readonly WorkerDevice[];

beforeEach(async () => {
  anna = await WorkerDevice.create();
  ben = await WorkerDevice.create();
  cora = await WorkerDevice.create();
  everybody = [anna, ben, cora];
  network = await createStoryNetwork(primitives, anna.worker);
  for (const device of everybody) await device.enter(network);
  for (const device of everybody) await device.meet(network, everybody);
});

type Changes = Partial<Omit<WorkerParams<"group.prepareCommit">, "conversationId">>;

async function prepare(device: WorkerDevice, changes: Changes = {}) {
  const prepared = await device.worker.call("group.prepareCommit", {
    conversationId: id,
    addKeyPackages: [],
    removeDevices: [],
    roomState: null,
    ...changes,
  });
  return device.store(prepared);
}

async function settle(device: WorkerDevice, accepted: boolean) {
  const params = { conversationId: id, accepted };
  return device.store(await device.worker.call("group.settleCommit", params));
}

async function begin(
  founder: WorkerDevice,
  others: readonly WorkerDevice[],
  room: Partial<RoomState> = {},
): Promise<void> {
  const roomState: RoomState = {
    kind: "group",
    name: "Plans",
    administrators: [founder.userId],
    timers: someTimers,
    ...room,
  };
  const created = await founder.worker.call("group.create", {
    suite,
    conversationId: id,
    roomState,
  });
  founder.store(created);
  const addKeyPackages = await Promise.all(others.map((other) => other.keyPackage()));
  const prepared = await prepare(founder, { addKeyPackages });
  await settle(founder, true);
  for (const other of others) {
    expect(await other.join(id, ensure(prepared.welcome))).toMatchObject({ kind: "joined" });
  }
}

describe("a device whose vault was put back from before", () => {
  async function rejoin(device: WorkerDevice, groupInfo: Uint8Array) {
    const params = { conversationId: id, groupInfo };
    return device.store(await device.worker.call("group.prepareRejoin", params));
  }

  /** Rows of an epoch that is over, and what the relay keeps of the present one. */
  async function rolledBack() {
    await begin(anna, [ben, cora]);
    const old = new Map(ben.rows.get(id));
    const prepared = await prepare(anna);
    await settle(anna, true);
    for (const other of [ben, cora]) await other.open(id, prepared.bytes);
    ben.rows.set(id, old);
    await ben.restart(network, everybody);
    return prepared.groupInfo;
  }

  test("joins its groups anew before it seals, over a restart", async () => {
    const groupInfo = await rolledBack();
    const prepared = await rejoin(ben, groupInfo);
    expect(prepared.epoch).toBe(2);
    await ben.restart(network, everybody);
    expect(await ben.load(id)).toMatchObject({
      pendingCommitEpoch: 2,
      summary: { epoch: 3, conversationId: id },
    });
    await expect(ben.say(id, "too early")).rejects.toMatchObject({ code: "not-ready" });
    for (const other of [anna, cora]) {
      expect(await other.open(id, prepared.bytes)).toMatchObject({
        kind: "commit",
        change: { committer: { deviceId: ben.deviceId }, added: [], removed: [] },
        summary: { epoch: 3 },
      });
    }
    expect(await settle(ben, true)).toMatchObject({
      change: { committer: { deviceId: ben.deviceId } },
      summary: { epoch: 3 },
    });
    await ben.restart(network, everybody);
    expect(await anna.hear(id, await ben.say(id, "back"))).toBe("back");
    expect(await ben.hear(id, await cora.say(id, "welcome"))).toBe("welcome");
  });

  test("keeps nothing of a rejoin that lost its race, and makes another", async () => {
    await rejoin(ben, await rolledBack());
    const winner = await prepare(cora);
    await settle(cora, true);
    await anna.open(id, winner.bytes);
    expect(await settle(ben, false)).toMatchObject({ change: null });
    expect(ben.rows.get(id)?.size).toBe(0);
    await expect(ben.say(id, "nowhere")).rejects.toMatchObject({ code: "group-unknown" });
    const again = await rejoin(ben, winner.groupInfo);
    for (const other of [anna, cora]) await other.open(id, again.bytes);
    await settle(ben, true);
    expect(await anna.hear(id, await ben.say(id, "back"))).toBe("back");
  });

  test("needs to know everybody there, and a GroupInfo", async () => {
    const groupInfo = await rolledBack();
    const before = new Map(ben.rows.get(id));
    await ben.restart(network, [anna, ben]);
    await expect(rejoin(ben, groupInfo)).rejects.toMatchObject({
      code: "device-unknown",
      data: { deviceId: cora.deviceId },
    });
    for (const nonsense of [new Uint8Array(0), groupInfo.slice(0, -1), await anna.say(id, "no")]) {
      await expect(rejoin(ben, nonsense)).rejects.toMatchObject({ code: "commit-refused" });
    }
    expect(ben.rows.get(id)).toEqual(before);
    expect((await ben.load(id)).pendingCommitEpoch).toBeNull();
  });
});

describe("a group over its life", () => {
  test("is created, joined, spoken in, restarted and spoken in again", async () => {
    await begin(anna, [ben, cora]);
    expect(await ben.hear(id, await anna.say(id, "hello"))).toBe("hello");
    for (const device of everybody) await device.restart(network, everybody);
    expect(await anna.hear(id, await ben.say(id, "again"))).toBe("again");
    const summaries = await Promise.all(everybody.map((device) => device.load(id)));
    const [first] = summaries;
    for (const loaded of summaries) expect(loaded.summary).toEqual(first?.summary);
    expect(first?.pendingCommitEpoch).toBeNull();
    expect(first?.summary).toMatchObject({
      epoch: 1,
      suite: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
      roomState: { kind: "group", name: "Plans" },
    });
    expect(first?.summary.members).toHaveLength(3);
  });

  test("a commit under way outlives the worker", async () => {
    await begin(anna, [ben, cora]);
    const prepared = await prepare(anna, { removeDevices: [cora.deviceId] });
    await anna.restart(network, everybody);
    expect((await anna.load(id)).pendingCommitEpoch).toBe(1);
    const settled = await settle(anna, true);
    expect(settled.change).toMatchObject({ removed: [{ deviceId: cora.deviceId }] });
    expect(settled.summary).toMatchObject({ epoch: 2 });
    expect(await ben.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
    expect(await cora.open(id, prepared.bytes)).toMatchObject({ kind: "removed" });
    expect(cora.rows.get(id)?.size).toBe(0);
    expect(await ben.hear(id, await anna.say(id, "just us"))).toBe("just us");
  });

  test("a message writes one small row, whoever sends it", async () => {
    await begin(anna, [ben, cora]);
    const content = new Uint8Array(200);
    const authenticatedData = new Uint8Array(0);
    // The first one also stores that the secret tree was expanded on the way to the sender.
    for (const expected of [["secrets/3", "secrets/0"], ["secrets/0"]]) {
      const sealed = await anna.worker.call("group.seal", {
        conversationId: id,
        content,
        authenticatedData,
      });
      expect(sealed.writes.pieces.map(({ name }) => name)).toEqual(expected);
      const { bytes } = sealed;
      const opened = await ben.worker.call("group.open", { conversationId: id, bytes });
      if (opened.kind !== "application") throw new Error(opened.kind);
      expect(opened.writes.pieces.map(({ name }) => name)).toEqual(expected);
      for (const { sealed: row } of opened.writes.pieces) {
        expect(ensure(row).length).toBeLessThan(300);
      }
    }
  });

  test("what is stored of it opens for no other group, name or vault", async () => {
    await begin(anna, [ben]);
    const rows = ensure(anna.rows.get(id));
    const pieces = [...rows].map(([name, sealed]) => ({ name, sealed }));
    const other = conversationId(2);
    const damaged = { code: "vault-damaged" };
    await expect(
      anna.worker.call("group.load", { conversationId: other, pieces }),
    ).rejects.toMatchObject(damaged);
    const swapped = [
      { name: "epoch", sealed: ensure(rows.get("tree/1")) },
      { name: "tree/1", sealed: ensure(rows.get("epoch")) },
    ];
    await expect(
      anna.worker.call("group.load", { conversationId: id, pieces: swapped }),
    ).rejects.toMatchObject(damaged);
    await expect(
      ben.worker.call("group.load", { conversationId: id, pieces }),
    ).rejects.toMatchObject(damaged);
  });

  test("there is one of it: creating or joining it again is an error", async () => {
    await begin(anna, [ben]);
    const { summary } = await anna.load(id);
    await expect(
      anna.worker.call("group.create", { suite, conversationId: id, roomState: summary.roomState }),
    ).rejects.toMatchObject({ code: "conversation-exists" });
  });

  test("requests for one that isn't loaded say so", async () => {
    await begin(anna, [ben]);
    await anna.worker.call("group.unload", { conversationId: id });
    await expect(anna.say(id, "x")).rejects.toMatchObject({ code: "group-unknown" });
    await anna.load(id);
    expect(await ben.hear(id, await anna.say(id, "x"))).toBe("x");
  });
});

describe("devices that the directory doesn't vouch for", () => {
  test("keep a joiner out until their records are there; then the same Welcome works", async () => {
    const dora = await WorkerDevice.create();
    await dora.enter(network);
    await anna.meet(network, [dora]);
    const roomState: RoomState = {
      kind: "group",
      name: "Plans",
      administrators: [anna.userId],
      timers: someTimers,
    };
    anna.store(await anna.worker.call("group.create", { suite, conversationId: id, roomState }));
    const addKeyPackages = [await ben.keyPackage(), await dora.keyPackage()];
    const { welcome } = await prepare(anna, { addKeyPackages });
    await settle(anna, true);
    const asked = await dora.join(id, ensure(welcome));
    expect(asked).toMatchObject({ kind: "device-unknown" });
    if (asked.kind !== "device-unknown") throw new Error(asked.kind);
    expect(new Set(asked.devices)).toEqual(new Set([anna.deviceId, ben.deviceId]));
    await dora.meet(network, [anna, ben]);
    expect(await dora.join(id, ensure(welcome))).toMatchObject({ kind: "joined" });
    expect(await anna.hear(id, await dora.say(id, "in"))).toBe("in");
  });

  test("keep a commit waiting until their records are there; nothing is lost", async () => {
    await begin(anna, [ben]);
    const dora = await WorkerDevice.create();
    await dora.enter(network);
    await anna.meet(network, [dora]);
    const prepared = await prepare(anna, { addKeyPackages: [await dora.keyPackage()] });
    await settle(anna, true);
    expect(await ben.open(id, prepared.bytes)).toEqual({
      kind: "device-unknown",
      devices: [dora.deviceId],
    });
    await ben.meet(network, [dora]);
    expect(await ben.open(id, prepared.bytes)).toMatchObject({ kind: "commit" });
    expect(await ben.hear(id, await anna.say(id, "go on"))).toBe("go on");
  });

  test("aren't added by us", async () => {
    await begin(anna, [ben]);
    const dora = await WorkerDevice.create();
    await dora.enter(network);
    await expect(
      prepare(anna, { addKeyPackages: [await dora.keyPackage()] }),
    ).rejects.toMatchObject({ code: "device-unknown", data: { deviceId: dora.deviceId } });
    expect(await ben.hear(id, await anna.say(id, "unharmed"))).toBe("unharmed");
  });

  test("aren't added under somebody else's name", async () => {
    await begin(anna, [ben]);
    const impostor = await WorkerDevice.create();
    impostor.userId = cora.userId;
    impostor.deviceId = cora.deviceId;
    const real = await cora.keyPackage();
    const forged = real.slice();
    forged[forged.length - 10] = (forged.at(-10) ?? 0) ^ 1;
    await expect(prepare(anna, { addKeyPackages: [forged] })).rejects.toMatchObject({
      code: "signature-invalid",
    });
  });
});

describe("bad input", () => {
  test("key packages that are cut, padded, for another suite or expired are refused", async () => {
    await begin(anna, [ben]);
    const good = await cora.keyPackage();
    const malformed = { code: "frame-malformed" };
    for (const bad of [good.slice(0, -1), new Uint8Array([...good, 0]), new Uint8Array(0)]) {
      await expect(prepare(anna, { addKeyPackages: [bad] })).rejects.toMatchObject(malformed);
    }
    anna.clock.set(anna.clock.nowMs() + 400 * 86_400_000);
    await expect(prepare(anna, { addKeyPackages: [good] })).rejects.toMatchObject({
      code: "key-packages-exhausted",
    });
  });

  test("a Welcome for another conversation, or altered, is refused and may be tried again", async () => {
    const roomState: RoomState = {
      kind: "group",
      name: "Plans",
      administrators: [anna.userId],
      timers: someTimers,
    };
    anna.store(await anna.worker.call("group.create", { suite, conversationId: id, roomState }));
    const prepared = await prepare(anna, { addKeyPackages: [await ben.keyPackage()] });
    await settle(anna, true);
    const welcome = ensure(prepared.welcome);
    expect(await ben.join(conversationId(9), welcome)).toEqual({
      kind: "refused",
      code: "commit-refused",
    });
    const altered = welcome.slice();
    altered[altered.length - 5] = (altered.at(-5) ?? 0) ^ 1;
    expect(await ben.join(id, altered)).toMatchObject({ kind: "refused" });
    expect(await ben.join(id, welcome)).toMatchObject({ kind: "joined" });
  });

  test("noise of any length is refused", async () => {
    await begin(anna, [ben]);
    for (const size of [0, 1, 4, 100, 5000]) {
      const bytes = primitives.random(size);
      expect(await ben.open(id, bytes)).toEqual({ kind: "refused", code: "frame-malformed" });
    }
    const huge = new Uint8Array(8 * 1024 * 1024 + 1);
    expect(await ben.open(id, huge)).toEqual({ kind: "refused", code: "frame-too-large" });
  });
});

describe("roles", () => {
  async function tries(device: WorkerDevice, changes: Changes): Promise<string> {
    try {
      await prepare(device, changes);
      await settle(device, false);
      return "may";
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  }

  test.each<[ConversationKind, Record<string, [administrator: string, member: string]>]>([
    [
      "group",
      {
        add: ["may", "may"],
        rename: ["may", "may"],
        timers: ["may", "not-allowed"],
        roles: ["may", "not-allowed"],
        remove: ["may", "not-allowed"],
      },
    ],
    [
      "room",
      {
        add: ["may", "not-allowed"],
        rename: ["may", "not-allowed"],
        timers: ["may", "not-allowed"],
        roles: ["may", "not-allowed"],
        remove: ["may", "not-allowed"],
      },
    ],
  ])("in a %s, administrators and members may do what the table says", async (kind, table) => {
    const dora = await WorkerDevice.create();
    await dora.enter(network);
    for (const device of [anna, ben]) await device.meet(network, [dora]);
    await begin(anna, [ben, cora], { kind });
    const { roomState } = (await anna.load(id)).summary;
    const changes = async (): Promise<Record<string, Changes>> => ({
      add: { addKeyPackages: [await dora.keyPackage()] },
      rename: { roomState: { ...roomState, name: "Other" } },
      timers: { roomState: { ...roomState, timers: { ...someTimers, burnSeconds: 60 } } },
      roles: { roomState: { ...roomState, administrators: [anna.userId, ben.userId] } },
      remove: { removeDevices: [cora.deviceId] },
    });
    for (const [action, [administrator, member]] of Object.entries(table)) {
      expect([action, await tries(anna, ensure((await changes())[action]))]).toEqual([
        action,
        administrator,
      ]);
      expect([action, await tries(ben, ensure((await changes())[action]))]).toEqual([
        action,
        member,
      ]);
    }
  });

  test("in a direct conversation both set timers, and nobody comes, goes or renames", async () => {
    await begin(anna, [ben], {
      kind: "direct",
      name: "",
      administrators: [anna.userId, ben.userId],
    });
    const { roomState } = (await anna.load(id)).summary;
    for (const device of [anna, ben]) {
      const timers = { expirationSeconds: 600, burnSeconds: null };
      expect(await tries(device, { roomState: { ...roomState, timers } })).toBe("may");
      expect(await tries(device, { roomState: { ...roomState, name: "Us" } })).toBe("not-allowed");
      expect(await tries(device, { addKeyPackages: [await cora.keyPackage()] })).toBe(
        "not-allowed",
      );
    }
    expect(await tries(anna, { removeDevices: [ben.deviceId] })).toBe("not-allowed");
  });

  test("the kind of a conversation never changes, and strangers don't administer", async () => {
    await begin(anna, [ben]);
    const { roomState } = (await anna.load(id)).summary;
    const refused = "commit-refused";
    expect(await tries(anna, { roomState: { ...roomState, kind: "room" } })).toBe(refused);
    const administrators = [anna.userId, cora.userId];
    expect(await tries(anna, { roomState: { ...roomState, administrators } })).toBe(refused);
  });

  test("a member is made administrator, then acts as one", async () => {
    await begin(anna, [ben, cora]);
    const { roomState } = (await anna.load(id)).summary;
    const administrators = [anna.userId, ben.userId];
    const promoted = await prepare(anna, { roomState: { ...roomState, administrators } });
    await settle(anna, true);
    for (const device of [ben, cora]) await device.open(id, promoted.bytes);
    const removal = await prepare(ben, { removeDevices: [cora.deviceId] });
    await settle(ben, true);
    expect(await anna.open(id, removal.bytes)).toMatchObject({
      kind: "commit",
      change: { committer: { userId: ben.userId }, removed: [{ userId: cora.userId }] },
    });
    expect(await cora.open(id, removal.bytes)).toMatchObject({ kind: "removed" });
  });

  test("a device can't remove itself in its own commit, nor one that isn't there", async () => {
    await begin(anna, [ben]);
    expect(await tries(ben, { removeDevices: [ben.deviceId] })).toBe("commit-refused");
    expect(await tries(anna, { removeDevices: [cora.deviceId] })).toBe("not-found");
  });
});

describe("leaving", () => {
  test("is asked for by the one who goes and carried out by any member", async () => {
    await begin(anna, [ben, cora], { kind: "room" });
    const left = await cora.worker.call("group.proposeLeave", { conversationId: id });
    cora.store(left);
    expect(left).toMatchObject({ epoch: 1 });
    for (const entry of left.entries) {
      for (const device of [anna, ben]) {
        expect(await device.open(id, entry)).toMatchObject({
          kind: "leave-proposed",
          member: { userId: cora.userId, deviceId: cora.deviceId },
        });
      }
    }
    await expect(anna.say(id, "x")).rejects.toMatchObject({ code: "epoch-unknown" });
    for (const device of everybody) await device.restart(network, everybody);

    // Ben is no administrator: carrying out somebody's own wish takes no role.
    const commit = await prepare(ben);
    expect(commit.removed).toEqual([{ userId: cora.userId, deviceId: cora.deviceId }]);
    await settle(ben, true);
    expect(await anna.open(id, commit.bytes)).toMatchObject({
      kind: "commit",
      change: { removed: [{ userId: cora.userId }] },
    });
    expect(await cora.open(id, commit.bytes)).toMatchObject({ kind: "removed" });
    expect(await ben.hear(id, await anna.say(id, "we two"))).toBe("we two");
  });

  test("works for the founder at the first leaf, and in a direct conversation", async () => {
    await begin(anna, [ben], {
      kind: "direct",
      name: "",
      administrators: [anna.userId, ben.userId],
    });
    const { entries, writes } = await anna.worker.call("group.proposeLeave", {
      conversationId: id,
    });
    anna.store({ writes });
    for (const entry of entries) await ben.open(id, entry);
    await ben.restart(network, everybody);
    const commit = await prepare(ben);
    await settle(ben, true);
    expect(await anna.open(id, commit.bytes)).toMatchObject({ kind: "removed" });
    expect((await ben.load(id)).summary.members).toHaveLength(1);
  });

  test("asked for twice, or while being removed, still takes one commit", async () => {
    await begin(anna, [ben, cora]);
    const ask = () => cora.worker.call("group.proposeLeave", { conversationId: id });
    const { entries } = await ask();
    expect((await ask()).entries).toEqual([]);
    for (const entry of entries) {
      for (const device of [anna, ben]) await device.open(id, entry);
    }
    const commit = await prepare(anna, { removeDevices: [cora.deviceId] });
    expect(commit.removed).toHaveLength(1);
    await settle(anna, true);
    expect(await ben.open(id, commit.bytes)).toMatchObject({ kind: "commit" });
    expect(await ben.hear(id, await anna.say(id, "done"))).toBe("done");
  });

  test("is void when a commit won that didn't know of it, and can be asked for again", async () => {
    await begin(anna, [ben, cora]);
    const blind = await prepare(anna);
    const { entries, writes } = await cora.worker.call("group.proposeLeave", {
      conversationId: id,
    });
    cora.store({ writes });
    await settle(anna, true);
    for (const entry of entries) {
      expect(await ben.open(id, entry)).toMatchObject({ kind: "leave-proposed" });
    }
    for (const device of [ben, cora]) {
      expect(await device.open(id, blind.bytes)).toMatchObject({ kind: "commit" });
    }
    expect(await anna.hear(id, await cora.say(id, "still here"))).toBe("still here");
    const again = await cora.worker.call("group.proposeLeave", { conversationId: id });
    expect(again.epoch).toBe(2);
  });
});

describe("key packages", () => {
  test("are all different, and the last resort says that it is", async () => {
    const { keyPackages } = await anna.worker.call("keyPackages.generate", {
      suite,
      count: 20,
      lastResort: false,
    });
    expect(new Set(keyPackages.map(({ ref }) => ref)).size).toBe(20);
    const [last] = (
      await anna.worker.call("keyPackages.generate", { suite, count: 1, lastResort: true })
    ).keyPackages;
    // KeyPackage.extensions: type 0x000a, no data; then the signature's 64 bytes with their two of length.
    const end = ensure(last).bytes.slice(-(66 + 3), -66);
    expect([...end]).toEqual([0x00, 0x0a, 0x00]);
  });

  test("private parts open for their own reference only", async () => {
    await begin(anna, [cora]);
    const [one, two] = (
      await ben.worker.call("keyPackages.generate", { suite, count: 2, lastResort: false })
    ).keyPackages;
    const prepared = await prepare(anna, { addKeyPackages: [ensure(one).bytes] });
    await settle(anna, true);
    const params = { conversationId: id, welcome: ensure(prepared.welcome), ref: ensure(one).ref };
    await expect(
      ben.worker.call("group.join", { ...params, sealedPrivate: ensure(two).sealedPrivate }),
    ).rejects.toMatchObject({ code: "vault-damaged" });
    const joined = await ben.worker.call("group.join", {
      ...params,
      sealedPrivate: ensure(one).sealedPrivate,
    });
    expect(joined.kind).toBe("joined");
  });
});
