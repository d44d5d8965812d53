import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError, type ErrorCode } from "#protocol";
import type { Keychain } from "../../../../electron/keychain/index.ts";
import { inspectVault } from "../../../../electron/vault/index.ts";
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

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const passphrase = "four unrelated words here";

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(() => worker.dispose());
beforeEach(() => {
  fixture = createVaultFixture(worker);
});
afterEach(() => {
  fixture.remove();
});

function contents(): unknown {
  return fixture.names().map((name) => [name, fixture.bytes(name)]);
}

async function createWithItem(changes: Parameters<VaultFixture["create"]>[0] = {}): Promise<void> {
  const vault = await fixture.create(changes);
  await vault.transact([put("a", 1)]);
  await vault.close();
}

/** A keychain that fails at everything. */
function failing(code: ErrorCode): Keychain {
  const fail = () => Promise.reject(new AppError(code));
  return { backend: "broken", get: fail, set: fail, delete: fail };
}

describe("a keychain", () => {
  test.each(["keychain-absent", "keychain-timeout", "keychain-denied"] as const)(
    "that fails with %s when a vault is created leaves nothing, and a passphrase does it then",
    async (code) => {
      await expect(fixture.create({ keychain: failing(code) })).rejects.toMatchObject({ code });
      expect(await inspectVault(fixture.directory)).toEqual({ kind: "none" });
      expect(fixture.names()).toEqual([]);
      await createWithItem({ keychain: null, passphrase });
      expect(await inspectVault(fixture.directory)).toMatchObject({ slots: ["passphrase"] });
      const vault = await fixture.open({ keychain: failing(code), passphrase });
      expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
      await vault.close();
    },
  );

  test.each(["keychain-absent", "keychain-timeout", "keychain-denied"] as const)(
    "that fails with %s when a vault is opened changes nothing, and the next try opens it",
    async (code) => {
      await createWithItem();
      const before = contents();
      await expect(fixture.open({ keychain: failing(code) })).rejects.toMatchObject({ code });
      expect(contents()).toEqual(before);
      const vault = await fixture.open();
      expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
      await vault.close();
    },
  );

  test.each([
    ["forgets", () => Promise.resolve(null)],
    ["answers with another key", () => Promise.resolve(new Uint8Array(32).fill(9))],
  ])("that %s what it was just given is not trusted with a vault", async (_title, get) => {
    const keychain: Keychain = { ...fixture.keychain, get };
    await expect(fixture.create({ keychain })).rejects.toMatchObject({ code: "keychain-denied" });
    expect(fixture.names()).toEqual([]);
    expect(fixture.entries.size).toBe(0);
  });

  test("that was emptied is said to be, with the back ends then and now, and no new key is made", async () => {
    await createWithItem();
    const before = contents();
    fixture.entries.clear();
    const keychain = { ...fixture.keychain, backend: "another one" };
    await expect(fixture.open({ keychain })).rejects.toMatchObject({
      code: "vault-key-missing",
      data: { backendThen: "memory (unsafe)", backendNow: "another one" },
    });
    expect(contents()).toEqual(before);
    expect(fixture.entries.size).toBe(0);
  });

  test("that holds another vault's key is told apart from a damaged vault", async () => {
    await createWithItem();
    const [account] = fixture.entries.keys();
    fixture.entries.set(account!, new Uint8Array(32).fill(3));
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-wrong" });
    expect(fixture.names()).not.toContain("lock");
  });

  test("opens the vault again when its entry is back", async () => {
    await createWithItem();
    const saved = new Map(fixture.entries);
    fixture.entries.clear();
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-missing" });
    for (const [account, key] of saved) fixture.entries.set(account, key);
    const vault = await fixture.open();
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    await vault.close();
  });
});

