import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CryptoWorker, FrameKey, WorkerResult } from "#protocol";
import { FrameKeys } from "../../../../electron/vault/frame-keys.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";

const noTag = new Uint8Array();
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let worker: CryptoWorker;
/** What the worker has given, as the main process holds it. */
let given: FrameKey[];
/** Each answer to a request for keys goes through it. */
let pass: () => Promise<void>;
let keys: FrameKeys;

beforeEach(async () => {
  const real = createSealingWorker();
  [given, pass] = [[], () => Promise.resolve()];
  worker = {
    ...real,
    call: async (method, params) => {
      const result = await real.call(method, params);
      if (method !== "vault.frameKeys") return result;
      const { frameKeys } = result as WorkerResult<"vault.frameKeys">;
      given.push(...frameKeys);
      await pass();
      return result;
    },
  };
  const { record, keychainKeys } = await worker.call("vault.create", {
    keychain: { account: "a", backend: "b", application: "c", user: "d", path: "e" },
    passphrase: null,
  });
  await worker.call("vault.unlock", {
    record,
    secret: { kind: "keychain", entries: keychainKeys! },
  });
  keys = new FrameKeys(worker, 1);
});
afterEach(() => worker.dispose());

async function sealAll(count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const previousTag = frames.at(-1)?.slice(-16) ?? noTag;
    frames.push(await keys.seal({ sequence, previousTag }, text(`frame ${sequence}`)));
  }
  return frames;
}

const isWiped = ({ key }: FrameKey): boolean => key.every((byte) => byte === 0);

describe("keys of frames", () => {
  test("seal what the worker opens, in its place, however many", async () => {
    const frames = await sealAll(200);
    const opened = await worker.call("vault.openFrames", {
      ...{ generation: 1, firstSequence: 1, previousTag: noTag, frames },
    });
    expect(opened.damagedAt).toBeNull();
    expect(opened.plains).toEqual(frames.map((_, index) => text(`frame ${index + 1}`)));
    for (const wrong of [{ generation: 2 }, { firstSequence: 2 }, { previousTag: text("x") }]) {
      const place = { generation: 1, firstSequence: 1, previousTag: noTag, ...wrong };
      const { damagedAt } = await worker.call("vault.openFrames", { ...place, frames });
      expect(damagedAt).toBe(place.firstSequence);
    }
  });

  test("seal one frame each, and are overwritten then", async () => {
    const frames = await sealAll(200);
    expect(new Set(frames.map((frame) => String(frame.slice(0, 12)))).size).toBe(200);
    expect(given.filter(isWiped)).toHaveLength(200);
  });

  test("come ahead of need: a worker that is busy holds up nobody", async () => {
    await sealAll(1);
    let answer = (): void => undefined;
    pass = () => new Promise((resolve) => (answer = resolve));
    const frames = await sealAll(63);
    expect(frames).toHaveLength(63);
    const waiting = keys.seal({ sequence: 64, previousTag: noTag }, text("waits"));
    expect(await Promise.race([waiting, Promise.resolve("waits")])).toBe("waits");
    answer();
    expect(await waiting).toBeInstanceOf(Uint8Array);
  });

  test("that don't come are asked for again, and the reason is told", async () => {
    pass = () => Promise.reject(new Error("the worker stopped"));
    await expect(sealAll(1)).rejects.toThrow("the worker stopped");
    pass = () => Promise.resolve();
    expect(await sealAll(1)).toHaveLength(1);
  });

  test("are all overwritten when they are forgotten, those on their way too", async () => {
    await sealAll(10);
    let answer = (): void => undefined;
    pass = () => new Promise((resolve) => (answer = resolve));
    await sealAll(30);
    keys.wipe();
    answer();
    await expect(sealAll(1)).rejects.toMatchObject({ code: "not-ready" });
    expect(given.length).toBeGreaterThan(64);
    expect(given.every(isWiped)).toBe(true);
  });

  test("are refused when the worker has locked the vault", async () => {
    await worker.call("vault.lock", {});
    await expect(sealAll(1)).rejects.toMatchObject({ code: "not-ready" });
  });
});
