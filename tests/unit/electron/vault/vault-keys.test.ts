import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError, toBase64url, type ErrorCode } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { openKeyring } from "../../../../crypto/vault/keyring.ts";
import {
  createKeytarKeychain,
  unsafeMemoryKeychain,
  type Keychain,
} from "../../../../electron/keychain/index.ts";
import { inspectVault, type VaultUnlock } from "../../../../electron/vault/index.ts";
import { decodeKeyring } from "../../../../electron/vault/keyring.ts";
import { createFakeClock, systemClock } from "../../../support/fake-clock.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";
import { createFaultyKeychain } from "../../../support/faulty-keychain.ts";
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
const byPassphrase = { kind: "passphrase", passphrase } as const;

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

/** An administrator's key pair. */
async function organisationKeys() {
  const { random, xwing } = await loadPrimitives();
  const privateKey = random(32);
  return { privateKey, publicKey: xwing.publicKeyOf(privateKey) };
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
      const vault = await fixture.open({ keychain: failing(code), unlockWith: byPassphrase });
      expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
      expect(vault.keychainState).toBe("none");
      await vault.close();
    },
  );

  test.each(["keychain-absent", "keychain-timeout", "keychain-denied", "keychain-weak"] as const)(
    "that fails with %s when a vault is opened changes nothing, another slot opens it, and so does the next try",
    async (code) => {
      await createWithItem({ passphrase });
      const before = contents();
      const keys = new Map(fixture.entries);
      await expect(fixture.open({ keychain: failing(code) })).rejects.toMatchObject({ code });
      expect(contents()).toEqual(before);
      const other = await fixture.open({ keychain: failing(code), unlockWith: byPassphrase });
      expect([other.keychainState, other.keychainProblem]).toEqual(["unavailable", code]);
      await other.close();
      expect(fixture.entries).toEqual(keys);
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

  test("that hangs doesn't hold up closing, not even for a compaction that waits for it", async () => {
    await createWithItem();
    const keychain = createFaultyKeychain(fixture.entries);
    const vault = await fixture.open({ keychain });
    keychain.decide = ({ operation }) =>
      operation === "set" ? { code: "keychain-timeout", effect: "hang" } : null;
    const compacting = vault.compact().catch(() => undefined);
    await vi.waitUntil(() => keychain.calls.some(({ operation }) => operation === "set"));
    const startMs = performance.now();
    await vault.close();
    expect(performance.now() - startMs).toBeLessThan(2_000);
    await compacting;
    const again = await fixture.open();
    expect(itemsOf(again)).toEqual(new Map([["a", 1]]));
    expect(again.keychainState).toBe("in-step");
    await again.close();
  });

  test("is not asked any more once a vault could not be opened", async () => {
    await createWithItem({ passphrase });
    const snapshot = fixture.bytes("snapshot.1");
    writeFileSync(join(fixture.directory, "snapshot.1"), snapshot.subarray(0, -1));
    const clock = createFakeClock();
    const opening = fixture.open({
      clock,
      keychain: failing("keychain-denied"),
      unlockWith: byPassphrase,
    });
    await expect(opening).rejects.toMatchObject({ code: "vault-damaged" });
    expect(clock.waiting).toBe(0);
  });

  test("gives keys that are wiped, whatever becomes of them", async () => {
    await createWithItem({ passphrase });
    const given: Uint8Array[] = [];
    const keychain: Keychain = {
      ...fixture.keychain,
      async get(account) {
        const value = await fixture.keychain.get(account);
        if (value !== null) given.push(value);
        return value;
      },
    };
    const wrong = { kind: "passphrase", passphrase: "five other words than those" } as const;
    await expect(fixture.open({ keychain, unlockWith: wrong })).rejects.toMatchObject({
      code: "passphrase-wrong",
    });
    const second = {
      ...keychain,
      get: (account: string) =>
        account.endsWith("/1")
          ? Promise.reject(new AppError("keychain-denied"))
          : keychain.get(account),
    };
    await expect(fixture.open({ keychain: second })).rejects.toMatchObject({
      code: "keychain-denied",
    });
    await (await fixture.open({ keychain })).close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(given.length).toBeGreaterThan(4);
    for (const key of given) expect(key.every((byte) => byte === 0)).toBe(true);
  });

  test("that was emptied is said to be, with what has changed since, and no new key is made", async () => {
    await createWithItem({ application: "app.before", user: "somebody" });
    const before = contents();
    fixture.entries.clear();
    const keychain = { ...fixture.keychain, backend: "another one" };
    const error: unknown = await fixture
      .open({ keychain, application: "app.now", user: "somebody" })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "vault-key-missing" });
    expect(error).toHaveProperty("data", {
      backendThen: "memory (unsafe)",
      backendNow: "another one",
      applicationThen: "app.before",
      applicationNow: "app.now",
    });
    expect(contents()).toEqual(before);
    expect(fixture.entries.size).toBe(0);
  });

  test("of another machine is missing the key, and the folder is said to be another one", async () => {
    await createWithItem({ user: "somebody" });
    const directory = fixture.copy("elsewhere");
    const keychain = unsafeMemoryKeychain();
    await expect(
      fixture.open({ directory, keychain, user: "somebody else" }),
    ).rejects.toMatchObject({
      code: "vault-key-missing",
      data: {
        userThen: "somebody",
        userNow: "somebody else",
        pathThen: fixture.directory,
        pathNow: directory,
      },
    });
  });

  test("that opens the vault in a new place is compared with that one from then on", async () => {
    await createWithItem({ user: "somebody" });
    const vault = await fixture.open({ user: "renamed" });
    await vault.destroyKeys({ leaves: [], hoursBefore: 1 });
    await vault.close();
    fixture.entries.clear();
    await expect(fixture.open({ user: "renamed" })).rejects.toMatchObject({
      code: "vault-key-missing",
      data: {},
    });
    expect(await inspectVault(fixture.directory)).toMatchObject({
      slotFacts: [{ kind: "keychain", user: "renamed", path: fixture.directory }],
    });
  });

  test("that holds another vault's key is told apart from a damaged vault", async () => {
    await createWithItem();
    for (const account of fixture.entries.keys()) {
      fixture.entries.set(account, new Uint8Array(32));
    }
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-wrong" });
    expect(fixture.names()).not.toContain("lock");
  });

  test("with one entry gone opens the vault with the other, and gets it back at once", async () => {
    for (const lost of ["/0", "/1"]) {
      await createWithItem({ passphrase });
      const saved = new Map(fixture.entries);
      const name = [...fixture.entries.keys()].find((account) => account.endsWith(lost));
      fixture.entries.delete(name!);
      // Of revision 1 the key lies in entry 1.
      const vault = await fixture.open(lost === "/1" ? { unlockWith: byPassphrase } : {});
      expect(vault.keychainState).toBe("in-step");
      expect(fixture.entries.size).toBe(2);
      expect([...fixture.entries.keys()].sort()).toEqual([...saved.keys()].sort());
      await vault.close();
      await (await fixture.open()).close();
      fixture.remove();
      fixture = createVaultFixture(worker);
    }
  });

  test.each(["", "short", "x".repeat(5_000), toBase64url(new Uint8Array(33))])(
    "that answers with a value of a wrong length holds no key of ours",
    async (value) => {
      await createWithItem({ passphrase });
      const before = contents();
      const keychain = createKeytarKeychain({
        clock: systemClock,
        platform: "darwin",
        load: () =>
          Promise.resolve({
            getPassword: () => Promise.resolve(value),
            setPassword: () => Promise.reject(new Error("The value is too long")),
            deletePassword: () => Promise.resolve(true),
          }),
      });
      await expect(fixture.open({ keychain })).rejects.toMatchObject({ code: "vault-key-wrong" });
      expect(contents()).toEqual(before);
      const vault = await fixture.open({ keychain, unlockWith: byPassphrase });
      expect([vault.keychainState, vault.keychainProblem]).toEqual(["behind", "keychain-denied"]);
      await vault.close();
      const other = createVaultFixture(worker);
      await expect(other.create({ keychain })).rejects.toMatchObject({ code: "keychain-denied" });
      expect(other.names()).toEqual([]);
      other.remove();
    },
  );

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
      slots: ["keychain", "passphrase"],
    });
    fixture.entries.clear();
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-key-missing" });
    const vault = await fixture.open({ keychain: null, unlockWith: byPassphrase });
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    expect([vault.keychainState, vault.keychainProblem]).toEqual([
      "unavailable",
      "keychain-absent",
    ]);
    await vault.close();
    expect(fixture.entries.size).toBe(0);
    // With the keychain at hand, it is filled again.
    await (await fixture.open({ unlockWith: byPassphrase })).close();
    await (await fixture.open()).close();
  });

  test("that is wrong opens nothing and changes nothing", async () => {
    await createWithItem({ keychain: null, passphrase });
    const before = contents();
    await expect(
      fixture.open({
        keychain: null,
        unlockWith: { kind: "passphrase", passphrase: "four unrelated words hear" },
      }),
    ).rejects.toMatchObject({ code: "passphrase-wrong" });
    expect(contents()).toEqual(before);
    const vault = await fixture.open({ keychain: null, unlockWith: byPassphrase });
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
    await expect(fixture.open({ unlockWith: byPassphrase })).rejects.toMatchObject({
      code: "argument-invalid",
    });
    await expect(fixture.open({ keychain: null })).rejects.toMatchObject({
      code: "argument-invalid",
    });
    await expect(fixture.create({ keychain: null })).rejects.toMatchObject({
      code: "argument-invalid",
    });
  });
});

