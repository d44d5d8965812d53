import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { ConversationId, EmbeddedRelayMessage, MessageId } from "#protocol";
import { createCryptoWorker, threadSpawner } from "../../electron/worker/index.ts";
import { Person, until, type Surroundings } from "../support/client-world.ts";
import { systemClock } from "../support/fake-clock.ts";

/*
 * A message's way between two clients over the embedded relay: from the command to send it until the other client's window is told.
 * Everything is real and durable: both vaults and the relay's storage sync their disks, and both crypto workers and the relay run
 * in threads of their own, as they do in the preview. Two clients, two workers and a relay share this machine's cores.
 */

const warmUps = 30;
const rounds = 300;
const gapMs = 5;

async function startRelay(directory: string) {
  const worker = new Worker(new URL("../../relay/embedded.ts", import.meta.url));
  const started = new Promise<Extract<EmbeddedRelayMessage, { readonly kind: "started" }>>(
    (resolve, reject) => {
      worker.once("message", (message: EmbeddedRelayMessage) => {
        if (message.kind === "started") resolve(message);
        else reject(new Error(`the relay didn't start: ${message.kind}`));
      });
    },
  );
  worker.postMessage({ kind: "start", directory, port: 0 });
  const { relayUrl, claimCode } = await started;
  const stop = async (): Promise<void> => {
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage({ kind: "stop" });
    await exited;
  };
  return { relayUrl, claimCode, stop };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Sends one message. @returns milliseconds until it is known here, and until the other window is told */
async function roundTrip(from: Person, to: Person, conversationId: ConversationId, text: string) {
  const arrived = Promise.withResolvers<number>();
  const known = Promise.withResolvers<MessageId>();
  const stop = to.client.on("messages.changed", ({ upserted }) => {
    if (upserted.some((message) => message.kind === "text" && message.text === text)) {
      arrived.resolve(performance.now());
    }
  });
  const begin = performance.now();
  from.say(conversationId, text).then(known.resolve, known.reject);
  await known.promise;
  const shown = performance.now();
  const end = await arrived.promise;
  stop();
  return { shownMs: shown - begin, arrivedMs: end - begin };
}

const directory = mkdtempSync(join(tmpdir(), "sotto-bench-"));
const relay = await startRelay(join(directory, "relay"));
const around: Surroundings = {
  relayUrl: relay.relayUrl,
  claimCode: () => Promise.resolve(relay.claimCode),
  startWorker: async () => {
    const entry = new URL("../../crypto/worker.ts", import.meta.url);
    const worker = createCryptoWorker({ spawn: threadSpawner(entry), clock: systemClock });
    await worker.call("start", {});
    return worker;
  },
};
const ada = await new Person(around, "Ada").host();
await ada.online();
const { link } = await ada.client.commands["invites.create"]({ lifetimeSeconds: 3600, uses: 1 });
const ben = await new Person(around, "Ben").join(link);
await ben.online();
await until("they know each other", async () => {
  return (await ada.client.commands["people.list"]({})).length === 2;
});
const conversationId = await ada.create("direct", [ben]);
await ada.look(conversationId);
await ben.finds(conversationId);
// Key packages are made in the background after joining; that is not what is measured.
await new Promise((resolve) => setTimeout(resolve, 3000));

const shown: number[] = [];
const arrived: number[] = [];
for (let round = -warmUps; round < rounds; round += 1) {
  const text = `message ${String(round)}: twelve words of ordinary length, as people write them here`;
  const { shownMs, arrivedMs } = await roundTrip(ada, ben, conversationId, text);
  if (round >= 0) {
    shown.push(shownMs);
    arrived.push(arrivedMs);
  }
  await new Promise((resolve) => setTimeout(resolve, gapMs));
}
const row = (what: string, values: readonly number[]) => ({
  what,
  "median ms": Number(percentile(values, 0.5).toFixed(2)),
  "p95 ms": Number(percentile(values, 0.95).toFixed(2)),
});
console.table([row("sender's window shows it", shown), row("receiver's window shows it", arrived)]);

await ada.dispose();
await ben.dispose();
await relay.stop();
rmSync(directory, { recursive: true, force: true });
