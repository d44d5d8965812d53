import { describe, expect, test } from "vitest";
import { AppError, defaultVaultPolicy, type KeySlotKind, type VaultPolicy } from "#protocol";
import { AppBench, settle } from "../../../support/app-fakes.ts";

const current = "correct horse battery staple";
const passphrase = "four unrelated words here";

async function readyBench(...slots: readonly KeySlotKind[]): Promise<AppBench> {
  const bench = new AppBench();
  bench.engine.hasVault(...slots);
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  await bench.start();
  if (slots.includes("passphrase")) await bench.send("vault.unlock", { passphrase: current });
  expect(bench.app.view.phase).toBe("ready");
  return bench;
}

async function decree(bench: AppBench, policy: Partial<VaultPolicy>): Promise<void> {
  bench.engine.client.vaultPolicy = { ...defaultVaultPolicy, ...policy };
  bench.engine.client.emit("view", undefined);
  await settle();
}

const kinds = (bench: AppBench): readonly KeySlotKind[] =>
  bench.engine.vault.slots.map(({ kind }) => kind);

describe("the page about protection", () => {
  test("says what opens the vault, when it locks, and what the policy says", async () => {
    const bench = await readyBench("keychain", "passphrase");
    bench.engine.client.vaultPolicy = { ...defaultVaultPolicy, maxIdleMinutes: 10 };
    expect(await bench.send("protection.get", {})).toEqual({
      ok: true,
      result: {
        keychain: { backend: "Secret Service", state: "in-step", weak: false },
        passphrase: { createdAtMs: 1 },
        asksPassphrase: true,
        recoveryCode: null,
        organisation: null,
        lock: { idleMinutes: 10, onOsLock: true, onSuspend: true },
        policy: {
          lockRequired: false,
          maxIdleMinutes: 10,
          maxAttempts: null,
          recoveryCodeAllowed: true,
        },
      },
    });
  });

  test("knows of no keychain where the vault has none", async () => {
    const bench = await readyBench("passphrase");
    expect(await bench.send("protection.get", {})).toMatchObject({ result: { keychain: null } });
  });
});

describe("a passphrase", () => {
  test("turns the lock on without another one, and is changed only with the one before", async () => {
    const bench = await readyBench("keychain");
    expect(bench.app.view).toMatchObject({ canLock: false });
    expect((await bench.send("protection.setPassphrase", { passphrase, current: null })).ok).toBe(
      true,
    );
    expect(bench.app.view).toMatchObject({ canLock: true });
    for (const wrong of [null, "wrong"]) {
      const answer = await bench.send("protection.setPassphrase", { passphrase, current: wrong });
      expect(answer).toMatchObject({ error: { code: "passphrase-wrong" } });
    }
    expect((await bench.send("protection.setPassphrase", { passphrase, current })).ok).toBe(true);
  });

  test("that was forgotten is replaced once the recovery code has opened the vault", async () => {
    const bench = new AppBench();
    bench.engine.hasVault("passphrase", "recovery-code");
    bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
    await bench.start();
    await bench.send("vault.unlockWithCode", { code: "CODE" });
    expect(await bench.send("protection.get", {})).toMatchObject({
      result: { asksPassphrase: false },
    });
    expect(await bench.send("protection.setPassphrase", { passphrase, current: null })).toEqual({
      ok: true,
      result: null,
    });
    // That one is known.
    expect(
      await bench.send("protection.setPassphrase", { passphrase, current: null }),
    ).toMatchObject({ error: { code: "passphrase-wrong" } });
    await bench.send("vault.lock", {});
    await bench.send("vault.unlock", { passphrase });
    expect(
      await bench.send("protection.setPassphrase", { passphrase, current: null }),
    ).toMatchObject({ error: { code: "passphrase-wrong" } });
  });

  test("that is asked for again is a try like one at the lock", async () => {
    const bench = await readyBench("keychain", "passphrase");
    await decree(bench, { maxAttempts: 6 });
    for (let time = 0; time < 5; time += 1) {
      await bench.send("protection.removePassphrase", { current: "wrong" });
    }
    expect(await bench.send("protection.removePassphrase", { current })).toMatchObject({
      error: { code: "unlock-delayed" },
    });
    await bench.clock.advance(60_000);
    const last = await bench.send("protection.removePassphrase", { current: "wrong" });
    expect(last).toMatchObject({ error: { code: "vault-erased" } });
    expect(bench.engine.steps.at(-1)).toBe("destroyVault");
    expect(bench.engine.client.closed).toBe(true);
  });

  test("is removed with itself, if the keychain holds the key and the policy allows", async () => {
    const bench = await readyBench("keychain", "passphrase");
    await decree(bench, { lockRequired: true });
    expect(await bench.send("protection.removePassphrase", { current })).toMatchObject({
      error: { code: "policy-forbids" },
    });
    await decree(bench, {});
    expect((await bench.send("protection.removePassphrase", { current })).ok).toBe(true);
    expect(bench.app.view).toMatchObject({ canLock: false });
    const alone = await readyBench("passphrase", "recovery-code");
    expect(await alone.send("protection.removePassphrase", { current })).toMatchObject({
      error: { code: "keychain-absent" },
    });
    expect(kinds(alone)).toContain("passphrase");
  });

  test("that the vault refuses leaves everything as it was", async () => {
    const bench = await readyBench("keychain");
    bench.engine.vault.failWith = new AppError("passphrase-weak");
    expect(
      await bench.send("protection.setPassphrase", { passphrase: "short", current: null }),
    ).toMatchObject({ error: { code: "passphrase-weak" } });
    expect(bench.app.view).toMatchObject({ canLock: false });
  });
});

