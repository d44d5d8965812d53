import { ensurePackages } from "./lib/debian-packages.ts";
import { verify } from "./lib/gate.ts";

/* npm test: what the tests need from the system, then the whole gate. */
const problem = await ensurePackages("test");
if (problem === undefined) {
  process.exitCode = (await verify()) ? 0 : 1;
} else {
  console.error(problem);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