describe("a passphrase", () => {
  test("beside the keychain opens the vault when the keychain was emptied", async () => {
    await createWithItem({ passphrase });
    expect(await inspectVault(fixture.directory)).toMatchObject({
      slots: ["passphrase", "keychain"],
    });
    fixture.entries.clear();
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-missing" });
    const vault = await fixture.open({ keychain: null, passphrase });
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    await vault.close();
  });

  test("that is wrong opens nothing and changes nothing", async () => {
    await createWithItem({ keychain: null, passphrase });
    const before = contents();
    await expect(
      fixture.open({ keychain: null, passphrase: "four unrelated words hear" }),
    ).rejects.toMatchObject({ code: "passphrase-wrong" });
    expect(contents()).toEqual(before);
    const vault = await fixture.open({ keychain: null, passphrase });
    await vault.close();
  });

  test("that is weak is refused before the keychain is bothered", async () => {
    await expect(fixture.create({ passphrase: "short" })).rejects.toMatchObject({
      code: "passphrase-weak",
    });
    expect(fixture.entries.size).toBe(0);
    expect(fixture.names()).toEqual([]);
  });

  test("or keychain that the vault has no slot for is a mistake of the caller", async () => {
    await createWithItem();
    await expect(fixture.open({ passphrase })).rejects.toMatchObject({ code: "argument-invalid" });
    await expect(fixture.open({ keychain: null })).rejects.toMatchObject({
      code: "argument-invalid",
    });
    await expect(fixture.create({ keychain: null })).rejects.toMatchObject({
      code: "argument-invalid",
    });
  });
});

describe("the keyring", () => {
  test("of another vault does not open this one", async () => {
    await createWithItem();
    const other = createVaultFixture(worker);
    const vault = await other.create();
    await vault.close();
    writeFileSync(join(fixture.directory, "keyring"), other.bytes("keyring"));
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-missing" });
    // Even with its key at hand: what the key opens belongs to the other vault.
    await expect(fixture.open({ keychain: other.keychain })).rejects.toMatchObject({
      code: "vault-damaged",
    });
    other.remove();
  });

  test("with any byte changed is damaged, and with any length cut", async () => {
    await createWithItem({ passphrase });
    const path = join(fixture.directory, "keyring");
    const whole = fixture.bytes("keyring");
    const check = async () => {
      expect(await inspectVault(fixture.directory)).toEqual({
        kind: "unreadable",
        code: "vault-damaged",
      });
    };
    for (let at = 0; at < whole.length; at++) {
      const changed = Uint8Array.from(whole);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(path, changed);
      await check();
      writeFileSync(path, whole.subarray(0, at));
      await check();
    }
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-damaged" });
    expect(new Uint8Array(readFileSync(path))).toEqual(whole.subarray(0, -1));
  });

  test("of a newer format is refused, and nothing is touched", async () => {
    await createWithItem();
    const { crc32 } = await import("node:zlib");
    const file = Buffer.from(fixture.bytes("keyring"));
    file.writeUInt32BE(2, 8);
    file.writeUInt32BE(crc32(file.subarray(0, 12)), 12);
    writeFileSync(join(fixture.directory, "keyring"), file);
    const before = contents();
    expect(await inspectVault(fixture.directory)).toEqual({
      kind: "unreadable",
      code: "vault-newer-format",
    });
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-newer-format" });
    await expect(fixture.create()).rejects.toMatchObject({ code: "vault-exists" });
    expect(contents()).toEqual(before);
  });
});

test("a creation that a crash cut short begins anew, and takes nothing for a vault", async () => {
  await createWithItem();
  const generation = fixture.bytes("snapshot.1");
  rmSync(fixture.directory, { recursive: true });
  const { mkdirSync } = await import("node:fs");
  mkdirSync(fixture.directory);
  writeFileSync(join(fixture.directory, "creating"), "");
  writeFileSync(join(fixture.directory, "snapshot.1"), generation);
  writeFileSync(join(fixture.directory, "log.1.new"), "half");
  writeFileSync(join(fixture.directory, "keyring.new"), "half");
  expect(await inspectVault(fixture.directory)).toEqual({ kind: "none" });
  await expect(fixture.open()).rejects.toMatchObject({ code: "vault-missing" });
  await createWithItem();
  expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1"]);
});
