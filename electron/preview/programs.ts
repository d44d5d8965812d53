import { fileURLToPath } from "node:url";
import type { Programs } from "./run.ts";

/** The programs of this checkout: sources that Node runs as they are, and the page that was built from them. */
export function thesePrograms(): Programs {
  return {
    cryptoWorker: new URL("../../crypto/worker.ts", import.meta.url),
    relay: new URL("../../relay/embedded.ts", import.meta.url),
    page: fileURLToPath(new URL("../../dist/renderer", import.meta.url)),
  };
}
