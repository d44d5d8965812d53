import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toBase64url } from "#protocol";
import {
  createKeytarKeychain,
  unsafeMemoryKeychain,
  type KeytarKeychainOptions,
  type KeytarModule,
} from "../../../../electron/keychain/index.ts";
import { searchKeyringFiles } from "../../../../electron/keychain/clear-text.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

const key = Uint8Array.from({ length: 32 }, (_, index) => index);

function memoryKeytar(entries = new Map<string, string>()): KeytarModule {
  return {
    getPassword: (service, account) =>
      Promise.resolve(entries.get(`${service} ${account}`) ?? null),
    setPassword: (service, account, password) => {
      entries.set(`${service} ${account}`, password);
      return Promise.resolve();
    },
    deletePassword: (service, account) => Promise.resolve(entries.delete(`${service} ${account}`)),
  };
}

function setUp(
  changes: Partial<KeytarModule> = {},
  platform: NodeJS.Platform = "linux",
  options: Partial<KeytarKeychainOptions> = {},
) {
  const clock = createFakeClock();
  const entries = new Map<string, string>();
  const keytar = { ...memoryKeytar(entries), ...changes };
  const keychain = createKeytarKeychain({
    clock,
    platform,
    load: () => Promise.resolve(keytar),
    searchClearText: () => Promise.resolve(false),
    desktop: "",
    ...options,
  });
  return { clock, entries, keychain };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<never>(() => undefined);

describe("a keychain that works", () => {
  test("gives back what it was given, as base64url under the app's name", async () => {
    const { keychain, entries } = setUp();
    await keychain.set("profile/vault", key);
    expect(entries).toEqual(new Map([["app.sotto.desktop profile/vault", toBase64url(key)]]));
    expect(await keychain.get("profile/vault")).toEqual(key);
    await keychain.delete("profile/vault");
    await keychain.delete("profile/vault");
    expect(await keychain.get("profile/vault")).toBeNull();
    expect(entries.size).toBe(0);
    expect(keychain.isHanging).toBe(false);
  });

  test.each([
    ["linux", "Secret Service"],
    ["darwin", "macOS Keychain"],
    ["win32", "Windows Credential Manager"],
    ["openbsd", "openbsd"],
  ] as const)("is named for people on %s", (platform, backend) => {
    expect(setUp({}, platform).keychain.backend).toBe(backend);
  });

  test("is named after the desktop that brings it, on Linux", () => {
    const options = { desktop: "KDE" };
    expect(setUp({}, "linux", options).keychain.backend).toBe("Secret Service (KDE)");
    expect(setUp({}, "darwin", options).keychain.backend).toBe("macOS Keychain");
  });

  test("takes 32 bytes and nothing else", async () => {
    const { keychain, entries } = setUp();
    await expect(keychain.set("a", new Uint8Array(31))).rejects.toMatchObject({
      code: "argument-invalid",
    });
    expect(entries.size).toBe(0);
  });

  test.each(["", "short", "%%%", toBase64url(new Uint8Array(33))])(
    "a foreign value %j under our name is no key of ours",
    async (value) => {
      const { keychain } = setUp({ getPassword: () => Promise.resolve(value) });
      await expect(keychain.get("a")).rejects.toMatchObject({ code: "vault-key-wrong" });
    },
  );
});

describe("a keychain that fails", () => {
  test.each([
    ["Cannot autolaunch D-Bus without X11 $DISPLAY", "keychain-absent"],
    ["Could not connect: No such file or directory", "keychain-absent"],
    [
      "GDBus.Error:org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided by any .service files",
      "keychain-absent",
    ],
    [
      "Object does not exist at path “/org/freedesktop/secrets/collection/login”",
      "keychain-absent",
    ],
    ["Message recipient disconnected from message bus without replying", "keychain-absent"],
    ["No keychain is available. You may need to restart your computer.", "keychain-absent"],
    ["A default keychain could not be found.", "keychain-absent"],
    ["Timeout was reached", "keychain-timeout"],
    ["Cannot create an item in a locked collection", "keychain-denied"],
    ["User interaction is not allowed.", "keychain-denied"],
    ["Prompt dismissed", "keychain-denied"],
    ["Zugriff verweigert", "keychain-denied"],
  ] as const)("%j is %s", async (words, code) => {
    const { keychain } = setUp({
      getPassword: () => Promise.reject(new Error(words)),
      setPassword: () => Promise.reject(new Error(words)),
      deletePassword: () => Promise.reject(new Error(words)),
    });
    await expect(keychain.get("a")).rejects.toMatchObject({ code });
    await expect(keychain.set("a", key)).rejects.toMatchObject({ code });
    await expect(keychain.delete("a")).rejects.toMatchObject({ code });
  });

  test("without its binary is absent, and the app lives on", async () => {
    const keychain = createKeytarKeychain({
      clock: createFakeClock(),
      load: () => Promise.reject(new Error("libsecret-1.so.0: cannot open shared object file")),
    });
    await expect(keychain.get("a")).rejects.toMatchObject({ code: "keychain-absent" });
  });

  test("a Secret Service that stays locked is denied, not empty", async () => {
    const { keychain } = setUp({
      getPassword: () => Promise.resolve(null),
      setPassword: () => Promise.reject(new Error("Cannot create an item in a locked collection")),
    });
    await expect(keychain.get("a")).rejects.toMatchObject({ code: "keychain-denied" });
  });

  test.each([
    ["another value", () => Promise.resolve(toBase64url(new Uint8Array(32)))],
    ["nothing", () => Promise.resolve(null)],
  ])("that reads back %s has not stored the key", async (_title, getPassword) => {
    const { keychain } = setUp({ getPassword });
    await expect(keychain.set("a", key)).rejects.toMatchObject({ code: "keychain-denied" });
  });
});

describe("a keychain that keeps secrets in clear", () => {
  const inClear = { searchClearText: () => Promise.resolve(true) };

  test("gets no key, and is asked with something that is none", async () => {
    const written: string[] = [];
    const { keychain, entries } = setUp(
      {
        setPassword: (_service, _account, password) => {
          written.push(password);
          return Promise.resolve();
        },
      },
      "linux",
      inClear,
    );
    expect(keychain.weak).toBe(false);
    await expect(keychain.set("a", key)).rejects.toMatchObject({
      code: "keychain-weak",
      data: { backend: "Secret Service" },
    });
    expect(keychain.weak).toBe(true);
    expect(written).toEqual(["Sotto looks whether this is kept in clear"]);
    expect(entries.size).toBe(0);
  });

  test("gets one when that is allowed, and is said to be weak", async () => {
    const { keychain } = setUp({}, "linux", { ...inClear, allowWeak: true });
    await keychain.set("a", key);
    expect(await keychain.get("a")).toEqual(key);
    expect(keychain.weak).toBe(true);
  });

  test("still gives the key it has, and takes its successor, or the old one would never go", async () => {
    const { keychain, entries } = setUp({}, "linux", inClear);
    entries.set("app.sotto.desktop a", toBase64url(key));
    expect(await keychain.get("a")).toEqual(key);
    expect(keychain.weak).toBe(true);
    const next = Uint8Array.from(key, (byte) => 255 - byte);
    await keychain.set("a", next);
    expect(await keychain.get("a")).toEqual(next);
    await expect(keychain.set("b", key)).rejects.toMatchObject({ code: "keychain-weak" });
  });

  test("is looked for once, in files of any kind", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sotto-keyrings-"));
    mkdirSync(join(directory, "folder"));
    writeFileSync(join(directory, "other.keyring"), Uint8Array.of(0, 255, 1));
    const search = searchKeyringFiles(directory);
    expect(await search("secret=abc")).toBe(false);
    writeFileSync(join(directory, "default.keyring"), "[1]\nsecret=abc\n");
    expect(await search("abc")).toBe(true);
    expect(await searchKeyringFiles(join(directory, "nowhere"))("abc")).toBe(false);
    rmSync(directory, { recursive: true });
  });
});

