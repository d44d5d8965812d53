import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Vault } from "../../../../electron/vault/index.ts";
import { failEverywhere, faultKinds } from "../../../crash/faults.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import {
  createFaultyFiles,
  type FaultyFiles,
  type FileCall,
  type FileFault,
} from "../../../support/faulty-files.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import {
  createVaultFixture,
  itemsOf,
  put,
  type VaultFixture,
} from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
let files: FaultyFiles;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(() => worker.dispose());
beforeEach(() => {
  fixture = createVaultFixture(worker);
  files = createFaultyFiles();
});
afterEach(() => {
  fixture.remove();
});

/** Fails the calls that match, until told otherwise. */
function failWhen(match: Partial<FileCall>, fault: FileFault): void {
  files.decide = (call) =>
    Object.entries(match).every(([key, value]) => call[key as keyof FileCall] === value)
      ? fault
      : null;
}

async function reopened<Result>(look: (vault: Vault) => Result): Promise<Result> {
  const vault = await fixture.open();
  try {
    expect(vault.readOnly).toBeNull();
    return look(vault);
  } finally {
    await vault.close();
  }
}

describe("a commit that can't be written", () => {
  test.each([
    ["a full disk", "write", { code: "ENOSPC", effect: "none" }, "disk-full"],
    ["a disk that fills up in mid-write", "write", { code: "ENOSPC", effect: "half" }, "disk-full"],
    ["a used-up quota", "write", { code: "EDQUOT" }, "disk-full"],
    ["a disk error", "write", { code: "EIO", effect: "half" }, "vault-write-failed"],
    ["a full disk at sync", "sync", { code: "ENOSPC" }, "disk-full"],
    ["a disk error at sync", "sync", { code: "EIO", effect: "none" }, "vault-write-failed"],
  ] as const)(
    "for %s is refused, shows nothing, and ends writing until the vault is opened again",
    async (_title, operation, fault, code) => {
      const vault = await fixture.create({ files });
      const heard: string[] = [];
      vault.onReadOnly((reason) => void heard.push(reason));
      await vault.transact([put("a", 1)]);
      failWhen({ operation, name: "log.1" }, fault);
      const together = [vault.transact([put("a", 2)]), vault.transact([put("b", 2)])];
      for (const outcome of await Promise.allSettled(together)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { code } });
      }
      expect(vault.readOnly).toBe(code);
      expect(heard).toEqual([code]);
      expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
      expect(vault.sequence).toBe(1);

      // Should the process be killed now, the next start finds it as it was reported.
      const copy = await fixture.open({ directory: fixture.copy("killed") });
      expect(itemsOf(copy)).toEqual(new Map([["a", 1]]));
      await copy.close();

      // Never retried, even when the disk would take it again.
      files.decide = () => null;
      await expect(vault.transact([put("c", 3)])).rejects.toMatchObject({
        code: "vault-read-only",
        data: { reason: code },
      });
      await expect(vault.compact()).rejects.toMatchObject({ code: "vault-read-only" });
      await vault.close();
      expect(heard).toEqual([code]);
      await reopened((again) => {
        expect(itemsOf(again)).toEqual(new Map([["a", 1]]));
        expect(again.sequence).toBe(1);
      });
    },
  );

  test("and can't be taken back either is whole or absent at the next start, never half", async () => {
    for (const effect of ["none", "half", "done"] as const) {
      for (const operation of ["write", "sync"] as const) {
        const vault = await fixture.create({ files });
        await vault.transact([put("a", 1)]);
        files.decide = (call) => {
          if (call.name !== "log.1") return null;
          if (call.operation === "truncate") return { code: "EIO" };
          return call.operation === operation ? { code: "EIO", effect } : null;
        };
        await expect(vault.transact([put("b", 2), put("c", 2)])).rejects.toMatchObject({
          code: "vault-write-failed",
        });
        await vault.close();
        files.decide = () => null;
        const found = await reopened((again) => itemsOf(again));
        const isWhole = effect === "done" || operation === "sync";
        expect([...found.keys()]).toEqual(isWhole ? ["a", "b", "c"] : ["a"]);
        fixture.remove();
        fixture = createVaultFixture(worker);
      }
    }
  });

  test("rejects those that waited behind it without trying them", async () => {
    const vault = await fixture.create({ files });
    failWhen({ operation: "sync", name: "log.1" }, { code: "EIO" });
    const first = vault.transact([put("a", 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    const second = vault.transact([put("b", 1)]);
    await expect(first).rejects.toMatchObject({ code: "vault-write-failed" });
    await expect(second).rejects.toMatchObject({ code: "vault-read-only" });
    expect(itemsOf(vault).size).toBe(0);
    await vault.close();
  });
});

describe("a compaction that can't be written", () => {
  test.each([
    [
      "no room for the snapshot",
      { operation: "write", name: "snapshot.2.new" },
      "ENOSPC",
      "disk-full",
    ],
    [
      "a snapshot that isn't synced",
      { operation: "sync", name: "snapshot.2.new" },
      "EIO",
      "vault-write-failed",
    ],
    [
      "a snapshot that can't be named",
      { operation: "rename", name: "snapshot.2" },
      "EPERM",
      "vault-write-failed",
    ],
    [
      "a log that can't be made",
      { operation: "open", name: "log.2.new" },
      "EMFILE",
      "vault-write-failed",
    ],
    [
      "a log that can't be named",
      { operation: "rename", name: "log.2" },
      "EPERM",
      "vault-write-failed",
    ],
    [
      "a snapshot that can't be read back",
      { operation: "read", name: "snapshot.2" },
      "EIO",
      "vault-write-failed",
    ],
  ] as const)(
    "for %s leaves the vault as it was, and writable",
    async (_title, match, code, expected) => {
      const vault = await fixture.create({ files });
      await vault.transact([put("a", 1)]);
      failWhen(match, { code, effect: "half" });
      await expect(vault.compact()).rejects.toMatchObject({ code: expected });
      expect(vault.readOnly).toBeNull();
      expect(fixture.names()).toEqual(["keyring", "lock", "log.1", "snapshot.1"]);
      await vault.transact([put("b", 2)]);
      files.decide = () => null;
      await vault.compact();
      await vault.transact([put("c", 3)]);
      await vault.close();
      expect(fixture.names()).toEqual(["keyring", "log.2", "snapshot.2"]);
      await reopened((again) => {
        expect([...itemsOf(again).keys()]).toEqual(["a", "b", "c"]);
      });
    },
  );

  test("for a name that may or may not be there ends writing, and loses nothing", async () => {
    for (const match of [
      { operation: "rename", name: "log.2" },
      { operation: "syncDirectory", name: "vault" },
    ] as const) {
      const vault = await fixture.create({ files });
      await vault.transact([put("a", 1)]);
      files.decide = (call) =>
        call.operation === match.operation &&
        call.name === match.name &&
        fixture.names().includes(match.operation === "rename" ? "snapshot.2" : "log.2")
          ? { code: "EIO", effect: "done" }
          : null;
      await expect(vault.compact()).rejects.toMatchObject({ code: "vault-write-failed" });
      expect(vault.readOnly).toBe("vault-write-failed");
      await expect(vault.transact([put("b", 2)])).rejects.toMatchObject({
        code: "vault-read-only",
      });
      files.decide = () => null;
      await vault.close();
      await reopened((again) => {
        expect(itemsOf(again)).toEqual(new Map([["a", 1]]));
      });
      expect(fixture.names()).toEqual(["keyring", "log.2", "snapshot.2"]);
      fixture.remove();
      fixture = createVaultFixture(worker);
    }
  });

  test("by itself is not tried again at once", async () => {
    const clock = createFakeClock();
    const compaction = { logBytes: 5_000, minimumLogBytes: 5_000, snapshotRatio: 100 };
    const vault = await fixture.create({ files, clock, compaction });
    failWhen({ operation: "write", name: "snapshot.2.new" }, { code: "ENOSPC" });
    for (let index = 0; index < 10; index++) {
      await vault.transact([put(`${index}`, new Uint8Array(2_000))]);
    }
    const tries = () =>
      files.calls.filter(({ name, operation }) => name === "snapshot.2.new" && operation === "open")
        .length;
    expect(tries()).toBe(1);
    expect(vault.readOnly).toBeNull();
    clock.advance(10 * 60_000);
    files.decide = () => null;
    await vault.transact([put("more", 1)]);
    // It goes on beside the commits.
    await vi.waitFor(() => {
      expect(fixture.names()).toEqual(["keyring", "lock", "log.2", "snapshot.2"]);
    });
    expect(tries()).toBe(2);
    await vault.close();
  });
});

describe("a directory that can't be written", () => {
  test.each([
    ["EROFS", "vault-read-only"],
    ["EACCES", "vault-read-only"],
    ["EPERM", "vault-read-only"],
    ["ENOSPC", "disk-full"],
    ["EIO", "vault-write-failed"],
  ] as const)("for %s still opens for reading", async (code, readOnly) => {
    const vault = await fixture.create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    const before = fixture.names().map((name) => [name, fixture.bytes(name)]);
    failWhen({ operation: "open" }, { code });
    const reading = await fixture.open({ files });
    expect(reading.readOnly).toBe(readOnly);
    expect(itemsOf(reading)).toEqual(new Map([["a", 1]]));
    await expect(reading.transact([put("b", 2)])).rejects.toMatchObject({
      code: "vault-read-only",
      data: { reason: readOnly },
    });
    await reading.close();
    expect(fixture.names().map((name) => [name, fixture.bytes(name)])).toEqual(before);
  });

  test("lets a vault open for reading when only its log can't be", async () => {
    const vault = await fixture.create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    failWhen({ operation: "open", name: "log.1" }, { code: "EACCES" });
    const reading = await fixture.open({ files });
    expect(reading.readOnly).toBe("vault-read-only");
    await reading.close();
    expect(fixture.names()).not.toContain("lock");
  });

  test("gives the log back when it turns out late", async () => {
    await (await fixture.create()).close();
    writeFileSync(join(fixture.directory, "snapshot.9.new"), "left by a crash");
    failWhen({ operation: "remove", name: "snapshot.9.new" }, { code: "EROFS" });
    const reading = await fixture.open({ files });
    expect(reading.readOnly).toBe("vault-read-only");
    const ofLog = files.calls.filter(({ name }) => name === "log.1");
    expect(ofLog.at(-1)?.operation).toBe("close");
    await reading.close();
  });

  test.each(["makeDirectory", "open", "rename", "syncDirectory"] as const)(
    "at %s makes no vault, and leaves nothing that hinders the next try",
    async (operation) => {
      failWhen({ operation }, { code: "ENOSPC" });
      await expect(fixture.create({ files })).rejects.toMatchObject({ code: "disk-full" });
      files.decide = () => null;
      expect(fixture.entries.size).toBe(0);
      const vault = await fixture.create({ files });
      await vault.close();
    },
  );
});

describe("something old that can't be removed", () => {
  test.each(["EPERM", "EBUSY", "EIO"])("for %s hinders nothing else", async (code) => {
    await (await fixture.create()).close();
    for (const name of ["snapshot.8.new", "snapshot.9.new"]) {
      writeFileSync(join(fixture.directory, name), "left by a crash");
    }
    failWhen({ operation: "remove", name: "snapshot.8.new" }, { code });
    const vault = await fixture.open({ files });
    expect(vault.readOnly).toBeNull();
    await vault.transact([put("a", 1)]);
    await vault.close();
    expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1", "snapshot.8.new"]);
    await reopened(() => undefined);
    expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1"]);
  });
});

describe("a fault at any single call", () => {
  test("loses nothing that was acknowledged and keeps no half of anything, even when power is cut after it", async () => {
    // Every call, with one kind of fault at each; all of them in `npm run test:crash`.
    const isChosen = (call: number, kind: number) => (call + kind) % faultKinds.length === 0;
    const { calls, runs, images } = await failEverywhere(createSealingWorker(), isChosen);
    expect(calls).toBeGreaterThan(150);
    expect(runs).toBeGreaterThan(calls / 4);
    expect(images).toBeGreaterThan(runs);
  });
});
