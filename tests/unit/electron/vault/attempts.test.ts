import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAttempts, type Attempts } from "../../../../electron/vault/attempts.ts";
import { nodeFiles } from "../../../../electron/vault/node-files.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";

const second = 1000;
const minute = 60 * second;
const longestMs = 60 * minute;

let directory: string;
let uptimeMs: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sotto-attempts-"));
  uptimeMs = 5 * minute;
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const path = (): string => join(directory, "attempts");

function open(files = nodeFiles): Promise<Attempts> {
  return openAttempts({ directory, files, uptimeMs: () => uptimeMs });
}

/** Waits as long as it must, then tries in vain, so many times. */
async function fail(attempts: Attempts, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    uptimeMs += attempts.waitMs;
    await attempts.begin();
  }
}

describe("wrong tries", () => {
  test("are waited for longer and longer", async () => {
    const attempts = await open();
    const waits: number[] = [];
    for (let time = 0; time < 12; time += 1) {
      await fail(attempts, 1);
      waits.push(attempts.waitMs / second);
    }
    expect(waits).toEqual([0, 0, 0, 0, 30, 60, 300, 900, 3600, 3600, 3600, 3600]);
  });

  test("are refused until the wait is over, and not counted", async () => {
    const attempts = await open();
    await fail(attempts, 5);
    uptimeMs += 29 * second;
    await expect(attempts.begin()).rejects.toMatchObject({
      code: "unlock-delayed",
      data: { waitMs: second },
    });
    uptimeMs += second;
    await attempts.begin();
    expect(attempts.waitMs).toBe(minute);
  });

  test("that are begun at the same moment are as many", async () => {
    const attempts = await open();
    await attempts.setLimit(20);
    const begun = await Promise.allSettled(Array.from({ length: 8 }, () => attempts.begin()));
    expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect([attempts.left, attempts.waitMs]).toEqual([15, 30 * second]);
  });

  test("are forgotten after a right one", async () => {
    const attempts = await open();
    await fail(attempts, 6);
    await attempts.clear();
    expect(attempts.waitMs).toBe(0);
    await fail(attempts, 4);
    expect((await open()).waitMs).toBe(0);
  });

  test("that came to nothing for another reason leave things as they were", async () => {
    const attempts = await open();
    await fail(attempts, 5);
    uptimeMs += 30 * second;
    await attempts.begin();
    await attempts.takeBack();
    await attempts.takeBack();
    expect(attempts.waitMs).toBe(0);
    await attempts.begin();
    expect((await open()).waitMs).toBe(minute);
  });

  test("use up what the policy allows, which is known without the policy", async () => {
    const attempts = await open();
    expect(attempts.left).toBeNull();
    await attempts.setLimit(7);
    await fail(attempts, 6);
    const again = await open();
    expect(again.left).toBe(1);
    uptimeMs += again.waitMs;
    await again.begin();
    expect(again.left).toBe(0);
    await again.clear();
    expect(again.left).toBe(7);
    await again.setLimit(null);
    expect((await open()).left).toBeNull();
  });
});

describe("a wait", () => {
  test("goes on over a restart of Sotto", async () => {
    await fail(await open(), 6);
    uptimeMs += 20 * second;
    expect((await open()).waitMs).toBe(40 * second);
  });

  test("is never shorter for a restart of the machine", async () => {
    await fail(await open(), 6);
    uptimeMs = 10 * second;
    expect((await open()).waitMs).toBe(50 * second);
    uptimeMs = 70 * second;
    expect((await open()).waitMs).toBe(0);
  });
});

describe("the file", () => {
  test("is on the disk before a try is made", async () => {
    const files = createFaultyFiles();
    const attempts = await open(files);
    await attempts.begin();
    expect(files.calls.slice(-7).map(({ operation, name }) => `${operation} ${name}`)).toEqual([
      "read attempts",
      "open attempts.new",
      "write attempts.new",
      "sync attempts.new",
      "close attempts.new",
      "rename attempts",
      expect.stringMatching(/^syncDirectory /u),
    ]);
  });

  test("that can't be written lets tries be made, which are counted in memory and waited for", async () => {
    for (const operation of ["open", "write", "sync", "rename", "syncDirectory"]) {
      const files = createFaultyFiles();
      const attempts = await open(files);
      files.decide = (call) => (call.operation === operation ? { code: "ENOSPC" } : null);
      await fail(attempts, 5);
      expect(attempts.waitMs, operation).toBe(30 * second);
      await expect(attempts.begin(), operation).rejects.toMatchObject({ code: "unlock-delayed" });
      uptimeMs += attempts.waitMs;
      await attempts.begin();
      await attempts.takeBack();
      expect(attempts.waitMs, operation).toBe(0);
      await attempts.clear();
      await fail(attempts, 4);
      expect(attempts.waitMs, operation).toBe(0);
      rmSync(path(), { force: true });
    }
  });

  test("that can't be written sets no limit until it can, and then every try counts", async () => {
    const files = createFaultyFiles();
    const attempts = await open(files);
    await attempts.setLimit(5);
    files.decide = ({ operation }) => (operation === "open" ? { code: "EROFS" } : null);
    await fail(attempts, 4);
    expect(attempts.left).toBeNull();
    // Another process knows nothing of it.
    expect((await open()).left).toBe(5);
    files.decide = () => null;
    await attempts.begin();
    expect([attempts.left, (await open()).left]).toEqual([0, 0]);
  });

  test("that can't be written only when a right try is over is told of", async () => {
    const files = createFaultyFiles();
    const attempts = await open(files);
    await attempts.begin();
    files.decide = ({ operation }) => (operation === "sync" ? { code: "ENOSPC" } : null);
    await expect(attempts.clear()).rejects.toMatchObject({ code: "disk-full" });
  });

  test("that is damaged, cut or unreadable stands for the longest wait, and destroys nothing", async () => {
    const attempts = await open();
    await attempts.setLimit(5);
    const whole = readFileSync(path());
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      for (const bytes of [flipped, whole.subarray(0, at)]) {
        writeFileSync(path(), bytes);
        const damaged = await open();
        expect([damaged.waitMs, damaged.left]).toEqual([longestMs, null]);
      }
    }
    rmSync(path());
    const files = createFaultyFiles();
    files.decide = ({ operation }) => (operation === "read" ? { code: "EIO" } : null);
    expect((await open(files)).waitMs).toBe(longestMs);
  });

  test("that is damaged is waited for once, not at every start anew", async () => {
    writeFileSync(path(), "?");
    await open();
    uptimeMs += 59 * minute;
    const again = await open();
    expect(again.waitMs).toBe(minute);
    uptimeMs += minute;
    await again.begin();
    await again.clear();
    expect((await open()).waitMs).toBe(0);
  });

  test("that is damaged and can't be replaced is waited for once in each process", async () => {
    writeFileSync(path(), "?");
    const files = createFaultyFiles();
    files.decide = ({ operation }) => (operation === "open" ? { code: "EROFS" } : null);
    const attempts = await open(files);
    expect(attempts.waitMs).toBe(longestMs);
    uptimeMs += longestMs;
    await attempts.begin();
  });

  test("is looked at before each try: another process may have written it", async () => {
    const [one, other] = [await open(), await open()];
    await fail(one, 5);
    await expect(other.begin()).rejects.toMatchObject({ code: "unlock-delayed" });
  });

  test("is made only when there is something to say", async () => {
    const attempts = await open();
    await attempts.setLimit(null);
    expect(existsSync(path())).toBe(false);
  });
});
