import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "#protocol";
import {
  createKeytarKeychain,
  unsafeMemoryKeychain,
  type Keychain,
} from "../../../electron/keychain/index.ts";
import { AppStage, type StagedApp } from "../../support/app-stage.ts";

let stage: AppStage;
beforeEach(async () => {
  stage = await AppStage.open();
});
afterEach(() => stage.close());

const passphrase = "four unrelated words here";
const hostParams = { networkName: "Lab", displayName: "Ada", passphrase: null };

async function host(keychain: Keychain): Promise<StagedApp> {
  const ada = stage.start("ada", { keychain });
  await ada.reaches("first-run");
  await ada.ask("profile.host", hostParams);
  await ada.isOnline();
  return ada;
}

/** Ada and Bob, with a message from Ada that Bob has. */
async function hostAndGuest(keychain: Keychain): Promise<{ ada: StagedApp; bob: StagedApp }> {
  const ada = await host(keychain);
  const { link } = await ada.ask("invites.create", { lifetimeSeconds: 3600, uses: 1 });
  const bob = stage.start("bob", { link });
  expect((await bob.reaches("first-run")).link).toBe(link);
  await bob.ask("profile.join", { link, displayName: "Bob", passphrase: null });
  await bob.isOnline();
  await send(ada, bob, "first");
  return { ada, bob };
}

/** Sends as soon as the other one is known, and waits until it has arrived. */
async function send(from: StagedApp, to: StagedApp, text: string): Promise<void> {
  const { me } = await to.reaches("ready");
  await eventually(async () => {
    const people = await from.ask("people.list", {});
    return people.some(({ userId }) => userId === me.userId);
  });
  const { conversationId } = await from.ask("conversation.create", {
    kind: "direct",
    people: [me.userId],
    name: "",
    timers: null,
  });
  await from.ask("message.send", { conversationId, text, replyTo: null, timers: null });
  await eventually(async () => (await textsOf(to)).includes(text));
}

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

describe("a profile that hosts a network", () => {
  test("begins, is joined, ends, and finds everything again with its relay", async () => {
    const keychain = unsafeMemoryKeychain();
    const { ada, bob } = await hostAndGuest(keychain);
    await stage.stop(ada);
    await bob.until(() => {
      const { view } = bob.app;
      return view.phase === "ready" && view.connection.kind !== "online";
    });
    const again = stage.start("ada", { keychain });
    await again.isOnline();
    expect(await textsOf(again)).toEqual(["first"]);
    const view = await again.reaches("ready");
    expect(view.network).toMatchObject({ name: "Lab", hosted: true });
    await bob.isOnline();
    await send(bob, again, "second");
    expect(again.logged).toEqual([]);
  });

  test("keeps its files to its person", async () => {
    const ada = await host(unsafeMemoryKeychain());
    expect((await stat(ada.paths.root)).mode & 0o077).toBe(0);
    for (const name of await readdir(ada.paths.vault)) {
      expect((await stat(join(ada.paths.vault, name))).mode & 0o077, name).toBe(0);
    }
  });
});

describe("a crypto worker that dies", () => {
  test("costs nothing: the vault is opened again and messages go on", async () => {
    const { ada, bob } = await hostAndGuest(unsafeMemoryKeychain());
    const phases: string[] = [];
    ada.app.subscribe(() => phases.push(ada.app.view.phase));
    await ada.crashCryptoWorker();
    await ada.until(() => phases.includes("starting") && ada.app.view.phase === "ready");
    await ada.isOnline();
    expect(await textsOf(ada)).toEqual(["first"]);
    await send(ada, bob, "after the crash");
    await send(bob, ada, "and back");
  });
});

