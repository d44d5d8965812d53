import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inspectVault } from "../../../../electron/vault/index.ts";
import { decodeKeyring } from "../../../../electron/vault/keyring.ts";
import type { FileCall, FileFault } from "../../../support/faulty-files.ts";
import type { KeychainFault } from "../../../support/faulty-keychain.ts";
import {
  createKeysFixture,
  destructionOf,
  openable,
  sealBodies,
  type KeysFixture,
} from "../../../support/keys-fixture.ts";

const passphrase = "four unrelated words here";
const byPassphrase = { kind: "passphrase", passphrase } as const;

let fixture: KeysFixture;
beforeEach(() => {
  fixture = createKeysFixture();
});
afterEach(() => {
  fixture.remove();
});

async function revision(): Promise<number> {
  const found = await inspectVault(fixture.directory);
  return found.kind === "present" ? found.revision : Number.NaN;
}

function failFile(match: Partial<FileCall>, fault: FileFault): void {
  fixture.files.decide = (call) =>
    Object.entries(match).every(([key, value]) => call[key as keyof FileCall] === value)
      ? fault
      : null;
}

function failKeychain(operation: "get" | "set" | "delete", fault: KeychainFault): void {
  fixture.keychain.decide = (call) => (call.operation === operation ? fault : null);
}

const count = (calls: readonly { readonly operation: string }[], operation: string) =>
  calls.filter((call) => call.operation === operation).length;

