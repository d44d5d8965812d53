import { basename } from "node:path";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { unsafeMemoryKeychain } from "../../../../electron/keychain/index.ts";
import {
  nodeFiles,
  type Vault,
  type VaultFile,
  type VaultFiles,
} from "../../../../electron/vault/index.ts";
import { createFaultyFiles, type FaultyFiles } from "../../../support/faulty-files.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import {
  createVaultFixture,
  itemsOf,
  put,
  type VaultFixture,
} from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 120_000 });

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
const copies = mkdtempSync(join(tmpdir(), "sotto-copies-"));
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(async () => {
  await worker.dispose();
  rmSync(copies, { recursive: true, force: true });
});
beforeEach(() => {
  fixture = createVaultFixture(worker);
});
afterEach(() => {
  fixture.remove();
});

/** Only when it is asked for. */
const never = { logBytes: Infinity, minimumLogBytes: Infinity, snapshotRatio: Infinity };

/** The disk, where a file of this name takes nothing until it is let. */
function slowFile(name: string) {
  let let_ = (): void => undefined;
  let begin = (): void => undefined;
  const gate = new Promise<void>((resolve) => (let_ = resolve));
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const slow = (file: VaultFile): VaultFile => ({
    sizeBytes: () => file.sizeBytes(),
    read: (target, position) => file.read(target, position),
    write: async (bytes, position) => {
      begin();
      await gate;
      await file.write(bytes, position);
    },
    writeDurably: (bytes, position) => file.writeDurably(bytes, position),
    sync: () => file.sync(),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    close: () => file.close(),
  });
  const files: VaultFiles = {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode);
      return basename(path) === name ? slow(file) : file;
    },
  };
  return { files, begun, release: let_ };
}

/** Counts up in a vault: transaction k puts k under `at` and under a name of its own. */
function counter(vault: Vault) {
  let submitted = 0;
  let acknowledged = 0;
  return {
    get submitted() {
      return submitted;
    },
    get acknowledged() {
      return acknowledged;
    },
    async next() {
      const number = ++submitted;
      await vault.transact([put("at", number), put(`${number}`, new Uint8Array(50).fill(number))]);
      acknowledged = number;
    },
  };
}

/** One transaction after another until it is stopped, or one fails. */
function keepGoing(numbers: ReturnType<typeof counter>) {
  const state = { isStopped: false };
  const going = (async () => {
    while (!state.isStopped) await numbers.next();
  })();
  going.catch(() => undefined);
  return {
    stop: () => {
      state.isStopped = true;
      return going;
    },
  };
}

/** What {@link counter} has left in a vault: nothing but the first k transactions. @returns k */
function counted(vault: Vault): number {
  const items = itemsOf(vault);
  const count = Number(items.get("at") ?? 0);
  expect(items.size).toBe(count === 0 ? 0 : count + 1);
  for (let number = 1; number <= count; number++) {
    expect(items.get(`${number}`)).toEqual(new Uint8Array(50).fill(number));
  }
  expect(vault.sequence).toBe(count);
  return count;
}

/** Copies a vault's folder as it is. A file that gets another name meanwhile, in a thread of the disk's, makes it begin again. */
function copyFolder(from: string, to: string): void {
  for (let attempt = 0; ; attempt += 1) {
    try {
      cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== "lock" });
      return;
    } catch (error) {
      if (attempt === 5) throw error;
      rmSync(to, { recursive: true, force: true });
    }
  }
}

describe("while a compaction is under way", () => {
  test("transactions are on the disk as ever, however long it takes, and go into the new generation", async () => {
    const { files, begun, release } = slowFile("snapshot.2.new");
    const vault = await fixture.create({ files });
    const numbers = counter(vault);
    await numbers.next();
    const compaction = vault.compact();
    await begun;
    for (let count = 0; count < 150; count++) await numbers.next();
    expect(await vault.facts()).toMatchObject({
      generation: 1,
      logFrames: 151,
      isCompacting: true,
      lastCompactionMs: null,
    });
    expect(counted(vault)).toBe(151);
    release();
    await compaction;
    const facts = await vault.facts();
    expect(facts).toMatchObject({ generation: 2, isCompacting: false });
    expect(facts.logFrames).toBeLessThan(10);
    expect(facts.lastCompactionMs).not.toBeNull();
    expect(fixture.names()).toEqual(["keyring", "lock", "log.2", "snapshot.2"]);
    await numbers.next();
    await vault.close();
    const again = await fixture.open();
    expect(counted(again)).toBe(152);
    await again.close();
  });

  test("closing gives it up at once", async () => {
    const { files, begun, release } = slowFile("snapshot.2.new");
    const vault = await fixture.create({ files });
    const numbers = counter(vault);
    await numbers.next();
    const compaction = vault.compact();
    await begun;
    await numbers.next();
    const closed = vault.close();
    release();
    await expect(compaction).rejects.toMatchObject({ code: "not-ready" });
    await closed;
    expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1"]);
    const again = await fixture.open();
    expect(counted(again)).toBe(2);
    await again.close();
  });

  test("a worker that dies takes it along, and nothing else", async () => {
    const { files, begun, release } = slowFile("snapshot.2.new");
    const vault = await fixture.create({ files });
    const numbers = counter(vault);
    await numbers.next();
    const compaction = vault.compact();
    await begun;
    await worker.crash();
    release();
    await expect(compaction).rejects.toMatchObject({ code: "worker-stopped" });
    expect(fixture.names()).toEqual(["keyring", "lock", "log.1", "snapshot.1"]);
    await vault.close();
    const again = await fixture.open();
    expect(counted(again)).toBe(1);
    await again.close();
  });

  test("another one that is asked for comes after it, for what was there when it was asked for", async () => {
    const { files, begun, release } = slowFile("snapshot.2.new");
    const vault = await fixture.create({ files });
    await vault.transact([put("a", 1)]);
    const first = vault.compact();
    await begun;
    await vault.transact([{ name: "delete", params: ["a"] }]);
    const second = vault.compact();
    release();
    await first;
    await second;
    expect(await vault.facts()).toMatchObject({ generation: 3, logFrames: 0 });
    await vault.close();
  });

  test("what holds a commit up doesn't grow with the vault", async () => {
    const callsOf = async (items: number) => {
      const files = createFaultyFiles();
      const vault = await fixture.create({ files, compaction: never });
      const numbers = counter(vault);
      await Promise.all(Array.from({ length: items }, () => numbers.next()));
      const before = files.calls.length;
      await vault.compact();
      await vault.close();
      const names = files.calls.slice(before).map(({ name, operation }) => `${operation} ${name}`);
      fixture.remove();
      fixture = createVaultFixture(worker);
      // The change from one log to the other, which no commit runs beside.
      return names.slice(names.indexOf("sync log.2.new") + 1, names.indexOf("open log.2") + 1);
    };
    const isOfTheChange = (call: string) => !call.includes("snapshot");
    const small = (await callsOf(1)).filter(isOfTheChange);
    const large = (await callsOf(4_000)).filter(isOfTheChange);
    expect(large).toEqual(small);
    expect(small.length).toBeLessThanOrEqual(9);
  });
});

