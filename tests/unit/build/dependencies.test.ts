import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../../..");

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface LockedPackage {
  readonly name?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(read("package.json")) as Manifest;
const lock = JSON.parse(read("package-lock.json")) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const document = read("docs/dependencies.md");

describe("docs/dependencies.md", () => {
  test("gives a reason for each package of package.json and for no other", () => {
    const rows = [...document.matchAll(/^\| `([^`]+)` \| (.+) \|$/gmu)];
    const named = rows.map(([, name]) => name!);
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(named.toSorted()).toEqual(installed.toSorted());
    for (const [, name, reason] of rows) expect(reason!.length, name).toBeGreaterThan(10);
  });

  test("tells of each override", () => {
    for (const name of Object.keys(manifest.overrides)) expect(document).toContain(`\`${name}\``);
  });
});

describe("package.json", () => {
  test("names exact versions", () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    const loose = versions.filter(([, v]) => !/^(npm:@[a-z]+\/[a-z]+@)?\d+\.\d+\.\d+$/u.test(v));
    expect(loose).toEqual([]);
  });

  test("says of each install script whether it may run", () => {
    const scripted = Object.entries(lock.packages)
      .filter(([path, { hasInstallScript }]) => path !== "" && hasInstallScript === true)
      .map(([path, { name }]) => name ?? path.slice(path.lastIndexOf("node_modules/") + 13));
    expect(Object.keys(manifest.allowScripts).toSorted()).toEqual(
      [...new Set(scripted)].toSorted(),
    );
  });
});

describe("package-lock.json", () => {
  test("holds every platform's package, or npm ci refuses it", () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !isLocked(path, name))
        .map((name) => `${name} of ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Whether Node would find the package from the one at the path: inside it, or further up. */
function isLocked(path: string, name: string): boolean {
  const steps = path.split("/node_modules/");
  return steps.some((_, depth) => {
    const folder = steps.slice(0, steps.length - depth).join("/node_modules/");
    return [`${folder}/node_modules/${name}`, `node_modules/${name}`].some(
      (place) => place in lock.packages,
    );
  });
}

function read(path: string): string {
  return readFileSync(join(repository, path), "utf8");
}
