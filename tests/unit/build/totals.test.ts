import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { fromPlaywright, fromVitest, inWords, sum, totalsOf } from "../../../build/lib/totals.ts";

describe("the sum of all runners", () => {
  test("leaves out what was not skipped", () => {
    expect(inWords({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(inWords({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });

  test("adds up", () => {
    const one = { passed: 1, failed: 2, skipped: 3 };
    expect(sum([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 });
    expect(sum([])).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});

describe("the totals of one runner", () => {
  let folder: string;
  let report: string;
  const vitest = (passed: number, failed: number): string =>
    JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: 1,
      numTodoTests: 1,
    });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sotto-totals-"));
    report = join(folder, "report.json");
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("are those of the report", () => {
    writeFileSync(report, vitest(5, 0));
    expect(totalsOf(report, 0, fromVitest)).toEqual({ passed: 5, failed: 0, skipped: 2 });
    writeFileSync(report, vitest(5, 2));
    expect(totalsOf(report, 1, fromVitest)).toEqual({ passed: 5, failed: 2, skipped: 2 });
  });

  test("count a flaky end-to-end test as failed", () => {
    const stats = { expected: 4, unexpected: 1, flaky: 1, skipped: 3 };
    writeFileSync(report, JSON.stringify({ stats }));
    expect(totalsOf(report, 1, fromPlaywright)).toEqual({ passed: 4, failed: 2, skipped: 3 });
  });

  test("have a failure when the runner failed without a failed test", () => {
    writeFileSync(report, vitest(5, 0));
    expect(totalsOf(report, 1, fromVitest).failed).toBe(1);
  });

  test("have a failure when no test ran", () => {
    writeFileSync(report, vitest(0, 0));
    expect(totalsOf(report, 0, fromVitest).failed).toBe(1);
  });

  test.each([
    ["missing", undefined],
    ["cut off", '{"numPassedTests": 5'],
    ["of another shape", '{"numPassedTests": "5"}'],
    ["not an object", "null"],
  ])("have a failure when the report is %s", (_, text) => {
    rmSync(report, { force: true });
    if (text !== undefined) writeFileSync(report, text);
    expect(totalsOf(report, 0, fromVitest)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
