import { parentPort } from "node:worker_threads";
import type { WorkerMessage, WorkerRequest } from "#protocol";

/** The worker's end of the line to the main process. */
export interface WorkerPort {
  /** @param transfer - buffers that nobody else uses and that may move instead of being copied */
  post(message: WorkerMessage, transfer: readonly ArrayBuffer[]): void;
  listen(listener: (request: WorkerRequest) => void): void;
}

/** What Electron puts into a utility process. Source: Electron's `process.parentPort`. */
interface ElectronParentPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/**
 * The port of whichever host started this program: `worker_threads`, or Electron's `utilityProcess`, whose module isn't needed
 * for it.
 *
 * @returns undefined when it was started as a program of its own
 */
export function hostPort(): WorkerPort | undefined {
  // Both hosts are ours, and the main process speaks the contract; nothing else can reach these ports.
  if (parentPort !== null) {
    const port = parentPort;
    return {
      post: (message, transfer) => {
        port.postMessage(message, transfer);
      },
      listen: (listener) => {
        port.on("message", (request) => {
          listener(request as WorkerRequest);
        });
      },
    };
  }
  const electronPort = (process as { readonly parentPort?: ElectronParentPort }).parentPort;
  if (electronPort === undefined) return undefined;
  return {
    // A process has no memory to hand over.
    post: (message) => {
      electronPort.postMessage(message);
    },
    listen: (listener) => {
      electronPort.on("message", ({ data }) => {
        listener(data as WorkerRequest);
      });
    },
  };
}