describe("a vault that is there", () => {
  test("without its key is shown as a problem, and nothing of it is touched", async () => {
    const ada = await host(unsafeMemoryKeychain());
    await stage.stop(ada);
    const before = await contents(ada.paths.vault);
    const again = stage.start("ada");
    const { problem } = await again.reaches("problem");
    expect(problem).toEqual({
      code: "vault-key-missing",
      actions: ["retry", "quit", "erase"],
      changed: [],
    });
    for (const name of ["profile.host", "profile.join"]) {
      const link = "sotto://join/x";
      const params = name === "profile.host" ? hostParams : { ...hostParams, link };
      expect((await again.answer(name, params)).ok).toBe(false);
    }
    await stage.stop(again);
    expect(await contents(ada.paths.vault)).toEqual(before);
  });

  test("that was copied from another machine says what is different, stays as it is, and opens by its recovery code", async () => {
    const ada = await host(unsafeMemoryKeychain());
    const { code } = await ada.ask("protection.createRecoveryCode", { current: null });
    await stage.stop(ada);
    const here = stage.pathsOf("moved").vault;
    await cp(ada.paths.vault, here, { recursive: true });
    const before = await contents(here);
    const entries = new Map<string, Uint8Array>();
    const moved = stage.start("moved", { keychain: unsafeMemoryKeychain(entries) });
    const { problem } = await moved.reaches("problem");
    expect(problem).toEqual({
      code: "vault-key-missing",
      actions: ["retry", "use-recovery-code", "quit", "erase"],
      changed: [{ what: "path", before: ada.paths.vault, now: here }],
    });
    expect(await contents(here)).toEqual(before);
    expect(entries.size).toBe(0);

    await moved.ask("vault.unlockWithCode", { code });
    expect((await moved.reaches("ready")).me.displayName).toBe("Ada");
    await moved.ask("protection.renewKeychain", {});
    await stage.stop(moved);
    const again = stage.start("moved", { keychain: unsafeMemoryKeychain(entries) });
    await again.reaches("ready");
    // Where it was made, nothing has changed.
    expect(await readdir(ada.paths.vault)).toContain("keyring");
  });

  test("that is open in another process is left to it", async () => {
    const keychain = unsafeMemoryKeychain();
    const ada = await host(keychain);
    const second = stage.start("ada", { keychain });
    expect((await second.reaches("problem")).problem.code).toBe("vault-in-use");
    await stage.stop(second);
    expect(ada.app.view.phase).toBe("ready");
    await ada.ask("settings.set", { theme: "dark" });
  });

  test("with a passphrase stays locked until it is right, and is locked again by a crash of the worker", async () => {
    const ada = stage.start("ada", { keychain: absentKeychain });
    expect(await ada.reaches("first-run")).toMatchObject({ keychainProblem: "keychain-absent" });
    await ada.ask("profile.host", { ...hostParams, passphrase });
    await stage.stop(ada);
    const again = stage.start("ada", { keychain: absentKeychain });
    await again.reaches("locked");
    await expect(again.ask("vault.unlock", { passphrase: `${passphrase}!` })).rejects.toMatchObject(
      {
        code: "passphrase-wrong",
      },
    );
    await again.ask("vault.unlock", { passphrase });
    await again.reaches("ready");
    expect(await again.ask("about.get", {})).toMatchObject({ keyStore: "passphrase" });
    await again.crashCryptoWorker();
    await again.reaches("locked");
    await again.ask("vault.unlock", { passphrase });
    await again.isOnline();
  });

  test("whose log is damaged opens for reading only, when the person says so", async () => {
    const keychain = unsafeMemoryKeychain();
    const { ada } = await hostAndGuest(keychain);
    await stage.stop(ada);
    const path = join(ada.paths.vault, "log.1");
    const bytes = await readFile(path);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const again = stage.start("ada", { keychain });
    expect((await again.reaches("problem")).problem).toMatchObject({
      code: "vault-damaged",
      actions: ["open-read-only", "retry", "quit", "erase"],
    });
    await again.ask("app.openReadOnly", {});
    expect(await again.reaches("ready")).toMatchObject({ readOnly: "vault-damaged" });
    await again.ask("conversations.list", {});
    expect((await again.answer("settings.set", { theme: "dark" })).ok).toBe(false);
    await stage.stop(again);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

describe("a first run", () => {
  test("that can't reach its relay can be tried again, and after a restart as well", async () => {
    const keychain = unsafeMemoryKeychain();
    const ada = await host(unsafeMemoryKeychain());
    const { link } = await ada.ask("invites.create", { lifetimeSeconds: 3600, uses: 1 });
    await stage.stop(ada);
    const params = { link, displayName: "Bob", passphrase: null };
    const bob = stage.start("bob", { keychain });
    await bob.reaches("first-run");
    await expect(bob.ask("profile.join", params)).rejects.toBeInstanceOf(AppError);
    expect(bob.app.view.phase).toBe("first-run");
    await stage.stop(bob);
    const again = stage.start("bob", { keychain });
    expect(await again.reaches("first-run")).toMatchObject({ link, keychain: "available" });
  });

  test("with a used invite says so and leaves the first run open", async () => {
    const ada = await host(unsafeMemoryKeychain());
    const { link } = await ada.ask("invites.create", { lifetimeSeconds: 3600, uses: 1 });
    const params = { link, displayName: "Bob", passphrase: null };
    const bob = stage.start("bob");
    await bob.reaches("first-run");
    await bob.ask("profile.join", params);
    const cyn = stage.start("cyn");
    await cyn.reaches("first-run");
    await expect(cyn.ask("profile.join", params)).rejects.toMatchObject({ code: "invite-used" });
    const fresh = await ada.ask("invites.create", { lifetimeSeconds: 3600, uses: 1 });
    await cyn.ask("profile.join", { ...params, link: fresh.link, displayName: "Cyn" });
    expect(await cyn.reaches("ready")).toMatchObject({ me: { displayName: "Cyn" } });
  });

  test("on a relay folder whose vault was lost does not take the network over", async () => {
    const ada = await host(unsafeMemoryKeychain());
    await stage.stop(ada);
    await rm(ada.paths.vault, { recursive: true });
    const again = stage.start("ada");
    await again.reaches("first-run");
    await expect(again.ask("profile.host", hostParams)).rejects.toMatchObject({
      code: "network-claimed",
    });
  });
});

/** What lies in a directory, by name. */
async function contents(directory: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(directory)).sort();
  const read = names.map(async (name) => {
    return [name, (await readFile(join(directory, name))).toString("base64")] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** What keytar says on a machine without a secret service. */
const absentKeychain: Keychain = createKeytarKeychain({
  clock: { now: () => 0, setTimeout: () => () => undefined },
  load: () => {
    const absent = (): Promise<never> =>
      Promise.reject(
        new Error("The name org.freedesktop.secrets was not provided by any .service files"),
      );
    return Promise.resolve({
      getPassword: absent,
      setPassword: absent,
      deletePassword: absent,
    });
  },
});
