import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AppError } from "#protocol";
import {
  defaultMachinePolicy,
  machinePolicyPath,
  readMachinePolicy,
} from "../../../../electron/app/machine-policy.ts";

let directory: string;
let logged: AppError[];
const log = { error: (_what: string, error: AppError) => void logged.push(error) };
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sotto-policy-"));
  logged = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function read(text: string): Promise<unknown> {
  const path = join(directory, "policy.json");
  await writeFile(path, text);
  return readMachinePolicy(path, log);
}

describe("the policy of a computer", () => {
  test("lies where only its administrator writes", () => {
    const env = { ProgramData: "D:\\Data" };
    expect(machinePolicyPath({ platform: "linux", env })).toBe("/etc/sotto/policy.json");
    expect(machinePolicyPath({ platform: "darwin", env })).toBe(
      "/Library/Application Support/Sotto/policy.json",
    );
    expect(machinePolicyPath({ platform: "win32", env })).toBe(
      join("D:\\Data", "Sotto", "policy.json"),
    );
  });

  test("allows what it says", async () => {
    expect(await read('{"allowWeakKeychain": true}')).toEqual({ allowWeakKeychain: true });
    expect(await read('\uFEFF{"allowWeakKeychain": false}')).toEqual(defaultMachinePolicy);
    expect(await read("{}")).toEqual(defaultMachinePolicy);
    expect(logged).toEqual([]);
  });

  test("that isn't there allows nothing, and is no fault", () => {
    expect(readMachinePolicy(join(directory, "none", "policy.json"), log)).toEqual(
      defaultMachinePolicy,
    );
    expect(logged).toEqual([]);
  });

  test.each([
    "",
    "{",
    "null",
    '{"allowWeakKeychain": "yes"}',
    '{"allowWeakKeychain": 1}',
    '{"allowWeakKeychain": true, "allowWeakKeyChain": false}',
    `{"allowWeakKeychain": true${" ".repeat(70_000)}}`,
  ])("that says %j is none, and that is said", async (text) => {
    expect(await read(text)).toEqual(defaultMachinePolicy);
    expect(logged).toHaveLength(1);
    expect(logged[0]?.data["path"]).toContain("policy.json");
  });

  test("that can't be read is none, and that is said", () => {
    expect(readMachinePolicy(directory, log)).toEqual(defaultMachinePolicy);
    expect(logged).toHaveLength(1);
  });
});