describe("slots", () => {
  test("of all kinds still open the vault after twenty exchanges, and one that was removed does not", async () => {
    await createWithItem();
    const { privateKey, publicKey } = await organisationKeys();
    const vault = await fixture.open();
    let changes = 0;
    vault.onKeysChanged(() => void (changes += 1));
    await vault.setSlot({ kind: "passphrase", passphrase });
    const { recoveryCode } = await vault.setSlot({ kind: "recovery-code" });
    await vault.setSlot({ kind: "organisation", publicKey });
    expect(changes).toBe(3);
    for (let leaf = 0; leaf < 20; leaf++) {
      await vault.destroyKeys({ leaves: [{ hour: 500_000, leaf }], hoursBefore: null });
    }
    const { keyring, slots } = await vault.facts();
    expect(keyring.revision).toBe(24);
    expect(slots.map(({ kind }) => kind)).toEqual([
      "keychain",
      "passphrase",
      "recovery-code",
      "organisation",
    ]);
    await vault.close();
    const code = recoveryCode?.toLowerCase().replaceAll("-", " ") ?? "";
    const ways: readonly VaultUnlock[] = [
      { kind: "keychain" },
      byPassphrase,
      { kind: "recovery-code", code },
      { kind: "organisation", privateKey },
    ];
    for (const unlockWith of ways) {
      const again = await fixture.open({ unlockWith });
      expect(itemsOf(again)).toEqual(new Map([["a", 1]]));
      expect(again.keychainState).toBe("in-step");
      expect(again.rolledBack).toBe(false);
      await again.destroyKeys({ leaves: [], hoursBefore: 1 });
      await again.close();
    }
    const last = await fixture.open();
    for (const kind of ["passphrase", "recovery-code", "organisation"] as const) {
      await last.removeSlot(kind);
    }
    await expect(last.removeSlot("passphrase")).rejects.toMatchObject({ code: "argument-invalid" });
    await expect(last.removeSlot("keychain")).rejects.toMatchObject({ code: "argument-invalid" });
    await last.close();
    for (const unlockWith of ways.slice(1)) {
      await expect(fixture.open({ unlockWith })).rejects.toMatchObject({
        code: "argument-invalid",
      });
    }
    await (await fixture.open()).close();
  });

  test("are replaced: the passphrase before opens nothing more, nor does the code", async () => {
    await createWithItem({ passphrase });
    const vault = await fixture.open();
    const first = await vault.setSlot({ kind: "recovery-code" });
    const second = await vault.setSlot({ kind: "recovery-code" });
    expect(second.recoveryCode).not.toEqual(first.recoveryCode);
    await vault.setSlot({ kind: "passphrase", passphrase: "four other words instead" });
    await expect(vault.setSlot({ kind: "passphrase", passphrase: "short" })).rejects.toMatchObject({
      code: "passphrase-weak",
    });
    await vault.close();
    await expect(fixture.open({ unlockWith: byPassphrase })).rejects.toMatchObject({
      code: "passphrase-wrong",
    });
    await expect(
      fixture.open({ unlockWith: { kind: "recovery-code", code: first.recoveryCode ?? "" } }),
    ).rejects.toMatchObject({ code: "recovery-code-wrong" });
    const again = await fixture.open({
      unlockWith: { kind: "passphrase", passphrase: "four other words instead" },
    });
    await again.close();
  });

  test("of the keychain come and go beside a passphrase, and leave no entry behind", async () => {
    await createWithItem({ keychain: null, passphrase });
    const vault = await fixture.open({ unlockWith: byPassphrase });
    expect(vault.keychainState).toBe("none");
    await expect(vault.renewKeychain()).rejects.toMatchObject({ code: "argument-invalid" });
    await vault.setSlot({ kind: "keychain" });
    expect(vault.keychainState).toBe("in-step");
    await vault.close();
    const second = await fixture.open();
    const stolen = new Map(fixture.entries);
    await second.removeSlot("keychain");
    expect(second.keychainState).toBe("none");
    expect(fixture.entries.size).toBe(0);
    await second.close();
    // What the keychain held is of no use, even to whoever kept it.
    const record = decodeKeyring(fixture.bytes("keyring"));
    for (const key of stolen.values()) {
      expect(() => openKeyring(record, key, (sizeBytes) => new Uint8Array(sizeBytes))).toThrow();
    }
    await expect(fixture.open()).rejects.toMatchObject({ code: "argument-invalid" });
    await (await fixture.open({ unlockWith: byPassphrase })).close();
  });

  test("of a keychain that refuses aren't made, and the vault is as it was", async () => {
    await createWithItem({ keychain: null, passphrase });
    const before = fixture.bytes("keyring");
    const vault = await fixture.open({
      keychain: failing("keychain-denied"),
      unlockWith: byPassphrase,
    });
    await expect(vault.setSlot({ kind: "keychain" })).rejects.toMatchObject({
      code: "keychain-denied",
    });
    expect(fixture.bytes("keyring")).toEqual(before);
    expect(vault.keychainState).toBe("none");
    await vault.close();
    const without = await fixture.open({ keychain: null, unlockWith: byPassphrase });
    await expect(without.setSlot({ kind: "keychain" })).rejects.toMatchObject({
      code: "keychain-absent",
    });
    await without.close();
    // One that takes the present key and not the next one.
    const keychain = createFaultyKeychain(fixture.entries);
    keychain.decide = ({ operation, entry }) =>
      operation === "set" && entry === "/0" ? { code: "keychain-denied" } : null;
    const half = await fixture.open({ keychain, unlockWith: byPassphrase });
    await expect(half.setSlot({ kind: "keychain" })).rejects.toMatchObject({
      code: "keychain-denied",
    });
    expect(fixture.entries.size).toBe(0);
    await half.close();
  });
});

