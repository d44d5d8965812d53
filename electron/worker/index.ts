export type { SpawnWorker, WorkerHost, WorkerHostListener } from "./ports.ts";
