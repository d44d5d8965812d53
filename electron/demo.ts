import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureAppError, errorText } from "#protocol";
import { lineLog, readAboutFacts, thisMachine } from "./app/index.ts";
import { startDemo, thesePrograms } from "./preview/index.ts";

/*
 * node electron/demo.ts, started by build/demo.ts
 * Two people in one network, in a directory that goes with them. For looking and developing: not part of the packaged app.
 */
const directory = await mkdtemp(join(tmpdir(), "sotto-demo-"));
try {
  const machine = thisMachine();
  const demo = await startDemo({
    machine: { ...machine, env: { ...machine.env, SOTTO_DATA_DIR: directory } },
    programs: thesePrograms(),
    about: await readAboutFacts(fileURLToPath(new URL("..", import.meta.url)), "preview"),
    log: lineLog(console.error, Date.now),
  });
  for (const { name, address } of demo.pages) console.log(`${name}: ${address}`);
  console.log("Ctrl+C ends the demo and removes all of it.");
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
  await Promise.race([stopped, demo.ended]);
  await demo.stop();
} catch (error) {
  const failure = ensureAppError(error);
  console.error(errorText(failure.code), failure.data);
  if (failure.fault === "bug") console.error(failure.cause ?? failure);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
