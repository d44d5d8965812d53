import type * as ClientState from "ts-mls/clientState.js";
import type * as TlsEncoder from "ts-mls/codec/tlsEncoder.js";
import { allSecretTreeValues } from "ts-mls/secretTree.js";
import { describe, expect, test, vi } from "vitest";
import {
  idFromBytes,
  type KeyringChange,
  type NetworkId,
  type VaultId,
  type WorkerMessage,
  type WorkerMethodName,
  type WorkerResult,
} from "#protocol";
import { createIdentity } from "../../../../crypto/identity/identity.ts";
import type { GroupMemory } from "../../../../crypto/mls/memory.ts";
import { changedPieces } from "../../../../crypto/mls/pieces.ts";
import { suiteNames, supportedSuites } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  createKeyring,
  prepareKeyring,
  wipeKeyring,
  wipePrepared,
  wipePresent,
} from "../../../../crypto/vault/exchange.ts";
import { createVaultSession } from "../../../../crypto/vault/vault-session.ts";
import { WorkerContext } from "../../../../crypto/worker/context.ts";
import { createWorkerCore } from "../../../../crypto/worker/core.ts";
import { groupHandlers } from "../../../../crypto/worker/group-handlers.ts";
import { missingHandlers } from "../../../../crypto/worker/missing-handlers.ts";
import { createManualClock } from "../../../support/in-process-worker.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../../../support/mls-device.ts";
import { errorWith } from "../../../support/protocol.ts";
import { somePlace } from "../../../support/vault-keys.ts";

/** Rows of group state as they are encoded. */
const encoded = vi.hoisted(() => [] as Uint8Array[]);
vi.mock("ts-mls/clientState.js", async (original) => {
  const real = await original<typeof ClientState>();
  const encodeGroupStateWithoutTree: typeof real.encodeGroupStateWithoutTree = (state) => {
    const bytes = real.encodeGroupStateWithoutTree(state);
    encoded.push(bytes);
    return bytes;
  };
  return { ...real, encodeGroupStateWithoutTree };
});
vi.mock("ts-mls/codec/tlsEncoder.js", async (original) => {
  const real = await original<typeof TlsEncoder>();
  const encode: typeof real.encode = (encoder) => (value) => {
    const bytes = real.encode(encoder)(value);
    encoded.push(bytes);
    return bytes;
  };
  return { ...real, encode };
});

const primitives = await loadPrimitives();
const id = conversationId(1);
const passphraseCost = { passes: 1, memoryBytes: 8192 };

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Everything in a group's state that opens or derives something. */
function secretsOf({ keySchedule, secretTree, privatePath }: GroupMemory["state"]): Uint8Array[] {
  return [
    ...Object.values({ ...keySchedule }),
    ...allSecretTreeValues(secretTree),
    ...Object.values(privatePath.privateKeys),
  ].filter(({ length }) => length > 0);
}

/** What the commit under way leads to. */
function nextOf({ pending, state }: Pick<GroupMemory, "pending" | "state">): GroupMemory["state"] {
  return pending?.kind === "commit" ? pending.next : state;
}

async function groupOfThree() {
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora]);
  return { anna, ben, cora };
}

function createContext(): WorkerContext {
  const clock = createManualClock(0);
  return new WorkerContext({
    primitives,
    clock,
    emit: () => undefined,
    passphraseCost: () => passphraseCost,
  });
}

test("the leaf keys of every suite are zero once the vault is locked, or another identity is loaded", () => {
  const networkId = idFromBytes<NetworkId>(new Uint8Array(16).fill(1));
  for (const end of ["lock", "identity"] as const) {
    const context = createContext();
    context.setIdentity({ ...createIdentity(primitives), networkId });
    const keys = supportedSuites.map((suite) => context.deviceFor(suite).signaturePrivateKey);
    expect(new Set(keys).size).toBe(6);
    expect(context.deviceFor(suiteNames.p256).signaturePrivateKey).toBe(
      keys[supportedSuites.indexOf(suiteNames.p256)],
    );
    expect(keys.filter(isZero)).toEqual([]);
    if (end === "lock") context.lock();
    else context.setIdentity({ ...createIdentity(primitives), networkId });
    expect(keys.every(isZero)).toBe(true);
  }
});

