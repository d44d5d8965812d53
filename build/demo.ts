import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { ensurePackages } from "./lib/debian-packages.ts";
import { openAddress } from "./lib/open-address.ts";
import { inRepository, root } from "./lib/paths.ts";
import { ensureRenderer } from "./lib/renderer-bundle.ts";

/*
 * npm run demo
 * A network that is hosted here and two people in it, each in a page of the browser. All of it is gone at the end.
 */
const problem = await ensurePackages("run");
if (problem !== undefined) console.error(problem);
await ensureRenderer();

const demo = spawn(process.execPath, [inRepository("electron/demo.ts")], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
});
createInterface({ input: demo.stdout }).on("line", (line) => {
  console.log(line);
  const address = /http:\/\/127\.0\.0\.1:\d+\/\S*/u.exec(line)?.[0];
  if (address !== undefined) openAddress(address);
});
// The terminal gives its interrupt to both; what only we get is passed on. The demo ends first, and cleans up.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => demo.kill("SIGTERM"));
demo.once("close", (code) => {
  process.exitCode = code ?? 1;
});
