import { AppError, type CryptoWorker, type WorkerMethodName } from "#protocol";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import type { VaultSession } from "../../crypto/vault/vault-session.ts";
import { vaultHandlers } from "../../crypto/worker/vault-handlers.ts";
import { pack } from "../../electron/worker/pack.ts";

/** As over a port, requests and answers are copies. */
function copyOf(value: unknown): unknown {
  const { value: packed, transfer } = pack(value);
  return structuredClone(packed, { transfer: [...transfer] });
}

/**
 * The vault's part of the crypto worker on this thread, real but for cheap passphrases and without its self-test and the groups' library to load: for
 * processes that live half a second, and for benchmarks of the vault alone.
 */
export function createSealingWorker(): CryptoWorker {
  let session: VaultSession | null = null;
  const lock = (): void => {
    session?.wipe();
    session = null;
  };
  const loading = loadPrimitives().then((primitives) =>
    vaultHandlers({
      ports: { primitives, passphraseCost: () => ({ passes: 1, memoryBytes: 8192 }) },
      time: { nowMs: () => Date.now() },
      get vault() {
        if (session === null) throw new AppError("not-ready");
        return session;
      },
      unlock(opened) {
        lock();
        session = opened;
      },
      lock,
    }),
  );

  return {
    async call(method, params) {
      const handlers = await loading;
      if (method === "start") return { libsodium: "", tests: 0, suite: "" } as never;
      if (!Object.hasOwn(handlers, method)) {
        throw new AppError("command-unknown", { data: { method } });
      }
      const known: Partial<Record<WorkerMethodName, (params: never) => unknown>> = handlers;
      return copyOf(known[method]?.(copyOf(params) as never)) as never;
    },
    on: () => () => undefined,
    onRestart: () => () => undefined,
    dispose: () => Promise.resolve(),
  };
}
