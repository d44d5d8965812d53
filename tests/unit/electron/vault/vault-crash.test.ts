import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openVault } from "../../../../electron/vault/index.ts";
import { systemClock } from "../../../support/fake-clock.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import { unsafeFileKeychain } from "../../../support/unsafe-file-keychain.ts";
import { itemsOf, testCatalogue } from "../../../support/vault-fixture.ts";

const kills = Number(process.env["SOTTO_KILLS"] ?? 30);
const child = join(import.meta.dirname, "../../../support/vault-crash-child.ts");

/** Each lane is a vault of its own, and the lanes run side by side. */
const lanes = ["left", "right"].map((name) => mkdtempSync(join(tmpdir(), `sotto-crash-${name}-`)));
afterAll(() => {
  for (const root of lanes) rmSync(root, { recursive: true, force: true });
});

interface Life {
  /** The vault's sequence when it was opened, or null when it was killed before. */
  readonly openedAt: number | null;
  readonly acknowledged: number;
  readonly output: string;
}

/** Runs the child and kills it so many milliseconds after its first word, or after its start. */
function liveAndDie(
  root: string,
  seed: number,
  death: { readonly afterOpenMs: number } | { readonly afterStartMs: number },
): Promise<Life> {
  return new Promise((resolve, reject) => {
    let output = "";
    let errors = "";
    const running = spawn(process.execPath, [child, root, String(seed)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kill = () => void running.kill("SIGKILL");
    if ("afterStartMs" in death) setTimeout(kill, death.afterStartMs);
    running.stdout.on("data", (chunk: Buffer) => {
      if (output === "" && "afterOpenMs" in death) setTimeout(kill, death.afterOpenMs);
      output += chunk.toString();
    });
    running.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    running.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") {
        reject(new Error(`the child ended by itself: ${output.slice(-200)} ${errors}`));
        return;
      }
      const numbers = (word: string) =>
        Array.from(output.matchAll(new RegExp(`^${word} (\\d+)$`, "gmu")), ([, digits]) =>
          Number(digits),
        );
      const [openedAt = null] = numbers("open");
      resolve({ openedAt, acknowledged: Math.max(0, ...numbers("done")), output });
    });
  });
}

async function inspect(root: string, acknowledged: number): Promise<number> {
  const startedAt = performance.now();
  const vault = await openVault({
    directory: join(root, "vault"),
    worker: createSealingWorker(),
    keychain: unsafeFileKeychain(join(root, "keychain")),
    passphrase: null,
    catalogue: testCatalogue,
    clock: systemClock,
  });
  try {
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(vault.readOnly).toBeNull();
    const last = vault.sequence;
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    // Every transaction up to the last is there, whole, and none behind it.
    const notes = vault.read("notes");
    expect(notes.map((row) => row["text"])).toEqual(
      Array.from({ length: last }, (_, index) => `note ${index + 1}`),
    );
    for (const [index, row] of notes.entries()) {
      const body = row["body"] as Uint8Array;
      expect(body.every((byte) => byte === (index + 1) % 256)).toBe(true);
    }
    const items = itemsOf(vault);
    expect(items.size).toBe(2 * Math.min(50, last));
    for (let n = Math.max(1, last - 49); n <= last; n++) {
      expect(items.get(`k${n % 50}`)).toBe(n);
      expect(items.get(`l${n % 50}`)).toBe(n);
    }
    return last;
  } finally {
    await vault.close();
  }
}

/** @returns how many lives got as far as a vault */
async function runLane(root: string, laneKills: number): Promise<number> {
  let acknowledged = 0;
  let lives = 0;
  for (let kill = 0; kill < laneKills; kill++) {
    // Most die at work, every fifth one while it creates or opens its vault.
    const death =
      kill % 5 === 4
        ? { afterStartMs: 250 + ((kill * 53) % 500) }
        : { afterOpenMs: (kill * 37) % 120 };
    const life = await liveAndDie(root, kill, death);
    expect(life.output).not.toContain("read-only");
    if (life.openedAt !== null) {
      expect(life.openedAt).toBeGreaterThanOrEqual(acknowledged);
      lives += 1;
    }
    acknowledged = Math.max(acknowledged, life.acknowledged);
    // Sometimes the next life finds what the crash left, sometimes this process looks first.
    if (kill % 3 === 0 && lives > 0) acknowledged = await inspect(root, acknowledged);
  }
  await inspect(root, acknowledged);
  return lives;
}

test(
  `a process killed ${kills} times at any moment loses nothing it acknowledged, and keeps no half of anything`,
  { timeout: 60_000 + kills * 6_000 },
  async () => {
    const perLane = Math.ceil(kills / lanes.length);
    const lives = await Promise.all(lanes.map((root) => runLane(root, perLane)));
    for (const count of lives) expect(count).toBeGreaterThan(perLane / 2);
  },
);

test("a vault that another process has open is in use, and free as soon as that process is gone", async () => {
  const root = mkdtempSync(join(tmpdir(), "sotto-crash-second-"));
  const running = spawn(process.execPath, [child, root, "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => running.stdout.once("data", resolve));
  await expect(inspect(root, 0)).rejects.toMatchObject({ code: "vault-in-use" });
  const ended = new Promise((resolve) => running.once("close", resolve));
  running.kill("SIGKILL");
  await ended;
  await inspect(root, 0);
  rmSync(root, { recursive: true });
}, 60_000);
