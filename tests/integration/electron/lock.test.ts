import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { erasePhrase } from "#protocol";
import { unsafeMemoryKeychain } from "../../../electron/keychain/index.ts";
import { AppStage, type StagedApp } from "../../support/app-stage.ts";

// Each passphrase is stretched for about a second.
vi.setConfig({ testTimeout: 60_000 });

let stage: AppStage;
let entries: Map<string, Uint8Array>;
beforeEach(async () => {
  stage = await AppStage.open();
  entries = new Map();
});
afterEach(() => stage.close());

const passphrase = "four unrelated words here";
const minute = 60_000;

async function host(): Promise<StagedApp> {
  const ada = stage.start("ada", { keychain: unsafeMemoryKeychain(entries) });
  await ada.reaches("first-run");
  await ada.ask("profile.host", { networkName: "Lab", displayName: "Ada", passphrase: null });
  await ada.isOnline();
  return ada;
}

async function hostWithLock(): Promise<StagedApp> {
  const ada = await host();
  await ada.ask("protection.setPassphrase", { passphrase, current: null });
  expect(await ada.reaches("ready")).toMatchObject({ canLock: true });
  return ada;
}

async function again(profile: StagedApp): Promise<StagedApp> {
  await stage.stop(profile);
  return stage.start("ada", { keychain: unsafeMemoryKeychain(entries) });
}

const reasonOf = async (app: StagedApp): Promise<string> => (await app.reaches("locked")).reason;

describe("a vault with a lock", () => {
  test("drops everything within a second, and has everything again after it", async () => {
    const ada = await hostWithLock();
    await ada.ask("settings.set", { theme: "dark" });
    const startMs = performance.now();
    await ada.ask("vault.lock", {});
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(await reasonOf(ada)).toBe("person");
    await expect(ada.ask("conversations.list", {})).rejects.toMatchObject({ code: "not-ready" });
    await ada.ask("vault.unlock", { passphrase });
    await ada.isOnline();
    expect(await ada.reaches("ready")).toMatchObject({ settings: { theme: "dark" } });
    expect(ada.logged).toEqual([]);
  });

  test("is locked within a second while much is under way", async () => {
    const ada = await hostWithLock();
    const work = [
      ada.answer("storage.compact", {}),
      // A second of the worker's time, in which it hears nothing.
      ada.answer("protection.setPassphrase", { passphrase: `${passphrase}!`, current: passphrase }),
      ...["light", "dark", "system"].map((theme) => ada.answer("settings.set", { theme })),
    ];
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startMs = performance.now();
    ada.app.away("os-lock");
    await ada.reaches("locked");
    expect(performance.now() - startMs).toBeLessThan(1000);
    await Promise.all(work);
    const answers = await Promise.all(
      [passphrase, `${passphrase}!`].map((words) =>
        ada.answer("vault.unlock", { passphrase: words }),
      ),
    );
    // The change was made whole, or not at all.
    expect(
      answers.filter(({ ok }) => ok).length + Number(ada.app.view.phase === "ready"),
    ).toBeGreaterThan(0);
  });

  test("counts what arrives, and fetches it after the unlock", async () => {
    const ada = await hostWithLock();
    const { link } = await ada.ask("invites.create", { lifetimeSeconds: 3600, uses: 1 });
    const bob = stage.start("bob");
    await bob.reaches("first-run");
    await bob.ask("profile.join", { link, displayName: "Bob", passphrase: null });
    await bob.isOnline();
    const { me } = await ada.reaches("ready");
    const { conversationId } = await bob.ask("conversation.create", {
      kind: "direct",
      people: [me.userId],
      name: "",
      timers: null,
    });
    const send = (text: string) =>
      bob.ask("message.send", { conversationId, text, replyTo: null, timers: null });
    await send("before");
    await eventually(async () => (await textsOf(ada)).includes("before"));
    await ada.ask("vault.lock", {});
    await send("while it was locked");
    await ada.until(() => ada.app.view.phase === "locked" && ada.app.view.newMessages > 0);
    await ada.ask("vault.unlock", { passphrase });
    await eventually(async () => (await textsOf(ada)).includes("while it was locked"));
    expect(ada.logged).toEqual([]);
  });

  test("is locked at the next start, and slows down who guesses", async () => {
    const ada = await again(await hostWithLock());
    expect(await reasonOf(ada)).toBe("start");
    for (let time = 0; time < 5; time += 1) {
      await expect(ada.ask("vault.unlock", { passphrase: "wrong" })).rejects.toMatchObject({
        code: "passphrase-wrong",
      });
    }
    await expect(ada.ask("vault.unlock", { passphrase })).rejects.toMatchObject({
      code: "unlock-delayed",
    });
    const restarted = await again(ada);
    expect((await restarted.reaches("locked")).waitUntilMs).not.toBeNull();
    restarted.awayMs = minute;
    await restarted.ask("vault.unlock", { passphrase });
    await restarted.reaches("ready");
  });

  test("whose record of tries is damaged waits, and loses nothing", async () => {
    const ada = await hostWithLock();
    await stage.stop(ada);
    await writeFile(join(ada.paths.vault, "attempts"), "?");
    const restarted = stage.start("ada", { keychain: unsafeMemoryKeychain(entries) });
    expect((await restarted.reaches("locked")).waitUntilMs).not.toBeNull();
    restarted.awayMs = 60 * minute;
    await restarted.ask("vault.unlock", { passphrase });
    await restarted.reaches("ready");
  });

  test("opens without a word again once the passphrase is removed", async () => {
    const ada = await hostWithLock();
    await expect(
      ada.ask("protection.removePassphrase", { current: "wrong" }),
    ).rejects.toMatchObject({ code: "passphrase-wrong" });
    await ada.ask("protection.removePassphrase", { current: passphrase });
    await (await again(ada)).isOnline();
  });
});

