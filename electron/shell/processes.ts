import type { UtilityProcess, utilityProcess } from "electron";
import type { EmbeddedRelayMessage, WorkerMessage } from "#protocol";
import type { RelayWorker } from "../app/index.ts";
import type { SpawnWorker } from "../worker/index.ts";

/** `utilityProcess.fork`. */
export type Fork = (typeof utilityProcess)["fork"];

/** What a process of ours needs of the environment: on Windows nothing starts without the system's folder. */
const neededVariables = ["SystemRoot", "windir", "TEMP", "TMP", "TMPDIR"];

function neededEnvironment(): Record<string, string> {
  const entries = neededVariables.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

function fork(forkProcess: Fork, path: string, serviceName: string): UtilityProcess {
  return forkProcess(path, [], {
    serviceName,
    env: neededEnvironment(),
    execArgv: [],
    stdio: "inherit",
  });
}

/**
 * Runs the crypto worker as a process of its own: its memory is not the main process's, and its crash is not ours.
 *
 * @param path - the bundled worker
 */
export function processSpawner(forkProcess: Fork, path: string): SpawnWorker {
  return ({ message, exited }) => {
    const child = fork(forkProcess, path, "Sotto encryption");
    let isEnded = false;
    child.on("message", (sent: WorkerMessage) => {
      if (!isEnded) message(sent);
    });
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code) => {
        if (!isEnded) exited(`exit code ${code}`);
        isEnded = true;
        resolve();
      });
    });
    return {
      // A process has no memory to hand over: what would be transferred is copied.
      post: (request) => {
        child.postMessage(request);
      },
      terminate: async () => {
        isEnded = true;
        // False when it is gone already.
        if (child.kill()) await ended;
      },
    };
  };
}

/**
 * Runs the embedded relay as a process of its own.
 *
 * @param path - the bundled relay
 */
export function relayProcess(forkProcess: Fork, path: string): () => RelayWorker {
  return () => {
    const child = fork(forkProcess, path, "Sotto relay");
    return {
      send: (request) => {
        child.postMessage(request);
      },
      onMessage: (listener) => {
        child.on("message", (sent: EmbeddedRelayMessage) => {
          listener(sent);
        });
        child.once("exit", () => {
          listener(null);
        });
      },
      kill: () => {
        child.kill();
      },
    };
  };
}
