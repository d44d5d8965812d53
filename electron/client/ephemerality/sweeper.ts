import { ensureAppError, type Deadline, type MessageId } from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { enqueueDrop } from "../conversations/enqueue.ts";
import { putFact } from "../store/facts.ts";
import type { DueMessage } from "../store/store.ts";

const hourMs = 60 * 60 * 1000;
/** The worker's heap holds what ends within this time; the rest waits in the vault, milliseconds. */
const horizonMs = 25 * hourMs;
const extendEveryMs = 12 * hourMs;
const lookEveryMs = 5000;
/** Between two looks this much more or less than {@link lookEveryMs} has passed: the computer slept, or its clock was set. */
const jumpMs = 3000;

/** Ends messages: the worker says when, and one vault transaction deletes all that belongs to them. */
export class Sweeper {
  readonly #core: Core;
  #horizonMs = 0;
  #running: Promise<void> = Promise.resolve();
  #lookedAtMs = 0;
  #cancelWatch: () => void = () => undefined;
  #unlisten: () => void = () => undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Starts the worker's heap, and ends what ended while nobody was here. Nothing may be shown before it resolves. */
  async begin(floorMs: number): Promise<void> {
    const { store, time, worker } = this.#core;
    this.#horizonMs = time.now() + horizonMs;
    this.#unlisten = worker.on("sweep.due", ({ nowMs }) => {
      this.#sweepLater(nowMs);
    });
    const deadlines = store.deadlines(this.#horizonMs);
    const { nowMs } = await worker.call("sweep.begin", { floorMs, deadlines });
    time.raise(nowMs);
    await this.#sweep(time.now());
    this.#lookedAtMs = time.now();
    this.#watch();
  }

  /** Follows what a transaction has changed about ends. */
  follow({ deadlines, cancelled }: Changes): void {
    if (cancelled.length > 0) {
      this.#core.worker.call("sweep.cancel", { messageIds: cancelled }).catch(ensureAppError);
    }
    this.#schedule(deadlines.filter(({ deadlineMs }) => deadlineMs <= this.#horizonMs));
  }

  /** The relay's clock, seen just now. @throws AppError `clock-differs`: nothing is ended by either clock then */
  async observe(relayTimeMs: number): Promise<void> {
    const { time, worker } = this.#core;
    time.ensureAgreed(relayTimeMs);
    await worker.call("sweep.observeTime", { relayTimeMs });
    // After the worker, whose earlier time might still have come in between.
    time.agree(relayTimeMs);
    this.look();
  }

  /** Ends what has ended by now, and loads what ends next: after a sleep, or when the clock was set, timers ring too late. */
  look(): void {
    const nowMs = this.#core.time.now();
    this.#load(nowMs + horizonMs);
    this.#sweepLater(nowMs);
  }

  /** Keeps the largest time that was seen, so that a clock which is set back before the next start gains nothing. */
  async keepTime(): Promise<void> {
    if (this.#core.vault.readOnly !== null) return;
    const changes = new Changes();
    changes.statements.push(putFact("floorMs", this.#core.time.now()));
    await this.#core.commit(changes);
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.#cancelWatch();
    await this.#running;
  }

  #schedule(deadlines: readonly Deadline[]): void {
    if (deadlines.length === 0) return;
    // A worker that is gone comes back with everything read from the vault.
    this.#core.worker.call("sweep.schedule", { deadlines }).catch(ensureAppError);
  }

  /** Timers stand still while a computer sleeps, and the clock may be set. */
  #watch(): void {
    this.#cancelWatch = this.#core.clock.setTimeout(() => {
      const nowMs = this.#core.time.now();
      const jumped = Math.abs(nowMs - this.#lookedAtMs - lookEveryMs) > jumpMs;
      this.#lookedAtMs = nowMs;
      if (jumped || this.#horizonMs - nowMs < horizonMs - extendEveryMs) this.look();
      this.#watch();
    }, lookEveryMs);
  }

  #load(untilMs: number): void {
    this.#horizonMs = untilMs;
    this.#schedule(this.#core.store.deadlines(untilMs));
  }

  #sweepLater(nowMs: number): void {
    this.#core.time.raise(nowMs);
    this.#running = this.#running.then(() => this.#sweep(nowMs)).catch(() => undefined);
  }

  /** What can't be deleted, because the vault takes no writes, is at least not shown any more. */
  async #sweep(nowMs: number): Promise<void> {
    const { store, vault } = this.#core;
    const due = store.due(nowMs);
    const changes = new Changes();
    this.#tell(changes, due, nowMs);
    const anything = due.length > 0 || changes.conversations.size > 0 || store.hasDueItems(nowMs);
    if (vault.readOnly === null && anything) {
      for (const message of due) this.#dropAtRelay(changes, message, nowMs);
      for (const name of [
        "reaction.deleteDue",
        "receipt.deleteDue",
        "outbox.deleteDue",
        "message.deleteDue",
        "draft.deleteDue",
      ] as const) {
        changes.write(name, nowMs);
      }
      changes.statements.push(putFact("floorMs", nowMs));
    }
    if (anything) await this.#core.commit(changes);
  }

  #tell(changes: Changes, due: readonly DueMessage[], nowMs: number): void {
    const { store } = this.#core;
    const gone = new Set<MessageId>(due.map(({ messageId }) => messageId));
    for (const { messageId, conversationId } of due) {
      changes.remove(conversationId, messageId);
      for (const quoting of store.quotedBy(messageId)) {
        if (!gone.has(quoting)) changes.upsert(conversationId, quoting);
      }
    }
    for (const { targetId, conversationId } of store.dueReactions(nowMs)) {
      if (!gone.has(targetId)) changes.upsert(conversationId, targetId);
    }
    for (const conversationId of store.dueDrafts(nowMs)) changes.touch(conversationId);
  }

  /** A message that burned before its expiration: its ciphertext at the relay goes too. */
  #dropAtRelay(changes: Changes, message: DueMessage, nowMs: number): void {
    const { own, burned, sequence, endsAtMs, conversationId } = message;
    if (!own || !burned || sequence === null || endsAtMs <= nowMs) return;
    enqueueDrop(this.#core, changes, { conversationId, sequence, endsAtMs });
  }
}
