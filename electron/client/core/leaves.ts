import {
  AppError,
  type BodyItem,
  type CryptoWorker,
  type KeyLeaf,
  type MessageId,
} from "#protocol";
import { putFact, readFact } from "../store/facts.ts";
import type { Store } from "../store/store.ts";
import type { Changes } from "./changes.ts";

const hourMs = 60 * 60 * 1000;

/** The bucket of what ends at a time, which is also the first one that isn't over then. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / hourMs);
}

/** What the worker is told of a body: its bucket stands there as the time with which it begins. */
export function bodyItem(messageId: MessageId, { hour, leaf }: KeyLeaf): BodyItem {
  return { messageId, expiresAtMs: hour * hourMs, leaf };
}

/** Seals bodies of one message, or of what belongs to it, under its leaf. @throws AppError `not-found` when that has been destroyed */
export async function sealBodies(
  worker: CryptoWorker,
  messageId: MessageId,
  leaf: KeyLeaf,
  ...plains: readonly Uint8Array[]
): Promise<readonly Uint8Array[]> {
  const item = bodyItem(messageId, leaf);
  const { sealed } = await worker.call("body.seal", {
    items: plains.map((plain) => ({ ...item, plain })),
  });
  if (sealed.length !== plains.length) {
    throw new AppError("internal", { data: { method: "body.seal" } });
  }
  return sealed;
}

/** As {@link sealBodies}, for one. */
export async function sealBody(
  worker: CryptoWorker,
  messageId: MessageId,
  leaf: KeyLeaf,
  plain: Uint8Array,
): Promise<Uint8Array> {
  const [body] = await sealBodies(worker, messageId, leaf, plain);
  if (body === undefined) throw new AppError("internal", { data: { method: "body.seal" } });
  return body;
}

/**
 * Gives out the leaves of the key tree, densely, each once. A transaction that fails leaves a gap: what was sealed under its leaves is
 * nowhere.
 */
export class Leaves {
  readonly #store: Store;
  /** How far each bucket has come, transactions under way included. */
  readonly #next = new Map<number, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Buckets before this hour have been dropped, or are about to be. */
  get droppedBefore(): number {
    return readFact(this.#store.vault, "droppedBefore") ?? 0;
  }

  /**
   * A leaf for what ends at a time. Where its bucket is gone already, because a clock was far ahead for long, it is one of the first
   * bucket that isn't; it is destroyed at its end all the same.
   *
   * @param changes - the transaction that stores what is sealed under it
   */
  take(changes: Changes, endsAtMs: number): KeyLeaf {
    const hour = Math.max(hourOf(endsAtMs), this.droppedBefore);
    const leaf = Math.max(this.#store.ends.leavesOf(hour), this.#next.get(hour) ?? 0);
    this.#next.set(hour, leaf + 1);
    changes.write("bucket.take", hour, leaf + 1);
    return { hour, leaf };
  }

  /** Notes that the buckets before an hour are dropped from now on. On disk before it is done: nothing is sealed under them then. */
  drop(changes: Changes, hour: number): void {
    changes.statements.push(putFact("droppedBefore", hour));
    for (const known of [...this.#next.keys()]) if (known < hour) this.#next.delete(known);
  }
}
