import type { CryptoWorker } from "#protocol";
import { createWorkerCore } from "../../crypto/worker/core.ts";
import { createCryptoWorker } from "../../electron/worker/index.ts";
import { systemClock } from "./fake-clock.ts";

/** The real crypto worker on this thread, started, with cheap passphrases. */
export interface InlineCryptoWorker extends CryptoWorker {
  /** Dies; it is started again at once, with empty memory. */
  crash(): Promise<void>;
  /** How often each method was called. */
  readonly calls: ReadonlyMap<string, number>;
}

export async function startInlineCryptoWorker(): Promise<InlineCryptoWorker> {
  const calls = new Map<string, number>();
  let exit: (reason: string) => void = () => undefined;
  const worker = createCryptoWorker({
    clock: systemClock,
    spawn: ({ message, exited }) => {
      exit = exited;
      const core = createWorkerCore({
        clock: {
          nowMs: () => Date.now(),
          passedMs: () => Math.floor(performance.now()),
          setTimer: (delayMs, fire) => systemClock.setTimeout(fire, delayMs),
        },
        passphraseCost: { passes: 1, memoryBytes: 8192 },
        selfTest: () => Promise.resolve({ tests: 0, libsodium: "" }),
        post: (answer) => {
          message(structuredClone(answer));
        },
      });
      return {
        post(request, transfer) {
          calls.set(request.method, (calls.get(request.method) ?? 0) + 1);
          core.handle(structuredClone(request, { transfer: [...transfer] }));
        },
        terminate: () => Promise.resolve(),
      };
    },
  });
  await worker.call("start", {});
  return {
    calls,
    call: (method, params) => worker.call(method, params),
    on: (name, listener) => worker.on(name, listener),
    onRestart: (listener) => worker.onRestart(listener),
    dispose: () => worker.dispose(),
    async crash() {
      const restarted = new Promise<void>((resolve) => {
        const stop = worker.onRestart(() => {
          stop();
          resolve();
        });
      });
      exit("crashed on purpose");
      await restarted;
      await worker.call("start", {});
    },
  };
}