/** Lets everything run that needs no clock. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("an exchange", () => {
  test("destroys what it was asked for and nothing else, on disk and in memory", async () => {
    await fixture.create();
    const { keys, worker } = await fixture.open();
    const bodies = await sealBodies(worker, [0, 1, 2, 3]);
    await keys.destroyKeys(destructionOf(1));
    expect(await openable(worker, bodies)).toEqual([0, 2, 3]);
    expect(await revision()).toBe(2);
    expect(keys.keychainState).toBe("in-step");
    await keys.close();
    const again = await fixture.open();
    expect(await openable(again.worker, bodies)).toEqual([0, 2, 3]);
    expect(again.keys.keychainState).toBe("in-step");
    await again.keys.close();
  });

  test("makes an older keyring useless to whoever has the keychain as it is now", async () => {
    await fixture.create();
    const before = fixture.copy("before");
    const { keys, worker } = await fixture.open();
    const bodies = await sealBodies(worker, [0, 1]);
    for (const leaf of [0, 1]) {
      await keys.destroyKeys(destructionOf(leaf));
      await expect(fixture.open({ kind: "keychain" }, before)).rejects.toMatchObject({
        code: "vault-rolled-back",
      });
    }
    expect(await openable(worker, bodies)).toEqual([]);
    await keys.close();
  });

  test("is shared by all that wait together, and by all that come while one is under way", async () => {
    await fixture.create();
    const { keys, worker } = await fixture.open();
    const bodies = await sealBodies(worker, [0, 1, 2, 3, 4, 5]);
    let late: readonly Promise<void>[] = [];
    fixture.files.beforeSync = () => {
      if (late.length === 0) late = [3, 4].map((leaf) => keys.destroyKeys(destructionOf(leaf)));
      return Promise.resolve();
    };
    await Promise.all([0, 1, 2].map((leaf) => keys.destroyKeys(destructionOf(leaf))));
    await Promise.all(late);
    expect(await openable(worker, bodies)).toEqual([5]);
    expect(count(fixture.files.calls, "rename")).toBe(2);
    expect(count(fixture.keychain.calls, "set")).toBe(2);
    await keys.close();
  });

  test("drops whole buckets", async () => {
    await fixture.create();
    const { keys, worker } = await fixture.open();
    const bodies = await sealBodies(worker, [0, 1]);
    await keys.destroyKeys({ leaves: [], hoursBefore: 480_000 });
    expect(await openable(worker, bodies)).toEqual([0, 1]);
    await Promise.all([
      keys.destroyKeys({ leaves: [], hoursBefore: 480_001 }),
      keys.destroyKeys({ leaves: [], hoursBefore: 5 }),
    ]);
    expect(await openable(worker, bodies)).toEqual([]);
    expect((await keys.facts()).keyring.droppedBefore).toBe(480_001);
    await keys.close();
  });

  test("isn't made for nothing", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    await keys.destroyKeys(destructionOf());
    await keys.moveTo(1);
    expect(await revision()).toBe(1);
    expect((await keys.facts()).lastDestructionMs).toBeNull();
    await keys.close();
    await expect(keys.destroyKeys(destructionOf(1))).rejects.toMatchObject({ code: "not-ready" });
    await expect(keys.moveTo(2)).rejects.toMatchObject({ code: "not-ready" });
  });

  test("moves the keys of generations on, and is owed until it is made", async () => {
    await fixture.create();
    const { keys, worker } = await fixture.open();
    failFile({ operation: "write" }, { code: "ENOSPC" });
    await expect(keys.moveTo(2)).rejects.toMatchObject({ code: "disk-full" });
    fixture.files.decide = () => null;
    expect((await keys.facts()).keyring.generations).toEqual([1, 2]);
    await keys.destroyKeys(destructionOf(0));
    expect((await keys.facts()).keyring.generations).toEqual([2, 3]);
    await expect(worker.call("vault.frameKeys", { generation: 1, count: 1 })).rejects.toMatchObject(
      { code: "argument-invalid" },
    );
    await keys.close();
  });
});

describe("an exchange that can't be written", () => {
  test.each([
    ["open", "keyring.new", "none", ["EMFILE", "vault-write-failed"]],
    ["write", "keyring.new", "half", ["ENOSPC", "disk-full"]],
    ["sync", "keyring.new", "none", ["EIO", "vault-write-failed"]],
    ["read", "keyring.new", "none", ["EIO", "vault-write-failed"]],
    ["rename", "keyring", "none", ["EPERM", "vault-write-failed"]],
  ] as const)(
    "at %s of %s (%s) has changed nothing, and the next one is made",
    async (operation, name, effect, [code, expected]) => {
      await fixture.create();
      const { keys, worker } = await fixture.open();
      const bodies = await sealBodies(worker, [0, 1]);
      const held = fixture.held();
      failFile({ operation, name }, { code, effect });
      await expect(keys.destroyKeys(destructionOf(0))).rejects.toMatchObject({ code: expected });
      expect(await openable(worker, bodies)).toEqual([0, 1]);
      expect(await revision()).toBe(1);
      expect(fixture.held()).toEqual(held);
      fixture.files.decide = () => null;
      await keys.destroyKeys(destructionOf(0));
      expect(await openable(worker, bodies)).toEqual([1]);
      await keys.close();
    },
  );

  test("costs the key it was sealed under, so that what lies about of it opens with nothing", async () => {
    await fixture.create();
    const { keys, worker } = await fixture.open();
    const bodies = await sealBodies(worker, [0, 1]);
    failFile({ operation: "rename" }, { code: "EIO" });
    await expect(keys.destroyKeys(destructionOf(0))).rejects.toThrow();
    fixture.files.decide = () => null;
    // As somebody would find it on the disk: it still holds what ends next.
    const remnant = new Uint8Array(readFileSync(join(fixture.directory, "keyring.new")));
    await keys.destroyKeys(destructionOf(1));
    expect(await openable(worker, bodies)).toEqual([0]);
    await expect(
      worker.call("vault.unlock", {
        record: decodeKeyring(remnant),
        secret: { kind: "keychain", entries: fixture.held() },
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^vault-(key-|rolled)/u) as unknown });
    expect(await revision()).toBe(3);
    await keys.close();
  });

  test("and was left by a crash costs its key at the next start", async () => {
    await fixture.create();
    const first = await fixture.open();
    failFile({ operation: "rename" }, { code: "EIO" });
    await expect(first.keys.destroyKeys(destructionOf(0))).rejects.toThrow();
    await first.keys.close();
    fixture.heal();
    const { keys } = await fixture.open();
    await keys.moveTo(1);
    expect(await revision()).toBe(2);
    await keys.moveTo(1);
    expect(await revision()).toBe(2);
    await keys.close();
  });

  test.each([
    ["rename", "keyring"],
    ["syncDirectory", "vault"],
  ] as const)(
    "at %s may have been all the same: no more is written, and the next start opens what is there",
    async (operation, name) => {
      await fixture.create();
      const { keys, worker } = await fixture.open();
      const bodies = await sealBodies(worker, [0, 1]);
      const heard: string[] = [];
      keys.onFailure((code) => void heard.push(code));
      failFile({ operation, name }, { code: "EIO", effect: "done" });
      await expect(keys.destroyKeys(destructionOf(0))).rejects.toMatchObject({
        code: "vault-write-failed",
      });
      expect(heard).toEqual(["vault-write-failed"]);
      fixture.files.decide = () => null;
      await expect(keys.destroyKeys(destructionOf(1))).rejects.toMatchObject({
        code: "vault-read-only",
        data: { reason: "vault-write-failed" },
      });
      await expect(keys.setSlot({ kind: "recovery-code" })).rejects.toMatchObject({
        code: "vault-read-only",
      });
      expect(heard).toHaveLength(1);
      await keys.close();
      const again = await fixture.open();
      expect(again.keys.keychainState).toBe("behind");
      expect(await openable(again.worker, bodies)).toEqual([1]);
      await again.keys.close();
    },
  );

  test("and whose name may be in memory alone is on the disk before the keychain forgets the one before", async () => {
    await fixture.create();
    const first = await fixture.open();
    failFile({ operation: "syncDirectory" }, { code: "EIO" });
    await expect(first.keys.destroyKeys(destructionOf(0))).rejects.toThrow();
    await first.keys.close();
    const held = fixture.held();
    // As a vault that opens read-only: nothing was written since.
    const { keys } = await fixture.open();
    expect(keys.keychainState).toBe("behind");
    await expect(keys.renewKeychain()).rejects.toMatchObject({ code: "vault-write-failed" });
    expect(fixture.held()).toEqual(held);
    fixture.files.decide = () => null;
    await keys.renewKeychain();
    expect(keys.keychainState).toBe("in-step");
    await keys.close();
  });

  test("is refused for good once the vault was stopped", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    keys.stop("worker-stopped");
    await expect(keys.destroyKeys(destructionOf(0))).rejects.toMatchObject({
      code: "worker-stopped",
    });
    await keys.close();
  });
});

describe("a crash", () => {
  /** From the call on, nothing reaches the disk or the keychain; the call itself has `effect`. */
  async function runUntil(at: number, effect: "none" | "half" | "done"): Promise<number> {
    const { keys } = await fixture.open();
    let calls = 0;
    const next = (writes: boolean) => {
      if (writes) calls += 1;
      if (calls < at || !writes) return null;
      return { code: "EIO", effect: calls === at ? effect : "none" } as const;
    };
    const writing = new Set(["open", "write", "sync", "rename", "syncDirectory", "remove"]);
    fixture.files.decide = ({ operation }) => next(writing.has(operation));
    fixture.keychain.decide = ({ operation }) => {
      const fault = next(operation === "set");
      if (fault === null) return null;
      return { code: "keychain-denied", effect: fault.effect === "done" ? "done" : "none" };
    };
    await keys.destroyKeys(destructionOf(0)).catch(() => undefined);
    await keys.destroyKeys(destructionOf(1)).catch(() => undefined);
    await keys.close();
    fixture.heal();
    return calls;
  }

  test.each(["none", "half", "done"] as const)(
    "at any step (%s) leaves exactly one keyring, which the keychain opens",
    async (effect) => {
      await fixture.create();
      const calls = await runUntil(Infinity, "none");
      expect(calls).toBe(12);
      for (let at = 1; at <= calls; at++) {
        fixture.remove();
        fixture = createKeysFixture();
        await fixture.create();
        const first = await fixture.open();
        const bodies = await sealBodies(first.worker, [0, 1, 2]);
        const before = fixture.copy("before");
        await first.keys.close();
        await runUntil(at, effect);

        const { keys, worker, record } = await fixture.open();
        const left = [[0, 1, 2], [1, 2], [2]][record.revision - 1];
        expect(await openable(worker, bodies), `step ${at}`).toEqual(left);
        // What the crash has cut short is done at once.
        await keys.moveTo(1);
        if (keys.keychainState === "behind") await keys.renewKeychain();
        expect(keys.keychainState).toBe("in-step");
        if (record.revision > 1) {
          await expect(fixture.open({ kind: "keychain" }, before)).rejects.toMatchObject({
            code: expect.stringMatching(/^vault-(key-|rolled)/u) as unknown,
          });
        }
        await keys.destroyKeys(destructionOf(0, 1));
        expect(await openable(worker, bodies)).toEqual([2]);
        await keys.close();
        const last = await fixture.open();
        expect(await openable(last.worker, bodies)).toEqual([2]);
        expect(last.keys.keychainState).toBe("in-step");
        await last.keys.close();
      }
    },
  );
});

