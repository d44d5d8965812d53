import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openVault } from "../../../../electron/vault/index.ts";
import { killAtRandom } from "../../../crash/kills.ts";
import { systemClock } from "../../../support/fake-clock.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import { unsafeFileKeychain } from "../../../support/unsafe-file-keychain.ts";
import { testCatalogue } from "../../../support/vault-fixture.ts";

/* A share of what `npm run test:crash` does: a thousand. */
const kills = 50;
const child = join(import.meta.dirname, "../../../support/vault-crash-child.ts");

test(
  `a process killed ${kills} times at any moment loses nothing it acknowledged, keeps no half of anything, and no key that it had destroyed`,
  { timeout: 60_000 + kills * 6_000 },
  async () => {
    const { lives, transactions, reopenedMs } = await killAtRandom(kills);
    expect(lives).toBeGreaterThan(kills / 2);
    expect(transactions).toBeGreaterThan(kills);
    expect(Math.max(...reopenedMs)).toBeLessThan(10_000);
  },
);

test("a vault that another process has open is in use, and free as soon as that process is gone", async () => {
  const root = mkdtempSync(join(tmpdir(), "sotto-crash-second-"));
  const running = spawn(process.execPath, [child, root, "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const open = () =>
    openVault({
      directory: join(root, "vault"),
      worker: createSealingWorker(),
      keychain: unsafeFileKeychain(join(root, "keychain")),
      catalogue: testCatalogue,
      clock: systemClock,
      unlockWith: { kind: "keychain" },
    });
  await new Promise((resolve) => running.stdout.once("data", resolve));
  await expect(open()).rejects.toMatchObject({ code: "vault-in-use" });
  const ended = new Promise((resolve) => running.once("close", resolve));
  running.kill("SIGKILL");
  await ended;
  const vault = await open();
  expect(vault.readOnly).toBeNull();
  await vault.close();
  rmSync(root, { recursive: true });
}, 60_000);