describe("a group's secrets are zero", () => {
  test("with those of its commit under way, once it is unloaded or the vault is locked", async () => {
    for (const end of ["unload", "lock"] as const) {
      const { anna } = await groupOfThree();
      await anna.prepare(id);
      const memory = anna.memory(id);
      const context = createContext();
      context.groups.set(id, memory);
      if (end === "lock") context.lock();
      else await groupHandlers(context)["group.unload"]({ conversationId: id });
      expect(context.groups.size).toBe(0);
      expect(memory.pending).not.toBeNull();
      for (const state of [memory.state, nextOf(memory)]) {
        expect(secretsOf(state).filter((secret) => !isZero(secret))).toEqual([]);
      }
      // The device's, in every group.
      expect(isZero(anna.own.signaturePrivateKey)).toBe(false);
    }
  });

  test("in the rows of a commit under way, when all that is asked is which there are", async () => {
    const { anna } = await groupOfThree();
    await anna.prepare(id);
    const before = anna.memory(id);
    encoded.length = 0;
    const rows = changedPieces(before, { ...before, pending: null });
    expect(rows.map(({ name }) => name)).toContain("pending/epoch");
    expect(rows.every(({ plain }) => plain === null)).toBe(true);
    // Its epoch, its secrets and the nodes of its tree.
    expect(encoded.length).toBeGreaterThan(2);
    expect(encoded.every(isZero)).toBe(true);
  });

  test("in the rows that were to be sealed, when the vault is locked meanwhile", async () => {
    const { anna } = await groupOfThree();
    const context = createContext();
    context.groups.set(id, anna.memory(id));
    encoded.length = 0;
    const authenticatedData = new Uint8Array(0);
    const sealing = groupHandlers(context)["group.seal"]({
      conversationId: id,
      content: new Uint8Array(100),
      authenticatedData,
    });
    await expect(sealing).rejects.toThrow(errorWith("not-ready"));
    expect(encoded.length).toBeGreaterThan(1);
    expect(encoded.every(isZero)).toBe(true);
  });

  test("once this device was removed", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const { state } = cora.memory(id);
    const removeDevices = [cora.deviceId];
    await orderCommit(id, anna, { removeDevices }, { others: [ben, cora] });
    expect(secretsOf(state).filter((secret) => !isZero(secret))).toEqual([]);
  });

  test("after the epoch, except for what the next one shares, which goes on", async () => {
    const { anna, ben, cora } = await groupOfThree();
    const before = [anna, ben].map((device) => device.memory(id).state);
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    for (const [at, device] of [anna, ben].entries()) {
      const after = secretsOf(device.memory(id).state);
      expect(after.some((secret) => isZero(secret))).toBe(false);
      const over = secretsOf(before[at] ?? device.memory(id).state);
      expect(over.filter((secret) => !after.includes(secret) && !isZero(secret))).toEqual([]);
    }
    expect(await ben.read(id, await anna.seal(id, "on"))).toBe("on");
  });

  test("of a commit that lost, while the present epoch goes on with the winner", async () => {
    const { anna, ben, cora } = await groupOfThree();
    await ben.prepare(id);
    const { state, pending } = ben.memory(id);
    ben.settle(id, false);
    const kept = secretsOf(state);
    expect(kept.some((secret) => isZero(secret))).toBe(false);
    const lost = secretsOf(nextOf({ state, pending })).filter((secret) => !kept.includes(secret));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter((secret) => !isZero(secret))).toEqual([]);
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    await orderCommit(id, ben, {}, { others: [anna, cora] });
    expect(await cora.read(id, await ben.seal(id, "on"))).toBe("on");
  });
});

test("the private key of an answer key is zero once it was sealed, or has opened something", async () => {
  const context = createContext();
  const networkId = idFromBytes<NetworkId>(new Uint8Array(16).fill(1));
  const identity = { ...createIdentity(primitives), networkId };
  const making = { primitives, passphraseCost: () => passphraseCost, nowMs: 0 };
  const base = { kind: "keychain", ...somePlace } as const;
  const vaultId = idFromBytes<VaultId>(new Uint8Array(16).fill(7));
  context.unlock(createVaultSession(primitives, createKeyring(making, vaultId, [base])));
  context.setIdentity(identity);
  const sealing = vi.spyOn(context.vault, "sealSecret");
  const opening = vi.spyOn(context.vault, "openSecret");
  const handlers = missingHandlers(context);
  const { deviceId } = identity;
  const place = { conversationId: id, suite: suiteNames.default };
  const { publicKey, sealedPrivate } = await handlers["missing.makeKey"](place);
  const made = sealing.mock.calls[0]![1];
  expect([made.length > 0, isZero(made)]).toEqual([true, true]);
  const plain = new Uint8Array([1, 2, 3]);
  const to = { ...place, requester: deviceId, publicKey, plain };
  const { sealed } = await handlers["missing.sealAnswer"](to);
  expect(isZero(plain)).toBe(true);
  const from = { ...place, answerer: deviceId, sealedPrivate };
  const opened = await handlers["missing.openAnswer"]({ ...from, ...sealed! });
  expect(opened).toEqual({ plain: new Uint8Array([1, 2, 3]) });
  const key = opening.mock.results[0]!.value as Uint8Array;
  expect([key.length, isZero(key)]).toEqual([made.length, true]);
});

/** A worker whose port hands values over as they are, so that what becomes of them can be seen. */
async function startWorker() {
  const answers = new Map<number, (answer: WorkerMessage) => void>();
  const core = createWorkerCore({
    clock: createManualClock(0),
    passphraseCost,
    selfTest: () => Promise.resolve({ tests: 0, libsodium: "" }),
    post: (message) => {
      if (message.kind !== "event") answers.get(message.id)?.(message);
    },
  });
  let nextId = 1;
  const call = (method: WorkerMethodName, params: object): Promise<WorkerMessage> =>
    new Promise((resolve) => {
      const requestId = nextId++;
      // A copy is what a port would make of it.
      answers.set(requestId, (answer) => {
        resolve(structuredClone(answer));
        seen.push(answer);
      });
      core.handle({ id: requestId, method, params });
    });
  const seen: WorkerMessage[] = [];
  await call("start", {});
  return { call, seen };
}

