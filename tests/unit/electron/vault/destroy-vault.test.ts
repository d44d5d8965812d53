import { copyFileSync, linkSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { destroyVault, forgetErased, inspectVault } from "../../../../electron/vault/index.ts";
import { systemClock } from "../../../support/fake-clock.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";
import { createFaultyKeychain } from "../../../support/faulty-keychain.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import { createVaultFixture, type VaultFixture } from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

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

async function createAndClose(passphrase: string | null = null): Promise<void> {
  await (await fixture.create({ passphrase })).close();
}

describe("destroying a vault", () => {
  test("takes its keys first, and leaves nothing", async () => {
    await createAndClose("four unrelated words here");
    const { keychain, directory } = fixture;
    const files = createFaultyFiles();
    await destroyVault({ directory, keychain, clock: systemClock, files });
    expect(fixture.names()).toEqual([]);
    expect(fixture.entries.size).toBe(0);
    const removed = files.calls.filter(({ operation }) => operation === "remove");
    expect(removed[0]?.name).toBe("keyring");
    expect(await inspectVault(directory)).toEqual({ kind: "none" });
    await createAndClose();
  });

  test("overwrites a keyring that wasn't taken as well", async () => {
    await createAndClose("four unrelated words here");
    const { keychain, directory } = fixture;
    const kept = ["keyring", "keyring.new"].map((name) => {
      const path = join(directory, name);
      if (name === "keyring.new") copyFileSync(join(directory, "keyring"), path);
      // Another name for what lies on the disk.
      const link = join(fixture.root, name);
      linkSync(path, link);
      return link;
    });
    await destroyVault({ directory, keychain, clock: systemClock });
    expect(fixture.names()).toEqual([]);
    for (const link of kept) expect(readFileSync(link).every((byte) => byte === 0)).toBe(true);
  });

  test("that is in use is refused", async () => {
    const vault = await fixture.create();
    const { keychain, directory } = fixture;
    await expect(destroyVault({ directory, keychain, clock: systemClock })).rejects.toMatchObject({
      code: "vault-in-use",
    });
    await vault.close();
    await (await fixture.open()).close();
  });

  test("cut short anywhere has left the vault whole, or one that says it was erased, and is gone on with", async () => {
    const { keychain, directory } = fixture;
    for (let at = 1; ; at++) {
      await createAndClose();
      const files = createFaultyFiles();
      let calls = 0;
      files.decide = ({ name }) => {
        if (name === "lock") return null;
        calls += 1;
        return calls >= at ? { code: "EIO" } : null;
      };
      await destroyVault({ directory, keychain, clock: systemClock, files }).catch(() => undefined);
      const found = await inspectVault(directory);
      if (found.kind === "unreadable") {
        expect(found.code).toBe("vault-erased");
        await expect(fixture.open()).rejects.toMatchObject({ code: "vault-erased" });
        await expect(fixture.create()).rejects.toMatchObject({ code: "vault-exists" });
      } else if (found.kind === "present") {
        await (await fixture.open()).close();
      }
      await destroyVault({ directory, keychain, clock: systemClock });
      expect(fixture.names()).toEqual([]);
      if (calls < at) break;
    }
  });

  test("whose keychain refuses takes all the rest, says so, and is remembered until the entries are gone", async () => {
    await createAndClose();
    const { directory } = fixture;
    const keychain = createFaultyKeychain(fixture.entries);
    keychain.decide = () => ({ code: "keychain-denied" });
    const destroying = destroyVault({ directory, keychain, clock: systemClock });
    await expect(destroying).rejects.toMatchObject({ code: "keychain-denied" });
    expect(fixture.names()).toEqual(["erased"]);
    await expect(forgetErased({ directory, keychain })).rejects.toMatchObject({
      code: "keychain-denied",
    });
    // It is no vault any more, and hinders no new one; which may have the same fate.
    await createAndClose();
    await expect(destroyVault({ directory, keychain, clock: systemClock })).rejects.toThrow();
    expect(fixture.names()).toEqual(["erased"]);
    expect(fixture.entries.size).toBe(4);
    keychain.decide = () => null;
    await forgetErased({ directory, keychain });
    expect(fixture.names()).toEqual([]);
    expect(fixture.entries.size).toBe(0);
    await forgetErased({ directory, keychain: null });
  });

  test("whose keychain hangs is overwritten all the same, and the next start knows the entries' name", async () => {
    await createAndClose();
    const { directory } = fixture;
    const hanging = createFaultyKeychain(fixture.entries);
    hanging.decide = () => ({ code: "keychain-timeout", effect: "hang" });
    void destroyVault({ directory, keychain: hanging, clock: systemClock });
    await vi.waitFor(() => {
      expect(fixture.names()).toEqual(["erasing", "lock"]);
    });
    // The process dies.
    rmSync(join(directory, "lock"));
    const { keychain } = fixture;
    await destroyVault({ directory, keychain, clock: systemClock });
    expect(fixture.names()).toEqual([]);
    expect(fixture.entries.size).toBe(0);
  });
});