describe("a keychain that has forgotten", () => {
  test("is no loss while there is a passphrase, and can be mended", async () => {
    const ada = await hostWithLock();
    await stage.stop(ada);
    entries.clear();
    const restarted = stage.start("ada", { keychain: unsafeMemoryKeychain(entries) });
    await restarted.reaches("locked");
    await restarted.ask("vault.unlock", { passphrase });
    await restarted.isOnline();
    await eventually(async () => {
      const { keychain } = await restarted.ask("protection.get", {});
      if (keychain?.state !== "in-step") await restarted.ask("protection.renewKeychain", {});
      return keychain?.state === "in-step";
    });
    expect(entries.size).toBe(2);
    expect((await restarted.reaches("ready")).vaultNotices).toEqual([]);
  });

  test("is no loss while there is a recovery code", async () => {
    const ada = await host();
    const { code } = await ada.ask("protection.createRecoveryCode", { current: null });
    await stage.stop(ada);
    entries.clear();
    const restarted = stage.start("ada", { keychain: unsafeMemoryKeychain(entries) });
    expect((await restarted.reaches("problem")).problem).toMatchObject({
      code: "vault-key-missing",
      actions: ["retry", "use-recovery-code", "quit", "erase"],
    });
    const wrong = code.replace(/^./u, (first) => (first === "7" ? "8" : "7"));
    expect((await restarted.answer("vault.unlockWithCode", { code: wrong })).ok).toBe(false);
    await restarted.ask("vault.unlockWithCode", { code: code.toLowerCase() });
    await restarted.isOnline();
  });
});

describe("erasing", () => {
  test("leaves neither files nor entries, and begins anew", async () => {
    const ada = await again(await hostWithLock());
    await ada.reaches("locked");
    await ada.ask("vault.erase", { phrase: erasePhrase });
    await ada.reaches("first-run");
    expect(entries.size).toBe(0);
    const left = await readdir(ada.paths.vault).catch(() => []);
    for (const name of left) {
      expect((await readFile(join(ada.paths.vault, name))).length, name).toBe(0);
    }
  });
});

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries === 300) throw new Error("it did not come");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The last line of every conversation. */
async function textsOf(staged: StagedApp): Promise<readonly string[]> {
  const rows = await staged.ask("conversations.list", {});
  return rows.flatMap(({ preview }) => (preview.kind === "text" ? [preview.text] : []));
}
