import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { ensurePackages } from "./lib/debian-packages.ts";
import { type ElectronBinary, ensureElectron } from "./lib/electron-binary.ts";
import { hasScreen, openAddress } from "./lib/open-address.ts";
import { inRepository, root } from "./lib/paths.ts";
import { ensureRenderer } from "./lib/renderer-bundle.ts";
import { runNode } from "./lib/run.ts";

/*
 * npm start [-- --profile NAME] [-- --preview]
 * Runs Sotto in Electron; where that can't be, says why in one line and opens the browser preview instead. All arguments but --preview
 * are passed on.
 */
const passedOn = process.argv.slice(2).filter((argument) => argument !== "--preview");
const problem = await ensurePackages("run");
if (problem !== undefined) console.error(problem);
await ensureRenderer();

const electron = await chooseElectron();
if (electron.kind === "present") {
  process.exitCode = await startElectron(electron.path);
} else {
  console.log(`Opening the browser preview instead of Electron: ${electron.reason}`);
  process.exitCode = await startPreview();
}

/** Asks everything that needs no network first. */
async function chooseElectron(): Promise<ElectronBinary> {
  if (process.argv.includes("--preview")) return { kind: "absent", reason: "--preview was given" };
  if (!hasScreen()) return { kind: "absent", reason: "this terminal has no display" };
  if (process.getuid?.() === 0) {
    return { kind: "absent", reason: "as root its windows would have no sandbox" };
  }
  return ensureElectron();
}

/** @returns the exit code. */
async function startElectron(binary: string): Promise<number> {
  console.log("Bundling the programs ...");
  const { exitCode } = await runNode([inRepository("build/bundle.ts"), "programs"], {
    quiet: true,
  });
  if (exitCode !== 0) throw new Error("The programs could not be bundled: node build/bundle.ts");
  return follow([binary, root, ...passedOn], () => undefined);
}

/** @returns the exit code. */
async function startPreview(): Promise<number> {
  let isOpened = false;
  return follow([process.execPath, inRepository("electron/preview.ts"), ...passedOn], (line) => {
    const address = /http:\/\/127\.0\.0\.1:\d+\/\S*/u.exec(line)?.[0];
    if (address === undefined || isOpened) return;
    isOpened = true;
    if (!openAddress(address)) console.log("Open this address in a browser on this computer.");
  });
}

/**
 * Runs the app until it ends, with its output shown as it comes. The signals that end us are the terminal's, which gives them to the app
 * as well; those that only we get are passed on.
 */
function follow(command: readonly string[], onLine: (line: string) => void): Promise<number> {
  const [program, ...rest] = command;
  if (program === undefined) throw new Error("no command");
  const child = spawn(program, rest, { cwd: root, stdio: ["inherit", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => {
    console.log(line);
    onLine(line);
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
}