describe("a keychain that fails", () => {
  test("after the keyring was written is behind, and is told when it works again", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    let changes = 0;
    keys.onKeysChanged(() => void (changes += 1));
    failKeychain("set", { code: "keychain-denied" });
    await keys.destroyKeys(destructionOf(0));
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["behind", "keychain-denied"]);
    expect(changes).toBe(1);
    fixture.clock.advance(60_000);
    await settle();
    expect(keys.keychainState).toBe("behind");
    fixture.keychain.decide = () => null;
    fixture.clock.advance(60_000);
    await settle();
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["in-step", null]);
    expect(changes).toBe(2);
    expect(fixture.clock.waiting).toBe(0);
    await keys.close();
    await (await fixture.open()).keys.close();
  });

  test("until its vault is closed is not written any more when it answers at last", async () => {
    await fixture.create(passphrase);
    const { keys } = await fixture.open();
    const { entries, keychain } = fixture;
    const answer = Promise.withResolvers<undefined>();
    const answers = keychain.get.bind(keychain);
    vi.spyOn(keychain, "get").mockImplementation(async (account) => {
      await answer.promise;
      return answers(account);
    });
    const destroying = keys.destroyKeys(destructionOf(0));
    await settle();
    const closing = keys.close();
    fixture.clock.advance(500);
    await Promise.all([destroying, closing]);
    expect(keys.keychainState).toBe("behind");
    const held = new Map(entries);
    answer.resolve(undefined);
    await settle();
    expect(count(keychain.calls, "set")).toBe(0);
    expect(entries).toEqual(held);
  });

  test("and is the only way in must be in step before the next exchange", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    failKeychain("set", { code: "keychain-timeout" });
    await keys.destroyKeys(destructionOf(0));
    await expect(keys.destroyKeys(destructionOf(1))).rejects.toMatchObject({
      code: "keychain-timeout",
    });
    expect(await revision()).toBe(2);
    fixture.keychain.decide = () => null;
    await keys.destroyKeys(destructionOf(1));
    expect(await revision()).toBe(3);
    expect(keys.keychainState).toBe("in-step");
    await keys.close();
    await (await fixture.open()).keys.close();
  });

  test("and is the only way in must be in step after a remnant's exchange as well", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    failFile({ operation: "rename" }, { code: "EIO" });
    await expect(keys.destroyKeys(destructionOf(0))).rejects.toThrow();
    fixture.files.decide = () => null;
    failKeychain("set", { code: "keychain-denied" });
    await expect(keys.destroyKeys(destructionOf(0))).rejects.toMatchObject({
      code: "keychain-denied",
    });
    expect(await revision()).toBe(2);
    await keys.close();
    fixture.heal();
    const again = await fixture.open();
    await again.keys.destroyKeys(destructionOf(0));
    expect(again.keys.keychainState).toBe("in-step");
    await again.keys.close();
  });

  test("and isn't the only way in holds nothing up", async () => {
    await fixture.create(passphrase);
    const { keys } = await fixture.open();
    fixture.keychain.decide = () => ({ code: "keychain-absent" });
    await keys.destroyKeys(destructionOf(0));
    await keys.destroyKeys(destructionOf(1));
    expect(await revision()).toBe(3);
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["behind", "keychain-absent"]);
    await keys.close();
    fixture.heal();
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-wrong" });
    const again = await fixture.open(byPassphrase);
    expect(again.keys.keychainState).toBe("behind");
    await again.keys.renewKeychain();
    await again.keys.close();
    await (await fixture.open()).keys.close();
  });

  test("must be in step before the code that opened the vault is replaced by one that nobody has seen", async () => {
    await fixture.create();
    const first = await fixture.open();
    const { recoveryCode } = await first.keys.setSlot({ kind: "recovery-code" });
    await first.keys.close();
    const byCode = { kind: "recovery-code", code: recoveryCode ?? "" } as const;
    fixture.keychain.decide = () => ({ code: "keychain-denied" });
    const { keys } = await fixture.open(byCode);
    await keys.destroyKeys(destructionOf(0));
    await expect(keys.setSlot({ kind: "recovery-code" })).rejects.toMatchObject({
      code: "keychain-denied",
    });
    await keys.close();
    const again = await fixture.open(byCode);
    await again.keys.setSlot({ kind: "passphrase", passphrase });
    await again.keys.setSlot({ kind: "recovery-code" });
    await again.keys.close();
    await (await fixture.open(byPassphrase)).keys.close();
  });

  test("that was emptied behind our back is filled before the only key changes", async () => {
    await fixture.create();
    const { keys } = await fixture.open();
    fixture.entries.clear();
    await keys.destroyKeys(destructionOf(0));
    expect(keys.keychainState).toBe("in-step");
    await keys.close();
    await (await fixture.open()).keys.close();
  });

  test("that hangs doesn't hold up a vault that is being closed", async () => {
    await fixture.create(passphrase);
    const { keys } = await fixture.open();
    failKeychain("set", { code: "keychain-timeout", effect: "hang" });
    const destroying = keys.destroyKeys(destructionOf(0));
    await settle();
    const closing = keys.close();
    fixture.clock.advance(500);
    await closing;
    await destroying;
    expect(keys.keychainState).toBe("behind");
    expect(fixture.clock.waiting).toBe(0);
    fixture.heal();
    const again = await fixture.open();
    expect(again.record.revision).toBe(2);
    expect(again.keys.keychainState).toBe("behind");
    await again.keys.close();
  });

  test("when a passphrase opens the vault is looked at later", async () => {
    await fixture.create(passphrase);
    fixture.keychain.decide = () => ({ code: "keychain-denied" });
    const { keys } = await fixture.open(byPassphrase);
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["unavailable", "keychain-denied"]);
    fixture.keychain.decide = () => null;
    fixture.clock.advance(60_000);
    await settle();
    expect(keys.keychainState).toBe("in-step");
    await keys.close();
  });

  test("when a passphrase opens the vault and it hangs is not waited for", async () => {
    await fixture.create(passphrase);
    failKeychain("get", { code: "keychain-timeout", effect: "hang" });
    const opening = fixture.open(byPassphrase);
    await vi.waitUntil(() => fixture.clock.waiting > 0);
    fixture.clock.advance(2_000);
    const { keys } = await opening;
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["unavailable", "keychain-timeout"]);
    const closing = keys.close();
    fixture.clock.advance(500);
    await closing;
  });
});

