import { rmSync } from "node:fs";

import { build } from "vite";

import { programConfig, programs } from "./bundle/programs.ts";
import { rendererConfig } from "./bundle/renderer.ts";
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
if (what !== "programs") await build(rendererConfig());
if (what !== "renderer") {
  for (const folder of ["electron", "crypto", "relay"]) {
    rmSync(inRepository("dist", folder), { recursive: true, force: true });
  }
  for (const program of programs) await build(programConfig(program));
}
