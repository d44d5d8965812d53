import type { ConversationId } from "#protocol";
import type { Core } from "../core/core.ts";

/** How long acknowledgements are gathered, milliseconds. */
const gatherMs = 150;

/** Tells the relay what this device has on disk, so that it can drop it. Lost ones are no harm: the next one says as much. */
export class Acknowledger {
  readonly #core: Core;
  readonly #groups = new Map<ConversationId, number>();
  #inbox: number | null = null;
  #cancel: (() => void) | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  group(conversationId: ConversationId, sequence: number): void {
    if (sequence > (this.#groups.get(conversationId) ?? 0)) {
      this.#groups.set(conversationId, sequence);
      this.#schedule();
    }
  }

  inbox(sequence: number): void {
    this.#inbox = Math.max(this.#inbox ?? 0, sequence);
    this.#schedule();
  }

  close(): void {
    this.#cancel?.();
  }

  #schedule(): void {
    this.#cancel ??= this.#core.clock.setTimeout(() => {
      this.#cancel = null;
      this.#send();
    }, gatherMs);
  }

  #send(): void {
    const ignore = (): void => undefined;
    for (const [conversationId, sequence] of this.#groups) {
      this.#core.request("group.acknowledge", { conversationId, sequence }).catch(ignore);
    }
    this.#groups.clear();
    if (this.#inbox !== null) {
      this.#core.request("inbox.acknowledge", { sequence: this.#inbox }).catch(ignore);
      this.#inbox = null;
    }
  }
}
