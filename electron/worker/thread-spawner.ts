import { Worker } from "node:worker_threads";
import type { WorkerMessage } from "#protocol";
import type { SpawnWorker, WorkerHost } from "./ports.ts";

/**
 * Runs the crypto worker as a thread of this process: preview, headless clients and tests.
 *
 * @param entryUrl - the worker's program, `crypto/worker.ts` or its bundle
 */
export function threadSpawner(entryUrl: URL): SpawnWorker {
  return ({ message, exited }) => {
    let thread: Worker;
    try {
      // It needs nothing of the environment, and what it doesn't have it can't leak.
      thread = new Worker(entryUrl, { name: "crypto", env: {} });
    } catch (error) {
      queueMicrotask(() => {
        exited(reasonOf(error));
      });
      return silentHost;
    }
    let reason: string | null = null;
    thread.on("message", (sent: WorkerMessage) => {
      message(sent);
    });
    thread.on("messageerror", (error) => {
      reason = reasonOf(error);
      void thread.terminate();
    });
    thread.on("error", (error) => {
      reason = reasonOf(error);
    });
    thread.on("exit", (exitCode) => {
      exited(reason ?? `exit code ${exitCode}`);
    });
    return {
      post(request, transfer) {
        thread.postMessage(request, transfer);
      },
      async terminate() {
        thread.removeAllListeners();
        // An error on its way out is nobody's business any more, but unheard it would end this process.
        thread.on("error", () => undefined);
        await thread.terminate();
      },
    };
  };
}

const silentHost: WorkerHost = {
  post: () => undefined,
  terminate: () => Promise.resolve(),
};

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : "unknown error";
}