describe("an older copy that was put back", () => {
  async function rollBack(): Promise<string> {
    await fixture.create(passphrase);
    const before = fixture.copy("before");
    const { keys } = await fixture.open();
    for (const leaf of [0, 1, 2]) await keys.destroyKeys(destructionOf(leaf));
    await keys.close();
    return before;
  }

  test("is known as one, and the passphrase opens it without touching the keychain", async () => {
    const before = await rollBack();
    await expect(fixture.open({ kind: "keychain" }, before)).rejects.toMatchObject({
      code: "vault-rolled-back",
    });
    const held = fixture.held();
    const { keys } = await fixture.open(byPassphrase, before);
    expect(keys.rolledBack).toBe(true);
    expect([keys.keychainState, keys.keychainProblem]).toEqual(["behind", "vault-rolled-back"]);
    await keys.destroyKeys(destructionOf(3));
    fixture.clock.advance(120_000);
    await settle();
    expect(fixture.held()).toEqual(held);
    await keys.close();
    // Until it has said so, a crash forgets nothing of it.
    const again = await fixture.open(byPassphrase, before);
    expect(again.keys.rolledBack).toBe(true);
    await again.keys.renewKeychain();
    expect(again.keys.keychainState).toBe("in-step");
    expect(again.keys.rolledBack).toBe(true);
    await again.keys.close();
    const { keys: last } = await fixture.open({ kind: "keychain" }, before);
    expect(last.rolledBack).toBe(false);
    await last.close();
  });

  test("is known as one even when the keychain answers late", async () => {
    const before = await rollBack();
    fixture.keychain.decide = () => ({ code: "keychain-denied" });
    const { keys } = await fixture.open(byPassphrase, before);
    expect(keys.rolledBack).toBe(false);
    let changes = 0;
    keys.onKeysChanged(() => void (changes += 1));
    fixture.keychain.decide = () => null;
    const held = fixture.held();
    await keys.destroyKeys(destructionOf(4));
    expect(keys.rolledBack).toBe(true);
    expect(changes).toBeGreaterThan(0);
    expect(fixture.held()).toEqual(held);
    await keys.close();
  });

  test("beside the one in use is refused as soon as the keychain tells", async () => {
    await fixture.create();
    const twin = fixture.copy("twin");
    const left = await fixture.open();
    const right = await fixture.open({ kind: "keychain" }, twin);
    for (const leaf of [0, 1, 2]) await left.keys.destroyKeys(destructionOf(leaf));
    await expect(right.keys.destroyKeys(destructionOf(0))).rejects.toMatchObject({
      code: "vault-rolled-back",
    });
    expect(right.keys.rolledBack).toBe(true);
    await right.keys.close();
    await left.keys.close();
  });
});
