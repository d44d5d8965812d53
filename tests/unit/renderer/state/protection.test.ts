import { beforeEach, describe, expect, test } from "vitest";
import { AppError, type ProtectionView } from "#protocol";
import { idleChoices, Protection } from "../../../../renderer/state/protection.svelte.ts";
import { TestRuntime } from "./support.ts";

const view: ProtectionView = {
  keychain: { backend: "GNOME Keyring", state: "behind", weak: false },
  passphrase: { createdAtMs: 1 },
  asksPassphrase: true,
  recoveryCode: null,
  organisation: null,
  lock: { idleMinutes: 15, onOsLock: true, onSuspend: false },
  policy: {
    lockRequired: false,
    maxIdleMinutes: null,
    maxAttempts: null,
    recoveryCodeAllowed: true,
  },
};

let runtime: TestRuntime;
let protection: Protection;

beforeEach(async () => {
  runtime = new TestRuntime();
  runtime.answer("protection.get", () => view);
  protection = new Protection(runtime);
  await protection.load();
});

describe("what protects the vault", () => {
  test("is shown anew after each change", async () => {
    await protection.renewKeychain();
    expect(runtime.paramsOf("protection.get")).toHaveLength(2);
    expect(protection.busy).toBeNull();
  });

  test("shows a changed lock at once, and sends the whole of it", async () => {
    const done = protection.configureLock({ onSuspend: true });
    expect(protection.view?.lock.onSuspend).toBe(true);
    await done;
    expect(runtime.paramsOf("protection.configureLock")).toEqual([
      { idleMinutes: 15, onOsLock: true, onSuspend: true },
    ]);
  });

  test("shows what holds when a change was refused", async () => {
    runtime.answer("protection.configureLock", () => {
      throw new AppError("policy-forbids");
    });
    await expect(protection.configureLock({ idleMinutes: null })).rejects.toThrow(AppError);
    expect(protection.view?.lock.idleMinutes).toBe(15);
  });

  test("gives a new recovery code to whoever asked, and keeps none", async () => {
    runtime.answer("protection.createRecoveryCode", () => ({ code: "7C2K-9QXD" }));
    expect(await protection.createRecoveryCode(null)).toBe("7C2K-9QXD");
    expect(JSON.stringify(protection)).not.toContain("7C2K");
  });

  test("changes a recovery code with the passphrase that was given, and keeps that neither", async () => {
    runtime.answer("protection.createRecoveryCode", () => ({ code: "7C2K-9QXD" }));
    runtime.answer("protection.removeRecoveryCode", () => null);
    await protection.createRecoveryCode("umbrella");
    await protection.removeRecoveryCode("umbrella");
    for (const name of ["createRecoveryCode", "removeRecoveryCode"] as const) {
      expect(runtime.paramsOf(`protection.${name}`)).toEqual([{ current: "umbrella" }]);
    }
    expect(JSON.stringify(protection)).not.toContain("umbrella");
  });

  test("says what was wrong with the passphrase, also when nothing can be shown any more", async () => {
    runtime.answer("protection.createRecoveryCode", () => {
      throw new AppError("vault-erased");
    });
    runtime.answer("protection.get", () => {
      throw new AppError("not-ready");
    });
    await expect(protection.createRecoveryCode("wrong")).rejects.toMatchObject({
      code: "vault-erased",
    });
  });

  test("knows when the passphrase is all there is", async () => {
    expect(protection.onlyPassphrase).toBe(false);
    runtime.answer("protection.get", () => ({ ...view, keychain: null }));
    await protection.load();
    expect(protection.onlyPassphrase).toBe(true);
  });
});

describe("the times after which Sotto may lock", () => {
  test("end with never", () => {
    expect(idleChoices(15, null).map(({ minutes }) => minutes)).toEqual([
      1,
      5,
      15,
      30,
      60,
      240,
      null,
    ]);
  });

  test("hold the one that is set and the longest that is allowed, wherever they lie", () => {
    const choices = idleChoices(7, 20);
    expect(choices.map(({ minutes }) => minutes)).toEqual([1, 5, 7, 15, 20, 30, 60, 240, null]);
    expect(choices.filter(({ forbidden }) => !forbidden).map(({ minutes }) => minutes)).toEqual([
      1, 5, 7, 15, 20,
    ]);
  });
});
