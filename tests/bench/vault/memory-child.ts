import { clientCatalogue, openClient } from "../../../electron/client/index.ts";
import { connectWithWs } from "../../../electron/link/index.ts";
import { openVault } from "../../../electron/vault/index.ts";
import { systemClock } from "../../support/fake-clock.ts";
import { startThreadWorker } from "./example.ts";

/*
 * node --expose-gc memory-child.ts DIRECTORY PASSPHRASE
 * Opens a vault as Sotto does, without its relay, and prints what this process holds when the search index is full.
 */

/** The allocator gives pages back with some delay, and a collection may leave work for the next one. */
const collections = 5;

const [directory = "", passphrase = ""] = process.argv.slice(2);
const worker = await startThreadWorker();
const vault = await openVault({
  directory,
  worker,
  keychain: null,
  catalogue: clientCatalogue,
  clock: systemClock,
  unlockWith: { kind: "passphrase", passphrase },
});
const client = await openClient({
  vault,
  worker,
  connect: (target, listener) =>
    connectWithWs({ ...target, url: "ws://127.0.0.1:1/nowhere" }, listener),
  clock: systemClock,
  relayUrl: null,
  isFocused: () => true,
});
await new Promise<void>((resolve) => {
  client.on("search.progress", ({ indexed, total }) => {
    if (indexed >= total) resolve();
  });
});
for (let count = 0; count < collections; count++) {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const { rss, heapUsed, external } = process.memoryUsage();
process.stdout.write(JSON.stringify({ rss, heapUsed, external }));
await client.close();
await vault.close();
await worker.dispose();
