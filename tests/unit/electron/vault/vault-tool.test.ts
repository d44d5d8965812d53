import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { surveyVault } from "../../../../electron/vault/survey.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import { createVaultFixture, put, type VaultFixture } from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const tool = join(import.meta.dirname, "../../../../electron/vault-tool.ts");
const secret = "nobody may read this";

interface Answer {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function run(...words: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...words], (error, output, errors) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output, errors });
    });
  });
}

let fixture: VaultFixture;
beforeEach(() => {
  fixture = createVaultFixture(createSealingWorker());
});
afterEach(() => {
  fixture.remove();
});

async function createWithItems(): Promise<void> {
  const vault = await fixture.create({ passphrase: "four unrelated words here", user: "ada" });
  await vault.setSlot({ kind: "recovery-code" });
  for (const id of ["a", "b", "c"]) await vault.transact([put(id, secret)]);
  await vault.close();
}

test("tells files, generations, frames and slots, never content, and changes nothing", async () => {
  await createWithItems();
  mkdirSync(join(fixture.directory, "blobs"));
  writeFileSync(join(fixture.directory, "attempts"), "3");
  const before = fixture.names().filter((name) => name !== "blobs");
  const contents = before.map((name) => fixture.bytes(name));
  const { code, output } = await run("inspect", fixture.directory);
  expect(code).toBe(0);
  expect(output).toMatch(/^keyring +[\d,]+ bytes, revision 2$/mu);
  expect(output).toMatch(/^slot +keychain: memory \(unsafe\), entries default\/.+ user ada /mu);
  expect(output).toMatch(
    /^slot +passphrase: of \d{4}-\d\d-\d\d \d\d:\d\d, Argon2id with 1 passes/mu,
  );
  expect(output).toMatch(/^slot +recovery code: of /mu);
  expect(output).toMatch(/^generation +1, the present one$/mu);
  expect(output).toMatch(/snapshot\.1, [\d,]+ bytes, header whole, \d+ chunks of /u);
  // Three transactions, and the one that closing writes.
  expect(output).toMatch(/log\.1, .+ header whole, 4 frames of /u);
  expect(output).toContain("attempts, 1 bytes");
  expect(output).toContain("blobs, not readable as a file");
  expect(output).not.toContain(secret);
  expect(fixture.names().filter((name) => name !== "blobs")).toEqual(before);
  expect(before.map((name) => fixture.bytes(name))).toEqual(contents);
});

test("gives the same as JSON", async () => {
  await createWithItems();
  const { output } = await run("inspect", fixture.directory, "--json");
  const survey: unknown = JSON.parse(output);
  expect(survey).toMatchObject({ keyring: { revision: 2 }, generations: [{ generation: 1 }] });
  expect(survey).toMatchObject(await surveyVault(fixture.directory));
});

test("says of a damaged vault what can still be said", async () => {
  await createWithItems();
  writeFileSync(join(fixture.directory, "keyring"), "damaged");
  writeFileSync(join(fixture.directory, "log.2"), "half");
  const { code, output } = await run("inspect", fixture.directory);
  expect(code).toBe(1);
  expect(output).toContain("can't be read: vault-damaged");
  expect(output).toMatch(/^generation +2, the present one$/mu);
  expect(output).toMatch(/^ +snapshot +missing$/mu);
  expect(output).toContain("log.2, 4 bytes, header unknown, 0 frames");
});

test("says of a directory without a vault, or of none, that there is none", async () => {
  const here = await run("inspect", fixture.root);
  expect(here).toMatchObject({ code: 1 });
  expect(here.output).toContain("there is no vault here");
  const nowhere = await run("inspect", join(fixture.root, "nowhere"));
  expect(nowhere).toMatchObject({ code: 1, output: "" });
  expect(nowhere.errors).toContain("There is no vault here yet. (ENOENT)");
});

test("helps, and refuses what it doesn't know", async () => {
  expect(await run("--help")).toMatchObject({ code: 0, errors: "" });
  expect((await run()).output).toContain("Usage: npm run vault -- inspect DIRECTORY");
  expect((await run("open", "x")).errors).toContain('There is no command "open"');
  expect(await run("inspect")).toMatchObject({ code: 2, output: "" });
  expect(await run("inspect", "a", "b")).toMatchObject({ code: 2 });
});
