import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Vault } from "../../../../electron/vault/index.ts";
import { inspectVault } from "../../../../electron/vault/index.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import {
  createVaultFixture,
  itemsOf,
  put,
  testCatalogue,
  type VaultFixture,
} from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
const opened: Vault[] = [];

beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(() => worker.dispose());
beforeEach(() => {
  fixture = createVaultFixture(worker);
});
afterEach(async () => {
  for (const vault of opened.splice(0)) await vault.close();
  fixture.remove();
});

async function create(...args: Parameters<VaultFixture["create"]>): Promise<Vault> {
  const vault = await fixture.create(...args);
  opened.push(vault);
  return vault;
}

async function open(...args: Parameters<VaultFixture["open"]>): Promise<Vault> {
  const vault = await fixture.open(...args);
  opened.push(vault);
  return vault;
}

describe("creating", () => {
  test("makes keyring, log and snapshot, readable by this user alone, and a key in the keychain", async () => {
    const vault = await create({ profile: "work" });
    expect(fixture.names()).toEqual(["keyring", "lock", "log.1", "snapshot.1"]);
    expect([...fixture.entries.keys()]).toEqual([`work/${vault.vaultId}`]);
    expect(await inspectVault(fixture.directory)).toEqual({
      kind: "present",
      vaultId: vault.vaultId,
      slots: ["keychain"],
    });
    expect(vault).toMatchObject({ sequence: 0, readOnly: null, damage: null });
    await vault.close();
    expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1"]);
  });
});

describe("transactions", () => {
  test("are there after a restart, with every kind of value", async () => {
    const values = [
      0,
      -1,
      2 ** 31,
      -(2 ** 40),
      1.5,
      5e-324,
      Number.MAX_SAFE_INTEGER,
      "",
      "héllo 😀",
      "a\0b",
      null,
      new Uint8Array(),
      new Uint8Array([0, 255]),
      new Uint8Array(100_000).fill(7),
    ];
    const first = await create();
    for (const [index, value] of values.entries()) await first.transact([put(`${index}`, value)]);
    const written = itemsOf(first);
    expect([...written.values()]).toHaveLength(values.length);
    for (const [index, value] of values.entries()) expect(written.get(`${index}`)).toEqual(value);
    await first.close();
    const second = await open();
    expect(itemsOf(second)).toEqual(written);
    expect(second.sequence).toBe(values.length);
  });

  test("several restarts and compactions later everything is still there", async () => {
    let vault = await create();
    for (let round = 0; round < 4; round++) {
      await vault.transact([put(`a${round}`, round)]);
      if (round % 2 === 1) await vault.compact();
      await vault.transact([
        put(`b${round}`, round),
        { name: "delete", params: [`b${round - 1}`] },
      ]);
      await vault.close();
      vault = await open();
      expect(vault.sequence).toBe(2 * (round + 1));
    }
    expect([...itemsOf(vault).keys()]).toEqual(["a0", "a1", "a2", "a3", "b3"]);
    expect(fixture.names()).toEqual(["keyring", "lock", "log.3", "snapshot.3"]);
  });
});
