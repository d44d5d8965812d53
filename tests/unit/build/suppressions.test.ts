import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../../..");

/** How many there may be. Their number only falls (style.md, Tools): lower it when one goes. */
const ceiling = 22;

const suppression =
  /eslint-disable|@ts-expect-error|@ts-ignore|@ts-nocheck|svelte-ignore|prettier-ignore/u;
const reasoned = /(?:(?:eslint-disable[\w-]*|svelte-ignore) \S.*? -- |@ts-expect-error:? ).{10,}/u;

interface Suppression {
  readonly place: string;
  readonly line: string;
}

function suppressions(): readonly Suppression[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", args, { cwd: repository, encoding: "utf8" })
    .split("\n")
    .filter((path) => /\.(ts|js|svelte|html|css)$/u.test(path) && !isAboutThem(path))
    // Listed still, though deleted and not yet committed.
    .filter((path) => existsSync(join(repository, path)));
  return files.flatMap((path) =>
    readFileSync(join(repository, path), "utf8")
      .split("\n")
      .map((line, index) => ({ place: `${path}:${index + 1}`, line: line.trim() }))
      .filter(({ line }) => suppression.test(line)),
  );
}

/** Files that name suppressions without being one. */
function isAboutThem(path: string): boolean {
  return path === "eslint.config.js" || path === "tests/unit/build/suppressions.test.ts";
}

describe("suppressions of lint and compiler", () => {
  const found = suppressions();

  test("each give their reason beside them", () => {
    const bare = found.filter(({ line }) => !reasoned.test(line));
    expect(bare, "Write the reason after ` -- ` on the same line.").toEqual([]);
  });

  test("do not grow in number", () => {
    expect(found.length, found.map(({ place }) => place).join("\n")).toBeLessThanOrEqual(ceiling);
  });
});
