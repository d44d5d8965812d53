import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { licences } from "../../../build/lib/licences.ts";

const lockPath = join(import.meta.dirname, "../../../package-lock.json");
const { packages } = JSON.parse(readFileSync(lockPath, "utf8")) as {
  packages: Parameters<typeof licences>[0];
};

describe("the list of licences", () => {
  test("names what users run, with the licence of each", () => {
    const names = licences(packages).map(({ name }) => name);
    for (const name of ["electron", "ts-mls", "libsodium-wrappers", "lmdb", "svelte", "bits-ui"]) {
      expect(names).toContain(name);
    }
    for (const name of ["vitest", "eslint", "typescript", "electron-builder"]) {
      expect(names).not.toContain(name);
    }
  });

  test("holds no licence that forbids giving Sotto away under its own", () => {
    const known = ["MIT", "Apache-2.0", "ISC", "PSF-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD"];
    for (const { name, license } of licences(packages)) {
      // Of several, the one that suits. Source: SPDX, annex D.
      const choices = license.replaceAll(/[()]/gu, "").split(" OR ");
      expect(
        choices.filter((choice) => known.includes(choice)),
        `${name}: ${license}`,
      ).not.toEqual([]);
    }
  });

  test("fails for a package that names none, instead of leaving it out", () => {
    const lock = { "": { dependencies: { a: "1" } }, "node_modules/a": { version: "1" } };
    expect(() => licences({ ...packages, ...lock })).toThrow("a names no licence");
  });
});