describe("a keychain that hangs", () => {
  test("is given up after 15 seconds, and its late answer is ignored", async () => {
    let answerLate: (value: string) => void = () => undefined;
    const { keychain, clock } = setUp({
      getPassword: () => new Promise((resolve) => (answerLate = resolve)),
    });
    const call = keychain.get("a");
    await settle();
    clock.advance(14_999);
    expect(keychain.isHanging).toBe(true);
    clock.advance(1);
    await expect(call).rejects.toMatchObject({ code: "keychain-timeout" });
    expect(keychain.isHanging).toBe(true);
    answerLate(toBase64url(key));
    await settle();
    expect(keychain.isHanging).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  test("holds one thread, however often it is tried again", async () => {
    let calls = 0;
    const { keychain, clock } = setUp({
      getPassword: () => {
        calls += 1;
        return never();
      },
    });
    const tries = Array.from({ length: 6 }, () =>
      keychain.get("a").catch((error: unknown) => error),
    );
    await settle();
    clock.advance(15_000);
    for (const outcome of await Promise.all(tries)) {
      expect(outcome).toMatchObject({ code: "keychain-timeout" });
    }
    expect(calls).toBe(1);
  });

  test("what did not get its turn in time is never done later", async () => {
    const { keychain, clock, entries } = setUp();
    const hanging = setUp({ getPassword: never });
    void hanging.keychain.get("a").catch(() => undefined);
    const write = hanging.keychain.set("b", key);
    await settle();
    hanging.clock.advance(15_000);
    await expect(write).rejects.toMatchObject({ code: "keychain-timeout" });
    expect(hanging.entries.size).toBe(0);
    // A keychain beside it is not held up.
    await keychain.set("b", key);
    expect(entries.size).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  test("works again when the person has answered its question", async () => {
    let answer: (value: string | null) => void = () => undefined;
    const { keychain, clock } = setUp(
      { getPassword: () => new Promise((resolve) => (answer = resolve)) },
      "darwin",
    );
    const first = keychain.get("a");
    await settle();
    clock.advance(15_000);
    await expect(first).rejects.toMatchObject({ code: "keychain-timeout" });
    const second = keychain.get("a");
    answer(null);
    await settle();
    answer(toBase64url(key));
    expect(await second).toEqual(key);
  });
});

test("the keychain in memory keeps copies", async () => {
  const keychain = unsafeMemoryKeychain();
  const value = Uint8Array.from(key);
  await keychain.set("a", value);
  value.fill(0);
  const read = await keychain.get("a");
  expect(read).toEqual(key);
  read?.fill(0);
  expect(await keychain.get("a")).toEqual(key);
  await keychain.delete("a");
  expect(await keychain.get("a")).toBeNull();
});
