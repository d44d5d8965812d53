import { rmSync } from "node:fs";

import { inModules, inRepository } from "./paths.ts";
import { ensureRenderer } from "./renderer-bundle.ts";
import { runNode } from "./run.ts";
import { fromPlaywright, fromVitest, inWords, sum, type Totals, totalsOf } from "./totals.ts";

/** A check that needs no running program: it is right or it is not. */
interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const svelteCheck: readonly string[] = [
  inModules("svelte-check/bin/svelte-check"),
  ...["--workspace", "renderer", "--tsconfig", "./tsconfig.svelte.json", "--fail-on-warnings"],
];

const checks: readonly Check[] = [
  { name: "lint", command: [inModules("eslint/bin/eslint.js"), ".", "--max-warnings", "0"] },
  { name: "format", command: [inModules("prettier/bin/prettier.cjs"), "--check", "."] },
  { name: "types", command: [inModules("typescript/bin/tsc"), "-b"] },
  { name: "types in components", command: svelteCheck },
  { name: "unused code", command: [inModules("knip/bin/knip.js")] },
];

/** As many checks at once as the smallest machine that we care for has cores. */
const checksAtOnce = 2;

/**
 * The one gate: all checks, then all tests. Goes on after a failure, so that one run shows everything, and ends with the sum of all
 * tests on a line of its own. A failed check adds one failure.
 * @returns whether everything is right.
 */
export async function verify(): Promise<boolean> {
  const results = [await runChecks(), await runVitest([]), await runPlaywright([])];
  const totals = sum(results);
  console.log(inWords(totals));
  return totals.failed === 0;
}

/** Runs the checks. Shows the output only of those that fail. */
async function runChecks(): Promise<Totals> {
  const waiting = [...checks];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { exitCode, output, durationMs } = await runNode(check.command, { quiet: true });
      const seconds = (durationMs / 1000).toFixed(1);
      console.log(`${exitCode === 0 ? "ok    " : "FAILED"} ${check.name} (${seconds} s)`);
      if (exitCode === 0) continue;
      failed += 1;
      console.log(output);
    }
  };
  await Promise.all(Array.from({ length: checksAtOnce }, work));
  return { passed: 0, failed, skipped: 0 };
}

/** Runs unit, vector and integration tests. @param rest - further arguments for Vitest. */
async function runVitest(rest: readonly string[]): Promise<Totals> {
  const report = inRepository("test-results/vitest.json");
  rmSync(report, { force: true });
  const { exitCode } = await runNode([
    ...[inModules("vitest/vitest.mjs"), "run", "--reporter=default", "--reporter=json"],
    ...[`--outputFile.json=${report}`, ...rest],
  ]);
  return totalsOf(report, exitCode, fromVitest);
}

/** Runs the end-to-end tests on a fresh bundle. @param rest - further arguments for Playwright. */
export async function runPlaywright(rest: readonly string[]): Promise<Totals> {
  const report = inRepository("test-results/e2e.json");
  rmSync(report, { force: true });
  try {
    await ensureRenderer();
  } catch (error) {
    console.error(String(error));
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const { exitCode } = await runNode([inModules("@playwright/test/cli.js"), "test", ...rest]);
  return totalsOf(report, exitCode, fromPlaywright);
}