describe("a machine that stops at any moment of a compaction, with transactions going on", () => {
  test("loses nothing that was acknowledged, and has one whole generation", async () => {
    const files: FaultyFiles = createFaultyFiles();
    const vault = await fixture.create({ files });
    const numbers = counter(vault);
    await numbers.next();
    const moments: {
      readonly copy: string;
      readonly entries: Map<string, Uint8Array>;
      readonly at: string;
      readonly least: number;
    }[] = [];
    files.decide = ({ name, operation }) => {
      const copy = mkdtempSync(join(copies, "moment-"));
      copyFolder(fixture.directory, copy);
      const entries = new Map(fixture.entries);
      moments.push({ copy, entries, at: `${operation} ${name}`, least: numbers.acknowledged });
      return null;
    };
    const going = keepGoing(numbers);
    await vault.compact();
    await going.stop();
    files.decide = () => null;
    await vault.close();
    expect(moments.length).toBeGreaterThan(40);
    for (const { copy, entries, at, least } of moments) {
      const keychain = unsafeMemoryKeychain(entries);
      const found = await fixture.open({ directory: copy, keychain });
      expect(found.readOnly, at).toBeNull();
      expect(counted(found), at).toBeGreaterThanOrEqual(least);
      await found.transact([put("goes on", 1)]);
      await found.close();
    }
  });
});

describe("a fault at any call of a compaction, with transactions going on", () => {
  test.each([
    { code: "ENOSPC", effect: "half" },
    { code: "EIO", effect: "done" },
  ] as const)("$code ($effect) loses nothing that was acknowledged", async (fault) => {
    for (let at = 1; ; at++) {
      const files = createFaultyFiles();
      const vault = await fixture.create({ files });
      const numbers = counter(vault);
      await numbers.next();
      let calls = 0;
      let failed = "";
      files.decide = ({ name, operation }) => {
        // Faults of the commits themselves are another test's.
        if (name === "log.1" || name.startsWith("keyring")) return null;
        calls += 1;
        if (calls !== at) return null;
        failed = `${operation} ${name}`;
        return fault;
      };
      const going = keepGoing(numbers);
      await vault.compact().catch(() => undefined);
      await going.stop().catch(() => undefined);
      await vault.close();
      files.decide = () => null;
      rmSync(join(fixture.directory, "lock"), { force: true });
      const again = await fixture.open();
      expect(again.readOnly, failed).toBeNull();
      expect(counted(again), failed).toBeGreaterThanOrEqual(numbers.acknowledged);
      await again.close();
      fixture.remove();
      fixture = createVaultFixture(worker);
      if (calls < at) break;
    }
  });
});

test("whatever is written, and whenever generations change, a vault holds what a map would", async () => {
  const ids = fc.constantFrom("a", "b", "c", "d");
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ id: ids, value: fc.uint8Array({ maxLength: 900 }) }) },
    { weight: 1, arbitrary: fc.constant("compact" as const) },
    { weight: 2, arbitrary: fc.constant("wait" as const) },
    { weight: 1, arbitrary: fc.constant("reopen" as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (script) => {
      const compaction = { logBytes: 6_000, minimumLogBytes: 3_000, snapshotRatio: 0.3 };
      let vault = await fixture.create({ compaction });
      const expected = new Map<string, Uint8Array>();
      let sequence = 0;
      const pending: Promise<unknown>[] = [];
      for (const what of script) {
        switch (what) {
          case "compact":
            // Closing may come before its end.
            vault.compact().catch(() => undefined);
            break;
          case "wait":
            await Promise.all(pending.splice(0));
            break;
          case "reopen":
            await vault.close();
            await Promise.all(pending.splice(0));
            vault = await fixture.open({ compaction });
            break;
          default:
            pending.push(vault.transact([put(what.id, what.value)]));
            expected.set(what.id, what.value);
            sequence += 1;
        }
      }
      await Promise.all(pending);
      expect(itemsOf(vault)).toEqual(new Map([...expected].sort()));
      expect(vault.sequence).toBe(sequence);
      await vault.close();
      const last = await fixture.open();
      expect(itemsOf(last)).toEqual(new Map([...expected].sort()));
      expect(last.sequence).toBe(sequence);
      expect(last.readOnly).toBeNull();
      await last.close();
      fixture.remove();
      fixture = createVaultFixture(worker);
    }),
    { numRuns: 40 },
  );
});
