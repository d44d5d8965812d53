import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError, nameSchema, parse } from "#protocol";
import { readAboutFacts } from "../../../../electron/app/about-facts.ts";
import { probeKeychain } from "../../../../electron/app/keychain-probe.ts";
import { lineLog } from "../../../../electron/app/line-log.ts";
import { deviceNameOf, thisMachine } from "../../../../electron/app/machine.ts";
import { systemClock } from "../../../../electron/app/system-clock.ts";
import { unsafeMemoryKeychain, type Keychain } from "../../../../electron/keychain/index.ts";

describe("the log", () => {
  let lines: string[];
  const log = lineLog(
    (line) => lines.push(line),
    () => Date.UTC(2026, 0, 2),
  );
  beforeEach(() => {
    lines = [];
  });

  test("says what failed, when, and what is safe to say of it", () => {
    log.error("the start stopped", new AppError("disk-full", { data: { file: "log.1" } }));
    expect(lines).toEqual([
      '2026-01-02T00:00:00.000Z the start stopped: disk-full {"file":"log.1"}',
    ]);
  });

  test("says where a bug is, but not the words that another's error carries", () => {
    const cause = new TypeError("cannot read 'Hello Grace' of undefined");
    log.error("a command failed", new AppError("internal", { cause }));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("TypeError");
    expect(lines[1]).toContain("parts.test.ts");
    expect(lines.join("\n")).not.toContain("Grace");
  });

  test("says nothing of the cause of what is no bug", () => {
    log.error("x", new AppError("disk-full", { cause: new Error("secret") }));
    expect(lines.join("\n")).not.toContain("secret");
  });
});

describe("looking whether the keychain works", () => {
  const random = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(5);

  test("leaves nothing behind in one that does", async () => {
    const entries = new Map<string, Uint8Array>();
    expect(await probeKeychain(unsafeMemoryKeychain(entries), random)).toBeNull();
    expect(entries.size).toBe(0);
  });

  test.each([
    ["keychain-timeout", new AppError("keychain-timeout")],
    ["keychain-denied", new AppError("keychain-denied")],
    ["internal", new TypeError("x")],
  ])("says %s of one that fails", async (code, error) => {
    const keychain = { ...unsafeMemoryKeychain(), set: () => Promise.reject(error) };
    expect(await probeKeychain(keychain, random)).toBe(code);
  });

  test.each<[string, Partial<Keychain>]>([
    ["forgets", { get: () => Promise.resolve(null) }],
    ["gives something else back", { get: () => Promise.resolve(new Uint8Array(32)) }],
  ])("does not trust one that %s", async (_what, fault) => {
    const keychain = { ...unsafeMemoryKeychain(), ...fault };
    expect(await probeKeychain(keychain, random)).toBe("keychain-absent");
  });
});

describe("the system's clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("rings after waits that are longer than Node's timers, and not before", () => {
    const rung: number[] = [];
    const days = 60 * 24 * 60 * 60 * 1000;
    systemClock.setTimeout(() => rung.push(1), days);
    vi.advanceTimersByTime(days - 1);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual([1]);
  });

  test("can be stopped at any stage of a long wait", () => {
    const rung: number[] = [];
    const days = 60 * 24 * 60 * 60 * 1000;
    const cancel = systemClock.setTimeout(() => rung.push(1), days);
    vi.advanceTimersByTime(days / 2);
    cancel();
    vi.advanceTimersByTime(days);
    expect(rung).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("rings at once for a moment that has passed", () => {
    const rung: number[] = [];
    systemClock.setTimeout(() => rung.push(1), -5);
    vi.advanceTimersByTime(0);
    expect(rung).toEqual([1]);
  });
});

describe("this computer", () => {
  test("is called by its kind, never by its name", () => {
    for (const platform of ["darwin", "win32", "linux"] as const) {
      expect(parse(nameSchema, deviceNameOf(platform))).toBe(deviceNameOf(platform));
    }
    expect(thisMachine().home).not.toBe("");
  });
});

describe("what About tells", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "sotto-about-"));
    await mkdir(join(root, "dist"));
    await writeFile(join(root, "package.json"), '{"version":"1.2.3"}');
  });
  afterEach(() => rm(root, { recursive: true }));

  test("comes from the bundle and the process", async () => {
    const licences = [{ name: "a", version: "1", license: "MIT" }];
    await writeFile(join(root, "dist/licences.json"), JSON.stringify(licences));
    expect(await readAboutFacts(root, "preview")).toEqual({
      version: "1.2.3",
      runtime: "preview",
      electron: null,
      chromium: null,
      node: process.versions.node,
      licences,
    });
  });

  test("is not made up when the bundle is not whole", async () => {
    await expect(readAboutFacts(root, "electron")).rejects.toMatchObject({ code: "internal" });
    await writeFile(join(root, "dist/licences.json"), '[{"name":1}]');
    await expect(readAboutFacts(root, "electron")).rejects.toMatchObject({ code: "internal" });
  });
});
