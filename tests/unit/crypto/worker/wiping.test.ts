import { describe, expect, test } from "vitest";
import { idFromBytes, type VaultId, type WorkerMessage, type WorkerMethodName } from "#protocol";
import type { GroupMemory } from "../../../../crypto/mls/memory.ts";
import { suiteNames } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { WorkerContext } from "../../../../crypto/worker/context.ts";
import { createWorkerCore } from "../../../../crypto/worker/core.ts";
import { groupHandlers } from "../../../../crypto/worker/group-handlers.ts";
import { createManualClock } from "../../../support/in-process-worker.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../../../support/mls-device.ts";

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
    ...secretTree.flatMap(({ application, handshake }) => [application.secret, handshake.secret]),
    ...Object.values(privatePath.privateKeys),
  ].filter(({ length }) => length > 0);
}

async function groupOfThree() {
  const world = createMlsWorld(primitives, { suite: suiteNames.aes128 });
  const [anna, ben, cora] = [new MlsDevice(world), new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben, cora]);
  return { anna, ben, cora };
}

function createContext(): WorkerContext {
  const clock = createManualClock(0);
  return new WorkerContext({ primitives, clock, emit: () => undefined, passphraseCost });
}

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
      for (const state of [memory.state, memory.pending?.next ?? memory.state]) {
        expect(secretsOf(state).filter((secret) => !isZero(secret))).toEqual([]);
      }
      // The device's, in every group.
      expect(isZero(anna.own.signaturePrivateKey)).toBe(false);
    }
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
    const lost = secretsOf(pending?.next ?? state).filter((secret) => !kept.includes(secret));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter((secret) => !isZero(secret))).toEqual([]);
    await orderCommit(id, anna, {}, { others: [ben, cora] });
    await orderCommit(id, ben, {}, { others: [anna, cora] });
    expect(await cora.read(id, await ben.seal(id, "on"))).toBe("on");
  });
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

describe("the worker's copies of a vault key are zero", () => {
  const vaultId = idFromBytes<VaultId>(new Uint8Array(16).fill(7));
  const passphrase = "a long enough passphrase";
  const vaultKey = () => new Uint8Array(32).fill(9);

  test("after each request that brought one, also when it failed", async () => {
    const { call } = await startWorker();
    const created = await call("vault.createKeyring", { vaultId, vaultKey: vaultKey() });
    const { sealedKeyring } = (created as never as { result: { sealedKeyring: Uint8Array } })
      .result;
    const requests: readonly (readonly [WorkerMethodName, object, "result" | "failure"])[] = [
      ["vault.createKeyring", {}, "result"],
      ["vault.keyCheck", {}, "result"],
      ["vault.unlock", { sealedKeyring }, "result"],
      ["vault.unlock", { sealedKeyring: new Uint8Array(80) }, "failure"],
      ["slot.createPassphrase", { passphrase }, "result"],
      ["slot.createPassphrase", { passphrase: "weak" }, "failure"],
    ];
    for (const [method, rest, kind] of requests) {
      const key = vaultKey();
      expect(await call(method, { vaultId, vaultKey: key, ...rest })).toMatchObject({ kind });
      expect([method, isZero(key)]).toEqual([method, true]);
    }
  });

  test("after each answer that takes one away", async () => {
    const { call, seen } = await startWorker();
    const { slot } = (
      (await call("slot.createPassphrase", {
        vaultId,
        vaultKey: vaultKey(),
        passphrase,
      })) as never as { result: { slot: object } }
    ).result;
    for (const [method, params] of [
      ["vault.generateKey", {}],
      ["slot.openPassphrase", { vaultId, slot, passphrase }],
    ] as const) {
      const answer = (await call(method, params)) as never as { result: { vaultKey: Uint8Array } };
      expect(isZero(answer.result.vaultKey)).toBe(false);
      expect(seen.at(-1)).toMatchObject({ result: { vaultKey: new Uint8Array(32) } });
    }
  });
});