describe("the worker's copies of vault keys are zero", () => {
  const passphrase = "a long enough passphrase";

  async function createdVault(call: Awaited<ReturnType<typeof startWorker>>["call"]) {
    const created = await call("vault.create", { keychain: somePlace, passphrase });
    if (created.kind !== "result") throw new Error(created.kind);
    const { record, keychainKeys } = created.result as WorkerResult<"vault.create">;
    if (keychainKeys === null) throw new Error("no keys");
    const entries = () => keychainKeys.map((key) => key.slice());
    return { record, entries };
  }

  test("after each request that brought some, also when it failed", async () => {
    const { call } = await startWorker();
    const { record, entries } = await createdVault(call);
    const damaged = { ...record, sealedKeyring: new Uint8Array(80) };
    for (const [method, rest, kind] of [
      ["vault.unlock", { record }, "result"],
      ["vault.unlock", { record: damaged }, "failure"],
      ["vault.compareKeychain", {}, "result"],
    ] as const) {
      const held = entries();
      const params =
        method === "vault.unlock"
          ? { ...rest, secret: { kind: "keychain", entries: held } }
          : { entries: held };
      expect(await call(method, params)).toMatchObject({ kind });
      expect([method, held.map(isZero)]).toEqual([method, [true, true]]);
    }
    const privateKey = new Uint8Array(32).fill(9);
    const secret = { kind: "organisation", privateKey };
    expect(await call("vault.unlock", { record, secret })).toMatchObject({ kind: "failure" });
    expect(isZero(privateKey)).toBe(true);
  });

  test("after each answer that takes some away", async () => {
    const { call, seen } = await startWorker();
    const zero = new Uint8Array(32);
    const { record, entries } = await createdVault(call);
    expect(seen.at(-1)).toMatchObject({ result: { keychainKeys: [zero, zero] } });
    await call("vault.unlock", { record, secret: { kind: "keychain", entries: entries() } });
    await call("vault.keychainKeys", {});
    expect(seen.at(-1)).toMatchObject({ result: { keychainKeys: [zero, zero] } });
    const prepared = await call("vault.prepareKeyring", { changes: [] });
    expect(seen.at(-1)).toMatchObject({ result: { keychainKey: zero } });
    if (prepared.kind !== "result") throw new Error(prepared.kind);
    const { keychainKey } = prepared.result as WorkerResult<"vault.prepareKeyring">;
    expect(keychainKey === null || isZero(keychainKey)).toBe(false);
    expect(await call("vault.settleKeyring", { written: true })).toMatchObject({ kind: "result" });
  });
});

describe("an exchange", () => {
  const making = { primitives, passphraseCost: () => passphraseCost, nowMs: 0 };
  const leaf = { hour: 5, leaf: 5 };

  function unlocked() {
    const base = { kind: "keychain", ...somePlace } as const;
    return createKeyring(making, idFromBytes<VaultId>(new Uint8Array(16).fill(7)), [base]);
  }

  const changes: readonly KeyringChange[] = [
    { kind: "destroy", leaves: [leaf], hoursBefore: 3 },
    { kind: "generation", current: 2 },
  ];

  test("that was written leaves zeros of the key, the seeds and the generation that went", () => {
    const present = unlocked();
    const prepared = prepareKeyring(making, present, changes);
    expect(prepared.gone.length).toBeGreaterThan(0);
    wipePresent(present, prepared);
    expect(prepared.gone.every(isZero)).toBe(true);
    expect(prepared.made.some(isZero)).toBe(false);
    const { generations } = present.keys;
    expect(() => generations.get(1)?.use(isZero)).toThrow(/not-ready/u);
    expect(generations.get(2)?.use(isZero)).toBe(false);
    expect(() => present.vaultKey.use(isZero)).toThrow(/not-ready/u);
    expect(prepared.next.vaultKey.use(isZero)).toBe(false);
    expect(prepared.next.keys.tree.covering(leaf)).toBeUndefined();
    wipeKeyring(prepared.next);
    expect(prepared.made.every(isZero)).toBe(true);
  });

  test("that wasn't leaves zeros of what it made, and the rest as it was", () => {
    const present = unlocked();
    const prepared = prepareKeyring(making, present, changes);
    wipePrepared(present, prepared);
    expect(prepared.made.every(isZero)).toBe(true);
    expect(prepared.gone.some(isZero)).toBe(false);
    expect(() => prepared.next.keys.generations.get(3)?.use(isZero)).toThrow(/not-ready/u);
    expect(() => prepared.next.nextVaultKey.use(isZero)).toThrow(/not-ready/u);
    expect(present.keys.generations.get(1)?.use(isZero)).toBe(false);
    expect(present.vaultKey.use(isZero)).toBe(false);
    expect(present.keys.tree.covering(leaf)).toBeDefined();
  });
});
