import { expect, test } from "vitest";
import { suiteNames } from "#protocol";
import { checkEnd, type End, type Verdict } from "./oracle.ts";
import { runScenario } from "./scenario.ts";
import type { People } from "./schedule.ts";
import type { LogItem } from "./simulated-relay.ts";

/*
 * A commit that nobody but its maker can take wedges a conversation: on a bad network, by the run's own clock. Ben's second computer is away, and might be
 * one that has taken it.
 */

type Commit = Extract<LogItem, { readonly kind: "commit" }>;

const longestMs = 30_000;
const at = { who: 0, where: 0, what: 1 };

test.each<{ readonly who: string; readonly people: People; readonly away: readonly number[] }>([
  { who: "three people", people: [1, 1, 1], away: [] },
  { who: "two people", people: [1, 1], away: [] },
  { who: "two people, and a computer that is away", people: [1, 2], away: [2] },
  { who: "four people, of whom one is away", people: [1, 1, 1, 1], away: [3] },
])("is open again within 30 s: $who", async ({ people, away }) => {
  let mendedMs = Infinity;
  const judge = (end: End): Verdict => {
    const items = [...end.logs.values()].flatMap((log) => log.items);
    const commits = items.filter((item): item is Commit => item.kind === "commit");
    // Two were ordered in one epoch.
    for (const spoilt of commits) {
      const next = commits.find(
        ({ epoch, sequence }) => epoch === spoilt.epoch && sequence > spoilt.sequence,
      );
      if (next !== undefined) mendedMs = next.atMs - spoilt.atMs;
    }
    return checkEnd(end);
  };
  const { findings, trace } = await runScenario(
    {
      seed: 3,
      commits: 100,
      suite: suiteNames.aes128,
      people,
      steps: [
        ...away.map((who) => ({ ...at, kind: "absence", who, what: 59, waitMs: 5000 }) as const),
        { ...at, kind: "spoil", waitMs: 0 },
        { ...at, kind: "rename", waitMs: 500 },
        { ...at, kind: "send", who: 1, waitMs: 60_000 },
      ],
    },
    judge,
  );
  // Its maker comes back from outside: what was said until then is said to it again, and counted.
  const others = findings.filter(
    ({ kind, text }) => kind !== "unopenable" || !text.startsWith("A1 "),
  );
  expect(others, trace.join("\n")).toEqual([]);
  expect(mendedMs, trace.join("\n")).toBeLessThan(longestMs);
});
