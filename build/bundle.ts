import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";

import { build } from "vite";

import { programConfig, programs } from "./bundle/programs.ts";
import { rendererConfig } from "./bundle/renderer.ts";
import { writeLicences } from "./lib/licences.ts";
import { inRepository } from "./lib/paths.ts";

/*
 * node build/bundle.ts [renderer | programs]
 * Bundles the page into dist/renderer and the desktop programs beside it; both without an argument.
 */
const what = process.argv[2] ?? "all";
if (!["all", "renderer", "programs"].includes(what)) {
  console.error(`Unknown part "${what}": say renderer, programs or nothing.`);
  process.exit(2);
}
writeLicences();
if (what !== "programs") await bundleRenderer();
if (what !== "renderer") {
  for (const folder of ["electron", "crypto", "relay"]) {
    rmSync(inRepository("dist", folder), { recursive: true, force: true });
  }
  copyIcons();
  for (const program of programs) await build(programConfig(program));
}

/** Builds beside the old page and swaps it in when it is whole, so that nobody is served half of each. */
async function bundleRenderer(): Promise<void> {
  const finished = inRepository("dist/renderer");
  const fresh = inRepository(`dist/.renderer-${String(process.pid)}`);
  try {
    await build(rendererConfig(fresh));
    rmSync(finished, { recursive: true, force: true });
    renameSync(fresh, finished);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The pictures that the running app shows in tray and title bar, at ../icons from the main program. */
function copyIcons(): void {
  const target = inRepository("dist/icons");
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(inRepository("build/icons"))) {
    const isShown = name === "icon.png" || (name.startsWith("tray") && name.endsWith(".png"));
    if (isShown) copyFileSync(inRepository("build/icons", name), `${target}/${name}`);
  }
}
