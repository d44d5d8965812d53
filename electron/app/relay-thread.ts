import { Worker } from "node:worker_threads";
import type { EmbeddedRelayMessage } from "#protocol";
import type { RelayWorker } from "./ports.ts";

/**
 * Runs the relay as a thread of this process: in the preview, headless hosts and tests.
 *
 * @param entryUrl - `relay/embedded.ts` or its bundle
 */
export function relayThread(entryUrl: URL): () => RelayWorker {
  return () => {
    const thread = new Worker(entryUrl, { name: "relay", env: {} });
    const listeners: ((message: EmbeddedRelayMessage | null) => void)[] = [];
    const tell = (message: EmbeddedRelayMessage | null): void => {
      for (const listener of [...listeners]) listener(message);
    };
    thread.on("message", tell);
    // What went wrong ends the thread as well, and its end is what counts.
    thread.on("error", () => undefined);
    thread.on("exit", () => {
      tell(null);
    });
    return {
      send: (request) => {
        thread.postMessage(request);
      },
      onMessage: (listener) => {
        listeners.push(listener);
      },
      kill: () => {
        void thread.terminate();
      },
    };
  };
}
