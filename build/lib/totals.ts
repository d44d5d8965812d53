import { existsSync, readFileSync } from "node:fs";

/** Tests of one runner, or of all together. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Adds up. */
export function sum(all: readonly Totals[]): Totals {
  return {
    passed: all.reduce((count, { passed }) => count + passed, 0),
    failed: all.reduce((count, { failed }) => count + failed, 0),
    skipped: all.reduce((count, { skipped }) => count + skipped, 0),
  };
}

/** The line that ends every test run, alone on its line: `N passed, N failed[, N skipped]`. */
export function inWords({ passed, failed, skipped }: Totals): string {
  const line = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped === 0 ? line : `${line}, ${String(skipped)} skipped`;
}

/**
 * What a runner's report says, never better than its exit code: a runner that crashed, left no report or ran no test counts as one
 * failure at least.
 * @param report - path of the JSON report.
 * @param exitCode - how the runner ended.
 * @param read - takes the figures out of the parsed report.
 */
export function totalsOf(
  report: string,
  exitCode: number,
  read: (parsed: unknown) => Totals,
): Totals {
  const counted = tryRead(report, read);
  const isSound = counted.failed > 0 || (exitCode === 0 && counted.passed > 0);
  return isSound ? counted : { ...counted, failed: 1 };
}

function tryRead(report: string, read: (parsed: unknown) => Totals): Totals {
  const nothing: Totals = { passed: 0, failed: 0, skipped: 0 };
  if (!existsSync(report)) return nothing;
  try {
    return read(JSON.parse(readFileSync(report, "utf8")));
  } catch {
    return nothing;
  }
}

/** Figures of Vitest's JSON report. */
export function fromVitest(parsed: unknown): Totals {
  return {
    passed: count(parsed, "numPassedTests"),
    failed: count(parsed, "numFailedTests"),
    skipped: count(parsed, "numPendingTests") + count(parsed, "numTodoTests"),
  };
}

/** Figures of Playwright's JSON report. A flaky test is a failed one: it failed once. */
export function fromPlaywright(parsed: unknown): Totals {
  const stats = field(parsed, "stats");
  return {
    passed: count(stats, "expected"),
    failed: count(stats, "unexpected") + count(stats, "flaky"),
    skipped: count(stats, "skipped"),
  };
}

function count(parsed: unknown, name: string): number {
  const value = field(parsed, name);
  if (typeof value !== "number") throw new TypeError(`the report has no ${name}`);
  return value;
}

function field(parsed: unknown, name: string): unknown {
  if (typeof parsed !== "object" || parsed === null) throw new TypeError("not a report");
  return (parsed as Readonly<Record<string, unknown>>)[name];
}