describe("the lock's settings", () => {
  test("are kept, within the bounds of the policy", async () => {
    const bench = await readyBench("keychain", "passphrase");
    await decree(bench, { maxIdleMinutes: 10 });
    const settings = { idleMinutes: 5, onOsLock: false, onSuspend: false };
    expect((await bench.send("protection.configureLock", settings)).ok).toBe(true);
    expect(bench.engine.client.lockSettings).toEqual(settings);
    for (const idleMinutes of [null, 11]) {
      const answer = await bench.send("protection.configureLock", { ...settings, idleMinutes });
      expect(answer).toMatchObject({ error: { code: "policy-forbids" } });
    }
    expect(bench.engine.client.lockSettings).toEqual(settings);
  });
});

describe("a recovery code", () => {
  test("is shown once, and can be removed", async () => {
    const bench = await readyBench("keychain");
    expect(await bench.send("protection.createRecoveryCode", { current: null })).toEqual({
      ok: true,
      result: { code: "CODE" },
    });
    expect(await bench.send("protection.get", {})).toMatchObject({
      result: { recoveryCode: { createdAtMs: 1 } },
    });
    expect((await bench.send("protection.removeRecoveryCode", { current: null })).ok).toBe(true);
    expect(kinds(bench)).toEqual(["keychain"]);
  });

  test("is neither made nor removed without the passphrase of a lock that is on", async () => {
    const bench = await readyBench("keychain", "passphrase");
    const { attempts } = bench.engine;
    const refused = { ok: false, error: { code: "passphrase-wrong" } };
    expect(await bench.send("protection.createRecoveryCode", { current: null })).toEqual(refused);
    expect(attempts.tries, "nothing was tried").toBe(0);
    expect(await bench.send("protection.createRecoveryCode", { current: "wrong" })).toEqual(
      refused,
    );
    expect(attempts.tries).toBe(1);
    expect(kinds(bench)).toEqual(["keychain", "passphrase"]);
    expect((await bench.send("protection.createRecoveryCode", { current })).ok).toBe(true);
    expect(attempts.tries).toBe(0);
    for (const wrong of [null, "wrong"]) {
      const answer = await bench.send("protection.removeRecoveryCode", { current: wrong });
      expect(answer).toEqual(refused);
    }
    expect(kinds(bench)).toContain("recovery-code");
    expect((await bench.send("protection.removeRecoveryCode", { current })).ok).toBe(true);
    expect(kinds(bench)).toEqual(["keychain", "passphrase"]);
  });

  test("that has opened the vault is replaced without the passphrase that was forgotten", async () => {
    const bench = await readyBench("passphrase", "recovery-code");
    await bench.send("vault.lock", {});
    await bench.send("vault.unlockWithCode", { code: "CODE" });
    expect((await bench.send("protection.createRecoveryCode", { current: null })).ok).toBe(true);
  });

  test("that the policy forbids is not made, and one that is there is removed", async () => {
    const bench = await readyBench("keychain", "recovery-code");
    await decree(bench, { recoveryCodeAllowed: false });
    expect(kinds(bench)).toEqual(["keychain"]);
    expect(await bench.send("protection.createRecoveryCode", { current: null })).toMatchObject({
      error: { code: "policy-forbids" },
    });
  });
});

