import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasPrivateKeyring, startPrivateKeyring } from "../../../support/private-keyring.ts";
import type { PrivateKeyring } from "../../../support/private-keyring.ts";

const child = join(import.meta.dirname, "../../../support/keychain-child.ts");
const hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

interface Answer {
  readonly value?: string | null;
  readonly code?: string;
  readonly isHanging: boolean;
  readonly weak: boolean;
}

function ask(environment: Readonly<Record<string, string>>, ...words: string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [child, ...words],
      { env: { PATH: process.env["PATH"] ?? "", ...environment } },
      (error, output) => {
        if (output === "") reject(error ?? new Error("no answer"));
        else resolve(JSON.parse(output) as Answer);
      },
    );
  });
}

const isHere = process.platform === "linux" && hasPrivateKeyring();

describe.skipIf(!isHere)(
  "a real Secret Service (skipped: dbus-daemon and gnome-keyring-daemon are needed)",
  () => {
    let keyring: PrivateKeyring;
    beforeAll(async () => {
      keyring = await startPrivateKeyring();
    });
    afterAll(() => {
      keyring.stop();
    });

    test("serves several profiles that ask at the same moment", async () => {
      const { environment } = keyring;
      const asking = [1, 2].map(() => ask(environment, "look-often", "p/none"));
      for (const answer of await Promise.all(asking)) {
        expect(answer).toMatchObject({ value: null });
      }
    });

    test("keeps a key over processes until it is deleted", async () => {
      const { environment } = keyring;
      expect(await ask(environment, "get", "p/v")).toMatchObject({ value: null });
      expect(await ask(environment, "set", "p/v", hex)).toMatchObject({ value: "set" });
      expect(await ask(environment, "get", "p/v")).toMatchObject({
        value: hex,
        isHanging: false,
        weak: false,
      });
      expect(await ask(environment, "get", "p/w")).toMatchObject({ value: null });
      expect(await ask(environment, "delete", "p/v")).toMatchObject({ value: "deleted" });
      expect(await ask(environment, "get", "p/v")).toMatchObject({ value: null });
    });

    test("that is locked and can't ask its person refuses, and does not claim the key is gone", async () => {
      const { environment } = keyring;
      await ask(environment, "set", "p/v", hex);
      spawnSync(
        "/usr/bin/dbus-send",
        [
          "--session",
          "--print-reply",
          "--dest=org.freedesktop.secrets",
          "/org/freedesktop/secrets",
          "org.freedesktop.Secret.Service.Lock",
          "array:objpath:/org/freedesktop/secrets/collection/login",
        ],
        { env: environment },
      );
      expect(await ask(environment, "get", "p/v")).toMatchObject({ code: "keychain-denied" });
      expect(await ask(environment, "set", "p/v", hex)).toMatchObject({ code: "keychain-denied" });
    });
  },
);

describe.skipIf(!isHere)(
  "a real Secret Service without a password (skipped: dbus-daemon and gnome-keyring-daemon are needed)",
  () => {
    test("gets no key, or is said to be weak where it may", async () => {
      const keyring = await startPrivateKeyring("unprotected");
      const { environment } = keyring;
      try {
        expect(await ask(environment, "set", "p/v", hex)).toMatchObject({
          code: "keychain-weak",
          weak: true,
        });
        expect(await ask(environment, "get", "p/v")).toMatchObject({ value: null });
        const allowed = { ...environment, KEYCHAIN_ALLOW_WEAK: "1" };
        expect(await ask(allowed, "set", "p/v", hex)).toMatchObject({ value: "set", weak: true });
        expect(await ask(environment, "get", "p/v")).toMatchObject({ value: hex, weak: true });
      } finally {
        keyring.stop();
      }
    });
  },
);

describe.skipIf(process.platform !== "linux")("a desktop without a keychain", () => {
  test("has none when there is no D-Bus", async () => {
    const environment = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
    expect(await ask(environment, "get", "a")).toMatchObject({ code: "keychain-absent" });
    expect(await ask(environment, "set", "a", hex)).toMatchObject({ code: "keychain-absent" });
  });

  test("times out when D-Bus takes the call and never answers", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sotto-bus-"));
    const path = join(directory, "bus");
    const server = createServer(() => undefined).listen(path);
    const environment = {
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}`,
      KEYCHAIN_TIMEOUT_MS: "300",
    };
    expect(await ask(environment, "get", "a")).toMatchObject({
      code: "keychain-timeout",
      isHanging: true,
    });
    server.close();
    rmSync(directory, { recursive: true });
  });
});
