import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { cpus, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/*
 * npm run bench [-- NAME …]
 * Runs every `NAME.bench.ts` beside this file, one after the other, each in a process of its own so that none warms up another.
 */
const here = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(here)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(".bench.ts", ""));
const unknown = wanted.filter((name) => !names.includes(name));

if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  process.exitCode = 1;
} else {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  console.log(
    `Node ${process.version}, ${platform()} ${release()}, ${String(cpus().length)} cores, ${String(gibibytes)} GiB. Compare ratios, not times.`,
  );
  for (const name of wanted.length > 0 ? wanted : names) {
    console.log(`\n── ${name} ──`);
    const run = spawnSync(process.execPath, [`${here}${name}.bench.ts`], { stdio: "inherit" });
    if (run.status !== 0) process.exitCode = 1;
  }
}
