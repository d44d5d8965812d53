import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { inModules, inRepository } from "./paths.ts";
import { runNode } from "./run.ts";

/** Electron's binary, or why there is none, in words for the person at the terminal. */
export type ElectronBinary =
  | { readonly kind: "present"; readonly path: string }
  | { readonly kind: "absent"; readonly reason: string };

/** No byte for so long means that nothing will come. Slow lines keep moving and are waited for. */
const stallMs = 20_000;
const pollMs = 500;

/** Finds Electron's binary without fetching it. @returns its path, or undefined. */
export function findElectron(): string | undefined {
  const pathFile = inModules("electron/path.txt");
  if (!existsSync(pathFile)) return undefined;
  const folder = process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? inModules("electron/dist");
  const binary = join(folder, readFileSync(pathFile, "utf8").trim());
  return existsSync(binary) ? binary : undefined;
}

/**
 * Finds Electron's binary, fetching it once when it is missing. npm does not bring it: the package only holds a script that loads
 * it from outside the registry (ELECTRON_MIRROR names another place).
 */
export async function ensureElectron(): Promise<ElectronBinary> {
  const found = findElectron();
  if (found !== undefined) return { kind: "present", path: found };
  console.log("Fetching Electron's binary (once, about 110 MB) ...");
  const temporary = inRepository(".cache/electron-download");
  mkdirSync(temporary, { recursive: true });
  const stopped = new AbortController();
  const watch = watchForStall([temporary, inModules("electron/dist")], () => {
    stopped.abort();
  });
  try {
    const { exitCode, output } = await runNode([inModules("electron/install.js")], {
      quiet: true,
      environment: { TMPDIR: temporary, TEMP: temporary, TMP: temporary },
      signal: stopped.signal,
    });
    const path = findElectron();
    if (exitCode === 0 && path !== undefined) return { kind: "present", path };
    return absent(firstLine(output));
  } catch (error) {
    return absent(stopped.signal.aborted ? "no answer within 20 seconds" : String(error));
  } finally {
    watch.stop();
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Calls back when nothing below the folders has grown for {@link stallMs}. */
function watchForStall(folders: readonly string[], onStall: () => void): { stop: () => void } {
  let sizeBytes = -1;
  let movedAtMs = performance.now();
  const timer = setInterval(() => {
    const now = folders.reduce((sum, folder) => sum + folderSizeBytes(folder), 0);
    if (now !== sizeBytes) movedAtMs = performance.now();
    sizeBytes = now;
    if (performance.now() - movedAtMs > stallMs) onStall();
  }, pollMs);
  return {
    stop: () => {
      clearInterval(timer);
    },
  };
}

function folderSizeBytes(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  } catch {
    // Files come and go while the other process works; the next look sees more.
    return 0;
  }
}

function absent(why: string): ElectronBinary {
  return { kind: "absent", reason: `its binary could not be fetched (${why})` };
}

function firstLine(output: string): string {
  return output.split("\n").find((line) => line.trim() !== "") ?? "it ended without a word";
}