describe("the keychain", () => {
  test("gets the key of a vault that only a passphrase opened", async () => {
    const bench = await readyBench("passphrase");
    expect((await bench.send("protection.renewKeychain", {})).ok).toBe(true);
    expect(kinds(bench)).toEqual(["passphrase", "keychain"]);
    expect(await bench.send("protection.get", {})).toMatchObject({
      result: { keychain: { backend: "Secret Service", state: "in-step" } },
    });
    // The passphrase can go now.
    expect((await bench.send("protection.removePassphrase", { current })).ok).toBe(true);
  });

  test("that can't be used leaves the vault as it was", async () => {
    const bench = await readyBench("passphrase");
    bench.engine.vault.failWith = new AppError("keychain-absent");
    expect(await bench.send("protection.renewKeychain", {})).toMatchObject({
      error: { code: "keychain-absent" },
    });
    expect(kinds(bench)).toEqual(["passphrase"]);
  });
});

describe("the organisation's slot", () => {
  test("is kept in step with the policy's key", async () => {
    const bench = await readyBench("keychain");
    const key = new Uint8Array(1216).fill(1);
    await decree(bench, { organisationKey: key });
    expect(bench.engine.vault.slots.at(-1)).toMatchObject({
      kind: "organisation",
      publicKey: key,
    });
    const other = new Uint8Array(1216).fill(2);
    await decree(bench, { organisationKey: other });
    expect(bench.engine.vault.slots.at(-1)).toMatchObject({ publicKey: other });
    const { slots } = bench.engine.vault;
    await decree(bench, { organisationKey: Uint8Array.from(other) });
    expect(bench.engine.vault.slots, "the same key is no change").toBe(slots);
    await decree(bench, {});
    expect(kinds(bench)).toEqual(["keychain"]);
  });

  test("that could not be made is made at the next occasion", async () => {
    const bench = await readyBench("keychain");
    bench.engine.vault.failWith = new AppError("keychain-timeout");
    await decree(bench, { organisationKey: new Uint8Array(1216) });
    expect(bench.logged.map(({ code }) => code)).toEqual(["keychain-timeout"]);
    bench.engine.vault.failWith = null;
    bench.engine.client.emit("view", undefined);
    await settle();
    expect(kinds(bench)).toEqual(["keychain", "organisation"]);
  });
});

describe("what the person is told of the vault's keys", () => {
  test("is nothing while all is well", async () => {
    const bench = await readyBench("keychain", "passphrase");
    expect(bench.app.view).toMatchObject({ vaultNotices: [] });
  });

  test("comes with the gravest first, and goes with its cause", async () => {
    const bench = await readyBench("keychain");
    const { vault, client } = bench.engine;
    bench.engine.weakKeychain = "basic_text";
    client.rejoining = 3;
    client.vaultPolicy = { ...defaultVaultPolicy, lockRequired: true };
    vault.keychainState = "behind";
    vault.keychainProblem = "keychain-denied";
    bench.events.length = 0;
    vault.keysChanged();
    expect(bench.events.at(-1)?.body).toMatchObject({
      vaultNotices: [
        { kind: "rolled-back", rejoining: 3 },
        { kind: "keychain-behind", code: "keychain-denied" },
        { kind: "keychain-weak", backend: "basic_text" },
        { kind: "lock-required" },
      ],
    });
    expect((await bench.send("protection.renewKeychain", {})).ok).toBe(true);
    expect(vault.renewals).toBe(1);
  });
});

describe("the page about storage", () => {
  test("says what is kept and how the files are", async () => {
    const bench = await readyBench("keychain", "passphrase");
    expect(await bench.send("storage.get", {})).toEqual({
      ok: true,
      result: {
        messages: 2,
        bytes: 1230,
        ends: [{ untilMs: null, messages: 2 }],
        health: {
          state: "healthy",
          damage: null,
          sequence: 7,
          generation: 2,
          snapshotBytes: 1000,
          logBytes: 200,
          logFrames: 5,
          keyringBytes: 30,
          keyringRevision: 4,
          treeNodes: 9,
          lastDestructionMs: 5,
          lastCompactionMs: null,
        },
        slots: ["keychain", "passphrase"],
        isCompacting: false,
      },
    });
    expect((await bench.send("storage.compact", {})).ok).toBe(true);
    expect(bench.engine.vault.compactions).toBe(1);
  });
});
