import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isFresh, writeStamp } from "../../../build/lib/freshness.ts";
import { root } from "../../../build/lib/paths.ts";

describe("a product", () => {
  let folder: string;
  let stamp: string;
  const source = (): string => relative(root, join(folder, "source"));
  const age = (path: string, seconds: number): void => {
    const at = Date.now() / 1000 - seconds;
    utimesSync(path, at, at);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sotto-fresh-"));
    stamp = join(folder, "dist/stamp");
    mkdirSync(join(folder, "source/inner"), { recursive: true });
    writeFileSync(join(folder, "source/inner/file"), "");
    for (const path of ["source/inner/file", "source/inner", "source"]) age(join(folder, path), 60);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("is stale until it was made once", () => {
    expect(isFresh(stamp, [source()])).toBe(false);
  });

  test("is fresh when everything it is made of is older", () => {
    writeStamp(stamp);
    expect(isFresh(stamp, [source(), relative(root, join(folder, "missing"))])).toBe(true);
  });

  test("is stale when a file deep inside was changed", () => {
    writeStamp(stamp);
    age(stamp, 30);
    age(join(folder, "source/inner/file"), 10);
    expect(isFresh(stamp, [source()])).toBe(false);
  });

  test("is stale when a file was deleted", () => {
    writeStamp(stamp);
    age(stamp, 30);
    rmSync(join(folder, "source/inner/file"));
    expect(isFresh(stamp, [source()])).toBe(false);
  });
});
