import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../../..");

/** How many there may be. Their number only falls (style.md, Tools): lower it when one goes. */
const ceiling = 8;

const suppression =
  /eslint-disable|@ts-expect-error|@ts-ignore|@ts-nocheck|svelte-ignore|prettier-ignore/u;
const reasoned = /(?:eslint-disable[\w-]* \S.*? -- |@ts-expect-error:? ).{10,}/u;
/** Svelte takes every word of the line for a rule's name: there the reason stands on the line above. */
const reasonAbove = /^(?:\/\/|\*|\/\*|<!--) .{10,}/u;

interface Suppression {
  readonly place: string;
  readonly line: string;
  readonly above: string;
}

function suppressions(): readonly Suppression[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", args, { cwd: repository, encoding: "utf8" })
    .split("\n")
    .filter((path) => /\.(ts|js|svelte|html|css)$/u.test(path) && !isAboutThem(path));
  return files.flatMap((path) =>
    readFileSync(join(repository, path), "utf8")
      .split("\n")
      .map((line, index, all) => ({
        place: `${path}:${index + 1}`,
        line: line.trim(),
        above: (all[index - 1] ?? "").trim(),
      }))
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
    const bare = found.filter(({ line, above }) =>
      line.includes("svelte-ignore") ? !reasonAbove.test(above) : !reasoned.test(line),
    );
    const howTo =
      "Write the reason after ` -- ` on the same line; for svelte-ignore, in a comment on the line above.";
    expect(bare, howTo).toEqual([]);
  });

  test("do not grow in number", () => {
    expect(found.length, found.map(({ place }) => place).join("\n")).toBeLessThanOrEqual(ceiling);
  });
});
