import { beforeEach, describe, expect, test } from "vitest";
import { AppError, type StorageView } from "#protocol";
import { StorageFacts } from "../../../../renderer/state/storage.svelte.ts";
import { settle, TestRuntime } from "./support.ts";

const view: StorageView = {
  messages: 3,
  bytes: 50_000,
  ends: [{ untilMs: null, messages: 3 }],
  health: {
    state: "healthy",
    damage: null,
    sequence: 9,
    generation: 1,
    snapshotBytes: 40_000,
    logBytes: 9000,
    logFrames: 5,
    keyringBytes: 1000,
    keyringRevision: 4,
    treeNodes: 12,
    lastDestructionMs: null,
    lastCompactionMs: null,
  },
  slots: ["keychain"],
  isCompacting: false,
};

let runtime: TestRuntime;
let storage: StorageFacts;
let tick: (() => void) | null;

beforeEach(async () => {
  runtime = new TestRuntime();
  runtime.answer("storage.get", () => view);
  tick = null;
  storage = new StorageFacts({
    runtime,
    now: () => 1000,
    every: (task) => {
      tick = task;
      return () => {
        tick = null;
      };
    },
  });
  await storage.load();
});

describe("what is kept here", () => {
  test("is known with the time at which it was counted", () => {
    expect(storage.view).toBe(view);
    expect(storage.loadedAtMs).toBe(1000);
  });

  test("is asked for again only while the files are written anew", async () => {
    const stop = storage.follow(() => undefined);
    tick?.();
    expect(runtime.paramsOf("storage.get")).toHaveLength(1);
    runtime.answer("storage.get", () => ({ ...view, isCompacting: true }));
    await storage.load();
    tick?.();
    await settle();
    expect(runtime.paramsOf("storage.get")).toHaveLength(3);
    stop();
    expect(tick).toBeNull();
  });
});

describe("compacting", () => {
  test("says what it came to", async () => {
    runtime.answer("storage.compact", () => {
      runtime.answer("storage.get", () => ({ ...view, bytes: 30_000 }));
      return null;
    });
    const done = storage.compact();
    expect(storage.compacting).toBe(true);
    await done;
    expect(storage.compacting).toBe(false);
    expect(storage.compacted).toEqual({ beforeBytes: 50_000, afterBytes: 30_000 });
  });

  test("that goes on behind the answer is told when it is over", async () => {
    runtime.answer("storage.compact", () => {
      runtime.answer("storage.get", () => ({ ...view, isCompacting: true }));
      return null;
    });
    await storage.compact();
    expect(storage.compacting).toBe(true);
    expect(storage.compacted).toBeNull();
    runtime.answer("storage.get", () => ({ ...view, bytes: 20_000 }));
    await storage.load();
    expect(storage.compacted?.afterBytes).toBe(20_000);
  });

  test("that fails leaves everything as it was", async () => {
    runtime.answer("storage.compact", () => {
      throw new AppError("disk-full");
    });
    await expect(storage.compact()).rejects.toThrow(AppError);
    await storage.load();
    expect(storage.compacting).toBe(false);
    expect(storage.compacted).toBeNull();
  });

  test("isn't asked for twice", async () => {
    await Promise.all([storage.compact(), storage.compact()]);
    expect(runtime.paramsOf("storage.compact")).toHaveLength(1);
  });
});
