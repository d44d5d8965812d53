import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

/**
 * The wall of architecture.md §1, tried out: a copy of the real project files over sources of one line each, compiled once.
 * Each line of `illegal` must fail, each of `legal` must not.
 */
const folders = ["protocol", "crypto", "relay", "electron", "renderer", "build", "tests"] as const;
const repository = join(import.meta.dirname, "../../..");

const legal: Readonly<Record<string, string>> = {
  "crypto/uses-protocol.ts": `import { marker } from "#protocol"; export const x: "protocol" = marker;`,
  "relay/uses-protocol.ts": `import { marker } from "#protocol"; export const x: "protocol" = marker;`,
  "electron/uses-protocol.ts": `import { marker } from "#protocol"; export const x: "protocol" = marker;`,
  "renderer/uses-protocol.ts": `import { marker } from "#protocol"; export const x: "protocol" = marker;`,
  "crypto/uses-node.ts": `import { readFileSync } from "node:fs"; export const x = typeof readFileSync;`,
  "renderer/uses-dom.ts": `export const x: HTMLElement = document.body;`,
  "tests/uses-all.ts": [
    ...["protocol", "crypto", "relay", "electron", "renderer", "build"].map(
      (folder) => `import { marker as ${folder} } from "../${folder}/index.ts";`,
    ),
    `export const x: "crypto" = crypto; export const all = [protocol, relay, electron, renderer, build];`,
  ].join("\n"),
};

const illegal: Readonly<Record<string, string>> = {
  ...forbidden("protocol", ["crypto", "relay", "electron", "renderer", "build", "tests"]),
  ...forbidden("crypto", ["relay", "electron", "renderer", "build", "tests"]),
  ...forbidden("relay", ["crypto", "electron", "renderer", "build", "tests"]),
  ...forbidden("electron", ["crypto", "relay", "renderer", "build", "tests"]),
  ...forbidden("renderer", ["crypto", "relay", "electron", "build", "tests"]),
  ...forbidden("build", ["protocol", "crypto", "relay", "electron", "renderer", "tests"]),
  "protocol/uses-node.ts": `import { readFileSync } from "node:fs"; export const x = typeof readFileSync;`,
  "protocol/uses-process.ts": `export const x = process.pid;`,
  "protocol/uses-dom.ts": `export const x = document.body;`,
  "crypto/uses-dom.ts": `export const x = document.body;`,
  "relay/uses-dom.ts": `export const x = document.body;`,
  "electron/uses-dom.ts": `export const x = document.body;`,
  "renderer/uses-node.ts": `import { readFileSync } from "node:fs"; export const x = typeof readFileSync;`,
  "renderer/uses-process.ts": `export const x = process.pid;`,
};

function forbidden(from: string, targets: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    targets.map((target) => [
      `${from}/uses-${target}.ts`,
      `import { marker } from "../${target}/index.ts"; export const x = marker;`,
    ]),
  );
}

let copy: string;
let output = "";

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "sotto-wall-"));
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
  for (const file of ["package.json", "tsconfig.json", "tsconfig.base.json"]) {
    cpSync(join(repository, file), join(copy, file));
  }
  const files: Record<string, string> = { ...legal, ...illegal };
  for (const folder of folders) {
    files[`${folder}/index.ts`] = `export const marker = "${folder}" as const;`;
    mkdirSync(join(copy, folder));
    cpSync(join(repository, folder, "tsconfig.json"), join(copy, folder, "tsconfig.json"));
  }
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), source);
  }
  try {
    const tsc = join(repository, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-b", "--pretty", "false"], { cwd: copy });
  } catch (error) {
    output = String((error as { stdout: Buffer }).stdout);
  }
}, 60_000);

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

describe("imports between folders", () => {
  test.each(Object.keys(illegal))("%s does not compile", (path) => {
    expect(errorsIn(path)).not.toEqual([]);
  });

  test.each(Object.keys(legal))("%s compiles", (path) => {
    expect(errorsIn(path)).toEqual([]);
  });
});

function errorsIn(path: string): readonly string[] {
  return output.split("\n").filter((line) => line.startsWith(`${path}(`));
}
