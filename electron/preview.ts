import { fileURLToPath } from "node:url";
import { ensureAppError, errorText } from "#protocol";
import {
  lineLog,
  parseArguments,
  readAboutFacts,
  systemClock,
  thisMachine,
  thisMachinePolicy,
} from "./app/index.ts";
import { createKeytarKeychain } from "./keychain/index.ts";
import { runPreview, thesePrograms } from "./preview/index.ts";

/*
 * node electron/preview.ts [--profile NAME] [--port PORT] [sotto://join/…]
 * Sotto in a browser on this computer: same engine, same interface, same commands as in Electron.
 */
try {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const log = lineLog(console.error, Date.now);
  const { allowWeakKeychain } = thisMachinePolicy(log);
  const keychain = createKeytarKeychain({ clock: systemClock, allowWeak: allowWeakKeychain });
  const run = await runPreview({
    machine: thisMachine(),
    start: parseArguments(process.argv.slice(2)),
    keychain,
    programs: thesePrograms(),
    about: await readAboutFacts(root, "preview"),
    log,
  });
  if (run.kind === "second") {
    console.log(errorText("vault-in-use"));
    if (run.address !== null) console.log(run.address);
  } else {
    console.log(`Sotto is ready: ${run.address}`);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => void run.stop());
    }
    await run.ended;
    // A keychain that never answered holds a thread that an orderly exit would wait for; all else is closed by now.
    if (keychain.isHanging) process.kill(process.pid, "SIGKILL");
  }
} catch (error) {
  const failure = ensureAppError(error);
  console.error(errorText(failure.code), failure.data);
  if (failure.fault === "bug") console.error(failure.cause ?? failure);
  process.exitCode = 1;
}
