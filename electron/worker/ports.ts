import type { WorkerMessage, WorkerRequest } from "#protocol";

/** A running crypto worker: a thread, or a process of its own. */
export interface WorkerHost {
  /** @param transfer - buffers that nobody else uses and that may move instead of being copied */
  post(request: WorkerRequest, transfer: readonly ArrayBuffer[]): void;
  /** Ends it at once. The exit is not told to the listener any more. */
  terminate(): Promise<void>;
}

/** Where a {@link WorkerHost} tells what happens to it. */
export interface WorkerHostListener {
  readonly message: (message: WorkerMessage) => void;
  /** It ended by itself, at most once; `reason` is for the log. */
  readonly exited: (reason: string) => void;
}

/** Starts a crypto worker. Never throws: a worker that can't start has exited. */
export type SpawnWorker = (listener: WorkerHostListener) => WorkerHost;
