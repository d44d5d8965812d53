import { parseArgs } from "node:util";

import { build, Platform } from "electron-builder";

import { inRepository, root } from "./lib/paths.ts";
import { ensureRenderer } from "./lib/renderer-bundle.ts";
import { runNode } from "./lib/run.ts";
import { packingConfig } from "./packing/config.ts";

/*
 * npm run dist [-- --dir] [--electron-dist FOLDER] [--output FOLDER]
 * Installers for the system this runs on, into release/; with --dir only the unpacked app. Electron's binary and electron-builder's
 * own helpers come from outside the registry. Each system packs its own: native packages are installed for one system.
 */
const { values } = parseArgs({
  options: {
    dir: { type: "boolean", default: false },
    "electron-dist": { type: "string" },
    output: { type: "string" },
  },
});
await ensureRenderer();
const bundled = await runNode([inRepository("build/bundle.ts"), "programs"]);
if (bundled.exitCode !== 0) process.exit(bundled.exitCode);

const paths = await build({
  projectDir: root,
  targets: Platform.current().createTarget(values.dir ? "dir" : undefined),
  config: packingConfig({ electronDist: values["electron-dist"], output: values.output }),
});
for (const path of paths) console.log(path);
