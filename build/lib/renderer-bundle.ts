import { inRepository } from "./paths.ts";
import { isFresh, writeStamp } from "./freshness.ts";
import { runNode } from "./run.ts";

const sources: readonly string[] = [
  "renderer",
  "protocol",
  "build/bundle",
  "package-lock.json",
  "svelte.config.js",
];

/** Builds dist/renderer unless it is newer than all its sources. @throws Error when the build fails; it has said why. */
export async function ensureRenderer(): Promise<void> {
  const stamp = inRepository("dist/.renderer-built");
  if (isFresh(stamp, sources)) return;
  console.log("Building the interface ...");
  const { exitCode } = await runNode([inRepository("build/bundle.ts"), "renderer"]);
  if (exitCode !== 0) throw new Error("The interface could not be built (see above).");
  writeStamp(stamp);
}
