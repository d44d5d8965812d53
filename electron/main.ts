import * as electron from "electron";
import { fileURLToPath } from "node:url";
import { ensureAppError, errorText } from "#protocol";
import {
  lineLog,
  parseArguments,
  profilePaths,
  readAboutFacts,
  readPageFiles,
  systemClock,
  thisMachine,
  thisMachinePolicy,
} from "./app/index.ts";
import { createKeytarKeychain } from "./keychain/index.ts";
import { startShell } from "./shell/index.ts";

/*
 * The desktop app (dist/electron/main.js): [--profile NAME] [sotto://join/…]
 * No await before startShell: what must be said before Electron is ready would come too late.
 */
const inBundle = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

try {
  const { app } = electron;
  const { profile, link } = parseArguments(process.argv.slice(app.isPackaged ? 1 : 2));
  const machine = thisMachine();
  const log = lineLog(console.error, Date.now);
  const policy = thisMachinePolicy(log);
  startShell({
    electron,
    machine,
    paths: profilePaths(machine, profile),
    link,
    keychain: createKeytarKeychain({ clock: systemClock, allowWeak: policy.allowWeakKeychain }),
    log,
    programs: {
      preload: inBundle("preload.cjs"),
      cryptoWorker: inBundle("../crypto/worker.js"),
      relay: inBundle("../relay/embedded.js"),
      icons: inBundle("../icons"),
    },
    loadPage: () => readPageFiles(inBundle("../renderer")),
    loadAbout: () => readAboutFacts(app.getAppPath(), "electron"),
    refuse: console.error,
  });
} catch (error) {
  const failure = ensureAppError(error);
  console.error(errorText(failure.code), failure.cause ?? "");
  electron.app.exit(1);
}
