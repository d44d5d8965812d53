import {
  AppError,
  ensureAppError,
  type WorkerMessage,
  type WorkerMethodName,
  type WorkerRequest,
  type WorkerResult,
} from "#protocol";
import { suiteNames } from "../mls/suites.ts";
import {
  loadPrimitives,
  runSelfTest,
  systemRandom,
  wipe,
  type Argon2idCost,
  type RandomSource,
  type SelfTestReport,
} from "../primitives/index.ts";
import type { Clock } from "../sweep/clock.ts";
import { measurePassphraseCost } from "../vault/slots/passphrase-cost.ts";
import { WorkerContext, type Emit, type Handlers } from "./context.ts";
import { groupHandlers } from "./group-handlers.ts";
import { identityHandlers } from "./identity-handlers.ts";
import { linkHandlers } from "./link-handlers.ts";
import { missingHandlers } from "./missing-handlers.ts";
import { rejectionHandlers } from "./rejection-handlers.ts";
import { sweepHandlers } from "./sweep-handlers.ts";
import { vaultHandlers } from "./vault-handlers.ts";

/** What the worker needs of its surroundings; what is left out is the real thing. */
export interface WorkerCoreOptions {
  readonly clock: Clock;
  /** Gets the message, and what of it may move instead of being copied. */
  readonly post: (message: WorkerMessage, transfer: readonly ArrayBuffer[]) => void;
  readonly random?: RandomSource;
  /** Fixed, and cheap, in tests only; else measured when a slot is made. */
  readonly passphraseCost?: Argon2idCost;
  readonly selfTest?: () => Promise<SelfTestReport>;
}

/** The worker without its port: takes requests one after another, in the order in which they come. */
export interface WorkerCore {
  handle(request: WorkerRequest): void;
}

type AllHandlers = Handlers<Exclude<WorkerMethodName, "start">>;

export function createWorkerCore(options: WorkerCoreOptions): WorkerCore {
  const { clock, post, random = systemRandom, selfTest = runSelfTest } = options;
  const emit: Emit = (name, body) => {
    post({ kind: "event", name, body }, []);
  };
  let handlers: AllHandlers | null = null;
  let last: Promise<void> = Promise.resolve();

  async function start(): Promise<WorkerResult<"start">> {
    const { tests, libsodium } = await selfTest();
    if (handlers === null) {
      const primitives = await loadPrimitives(random);
      const passphraseCost = (): Argon2idCost =>
        options.passphraseCost ?? measurePassphraseCost(primitives.argon2id, () => clock.nowMs());
      const context = new WorkerContext({ primitives, clock, emit, passphraseCost });
      handlers = {
        ...vaultHandlers(context),
        ...identityHandlers(context),
        ...groupHandlers(context),
        ...linkHandlers(context),
        ...missingHandlers(context),
        ...rejectionHandlers(context),
        ...sweepHandlers(context),
      };
    }
    return { libsodium, tests, suite: suiteNames.default };
  }

  async function answer({ method, params }: WorkerRequest): Promise<unknown> {
    if (method === "start") return start();
    if (handlers === null) {
      throw new AppError("not-ready", { data: { reason: "the worker hasn't been started" } });
    }
    if (!Object.hasOwn(handlers, method)) {
      throw new AppError("command-unknown", { data: { method } });
    }
    // The main process speaks the same contract: TypeScript checked its side of this call.
    const handler = handlers[method] as (params: unknown) => unknown;
    return await handler(params);
  }

  async function respond(request: WorkerRequest): Promise<void> {
    const { id, method, params } = request;
    try {
      const result = await answer(request);
      post({ kind: "result", id, result }, chunksIn(method, result));
      wipeAnswer(result);
    } catch (error) {
      post({ kind: "failure", id, error: ensureAppError(error).toWire() }, []);
    } finally {
      for (const buffer of chunksIn(method, params)) buffer.transfer(0);
    }
  }

  return {
    handle(request) {
      last = last.then(() => respond(request));
    },
  };
}

/** What they take and give is one large array, made for this call alone. */
const chunkMethods: ReadonlySet<WorkerMethodName> = new Set<WorkerMethodName>([
  "vault.sealSnapshotChunk",
  "vault.openSnapshotChunk",
]);

/**
 * The arrays of a chunk's request or answer. They move instead of being copied, and are given back instead of being left to the
 * garbage collector: memory that was never touched before costs more than the encryption.
 */
function chunksIn(method: WorkerMethodName, values: unknown): readonly ArrayBuffer[] {
  if (!chunkMethods.has(method) || typeof values !== "object" || values === null) return [];
  return Object.values(values).flatMap((value: unknown) => {
    const isAlone = value instanceof Uint8Array && value.byteLength === value.buffer.byteLength;
    return isAlone && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
  });
}

/** Fields of answers that hold keys. */
const keyFields = new Set(["keychainKey", "keychainKeys", "frameKeys"]);

/** Wipes the keys in an answer, which the port has copied. */
function wipeAnswer(result: unknown): void {
  if (typeof result !== "object" || result === null) return;
  for (const [name, value] of Object.entries(result)) {
    if (keyFields.has(name)) wipeWithin(value);
  }
}

function wipeWithin(value: unknown): void {
  if (value instanceof Uint8Array) wipe(value);
  else if (typeof value === "object" && value !== null) Object.values(value).forEach(wipeWithin);
}