test("a generation that a crash kept from its keys gets them at the next start", async () => {
  await createWithItem();
  const vault = await fixture.open();
  await vault.compact();
  const { keyring } = await vault.facts();
  expect(keyring.generations).toEqual([2, 3]);
  await vault.close();
  const files = createFaultyFiles();
  const second = await fixture.open({ files });
  files.decide = ({ name, operation }) =>
    operation === "write" && name === "keyring.new" ? { code: "ENOSPC" } : null;
  await second.compact();
  expect((await second.facts()).keyring.generations).toEqual([2, 3]);
  await second.close();
  const third = await fixture.open();
  expect((await third.facts()).keyring.generations).toEqual([3, 4]);
  expect(itemsOf(third)).toEqual(new Map([["a", 1]]));
  await third.close();
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

  test.each([
    [1, "vault-older-format"],
    [3, "vault-newer-format"],
  ] as const)("of format %i is refused, and nothing is touched", async (format, code) => {
    await createWithItem();
    const file = Buffer.from(fixture.bytes("keyring"));
    file.writeUInt32BE(format, 8);
    file.writeUInt32BE(crc32(file.subarray(0, 12)), 12);
    writeFileSync(join(fixture.directory, "keyring"), file);
    const before = contents();
    expect(await inspectVault(fixture.directory)).toEqual({
      kind: "unreadable",
      code,
    });
    await expect(fixture.open()).rejects.toMatchObject({ code });
    await expect(fixture.create()).rejects.toMatchObject({ code: "vault-exists" });
    expect(contents()).toEqual(before);
  });
});

test("a creation that a crash cut short begins anew, and takes nothing for a vault", async () => {
  await createWithItem();
  const generation = fixture.bytes("snapshot.1");
  rmSync(fixture.directory, { recursive: true });
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
