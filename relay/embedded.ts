import { parentPort } from "node:worker_threads";
import type { EmbeddedRelayMessage } from "#protocol";
import { createSystemClock } from "./clock.ts";
import { createEmbeddedRelay } from "./embedded-relay.ts";
import { createLineLog } from "./log.ts";
import { systemRandom } from "./primitives.ts";
import { openLmdbStorage } from "./storage/lmdb.ts";

// The relay inside the app: a utility process of Electron, or a worker thread elsewhere.

/** What Electron gives a utility process instead of `parentPort`. */
interface UtilityPort {
  on(name: "message", listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: EmbeddedRelayMessage): void;
}

const clock = createSystemClock();
const log = createLineLog(
  (line) => process.stderr.write(line),
  () => clock.nowMs(),
);
const utilityPort = (process as { readonly parentPort?: UtilityPort }).parentPort;

const relay = createEmbeddedRelay({
  openStorage: openLmdbStorage,
  clock,
  random: systemRandom,
  log,
  post: (message) => {
    if (utilityPort === undefined) parentPort?.postMessage(message);
    else utilityPort.postMessage(message);
    // Nothing is left to be done; a worker's port would keep it.
    if (message.kind === "stopped") parentPort?.close();
  },
});

if (utilityPort === undefined) parentPort?.on("message", relay.receive);
else {
  utilityPort.on("message", ({ data }) => {
    relay.receive(data);
  });
}
