export { createCryptoWorker, type CryptoWorkerOptions } from "./crypto-worker.ts";
export type { SpawnWorker, WorkerHost, WorkerHostListener } from "./ports.ts";
export { threadSpawner } from "./thread-spawner.ts";
