/*
 * npm run test:scenario: first sits in the attackers' seats (1,000 removals of every kind, 10,000 messages that were read), then runs seeded schedules of many devices.
 * `-- --seeds 1000 --commits 100 --devices 30 --first 1 --removals 1000 --messages 10000` are what it does of itself; `-- attackers` is the first part alone,
 * `-- seeds` the second; `-- --seed 7` runs one seed and prints what happened; `-- --replay FILE` runs a schedule that was printed.
 * Ends with exit code 1 if anything wasn't as it should be; what fails is printed, and a smaller schedule that fails in the same way, unless `--no-shrink` is
 * said.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { parseArgs } from "node:util";
import { runAttackers } from "./attackers.ts";
import { planOf, runScenario, suiteOf, type ScenarioOptions } from "./scenario.ts";
import { shrink } from "./shrink.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seeds: { type: "string", default: "1000" },
    commits: { type: "string", default: "100" },
    devices: { type: "string", default: "30" },
    first: { type: "string", default: "1" },
    removals: { type: "string", default: "1000" },
    messages: { type: "string", default: "10000" },
    seed: { type: "string" },
    replay: { type: "string" },
    shrink: { type: "boolean", default: true },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});

/** What a run came to, in words and numbers that go from one thread to another. */
interface Report {
  readonly seed: number;
  readonly ms: number;
  readonly devices: number;
  readonly commits: number;
  readonly reinits: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly unopenable: number;
  readonly unopenableAfterLoss: number;
  /** null: as it should be. */
  readonly failure: string | null;
}

function optionsOf(seed: number): ScenarioOptions {
  const plan = planOf(seed, Number(values.commits), Number(values.devices));
  return { ...plan, suite: suiteOf(seed) };
}

async function run(options: ScenarioOptions, shrinks: boolean): Promise<Report> {
  const beganMs = Date.now();
  const { findings, trace, steps, ...counts } = await runScenario(options);
  let failure: string | null = null;
  if (findings.length > 0) {
    const result = { ...counts, findings, trace, steps };
    const small = shrinks ? await shrink({ options, result }) : { options, result };
    failure = [
      ...findings.map(({ kind, text }) => `${kind}: ${text}`),
      `-- the schedule (${String(options.people.length)} people) --`,
      ...trace,
      ...(shrinks ? describe(small.options, small.result) : []),
    ].join("\n");
  }
  const { seed } = options;
  return { ...counts, seed, ms: Date.now() - beganMs, failure };
}

function describe(
  options: ScenarioOptions,
  { findings, trace }: Awaited<ReturnType<typeof runScenario>>,
): readonly string[] {
  return [
    "-- shrunk --",
    ...findings.map(({ kind, text }) => `${kind}: ${text}`),
    ...trace,
    "-- for --replay --",
    JSON.stringify(options),
  ];
}

function serveSeeds(port: NonNullable<typeof parentPort>): void {
  port.on("message", (seed: number) => {
    void run(optionsOf(seed), values.shrink).then((report) => {
      port.postMessage(report);
    });
  });
}

/** Runs seeds in threads, each as soon as one is free. */
async function runSeeds(seeds: readonly number[]): Promise<readonly Report[]> {
  const left = [...seeds];
  const reports: Report[] = [];
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), {
        argv: process.argv.slice(2),
        // Most of what a run makes is gone soon after: it needn't be looked through every few milliseconds.
        resourceLimits: { maxYoungGenerationSizeMb: 128 },
      });
      const done = (): void => {
        resolve();
      };
      const next = (): void => {
        const seed = left.shift();
        if (seed === undefined) void thread.terminate().then(done);
        else thread.postMessage(seed);
      };
      thread.on("error", reject);
      thread.on("message", (report: Report) => {
        reports.push(report);
        print(report);
        next();
      });
      next();
    });
  const threads = Math.min(Number(values.threads), seeds.length);
  await Promise.all(Array.from({ length: threads }, serve));
  return reports;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function print({ failure, seed, ms, ...counts }: Report): void {
  const { devices, commits, reinits, messages, deliveries, unopenable } = counts;
  say(
    `seed ${String(seed)}: ${String(devices)} devices, ${String(commits)} commits, ${String(reinits)} of them to another suite, ` +
      `${String(messages)} messages, ` +
      `${String(deliveries)} deliveries, ${String(unopenable)} unopenable, ${String(ms)} ms${failure === null ? "" : "  FAILED"}`,
  );
  if (failure !== null) say(failure);
}

function summarize(reports: readonly Report[]): void {
  const sum = (count: (report: Report) => number): number =>
    reports.reduce((total, report) => total + count(report), 0);
  const deliveries = sum((report) => report.deliveries);
  const unopenable = sum((report) => report.unopenable);
  const failed = reports.filter(({ failure }) => failure !== null);
  const afterLoss = sum((report) => report.unopenableAfterLoss);
  say(
    `${String(reports.length)} seeds, ${String(sum(({ commits }) => commits))} commits, ` +
      `${String(sum(({ reinits }) => reinits))} of them to another suite, ` +
      `${String(sum(({ messages }) => messages))} messages, ${String(deliveries)} deliveries; ` +
      `unopenable: ${String(unopenable)} (rate ${(unopenable / Math.max(1, deliveries)).toExponential(2)}), ` +
      `beside them ${String(afterLoss)} that went with a vault put back; ` +
      `${String(failed.length)} seeds failed ${failed.map(({ seed }) => String(seed)).join(" ")}`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

async function runSchedules(): Promise<void> {
  if (values.replay !== undefined) {
    // What `describe` has printed.
    const options = JSON.parse(readFileSync(values.replay, "utf8")) as ScenarioOptions;
    const report = await run(options, false);
    print(report);
    summarize([report]);
    return;
  }
  const first = Number(values.seed ?? values.first);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  summarize(await runSeeds(Array.from({ length: count }, (_, index) => first + index)));
}

async function runAll(): Promise<void> {
  const [part] = positionals;
  const isOne = values.seed !== undefined || values.replay !== undefined;
  if (part !== "seeds" && !isOne) {
    const figures = { removals: Number(values.removals), messages: Number(values.messages) };
    if (!(await runAttackers(figures, say))) process.exitCode = 1;
  }
  if (part !== "attackers") await runSchedules();
}

if (!isMainThread && parentPort !== null) serveSeeds(parentPort);
else await runAll();
