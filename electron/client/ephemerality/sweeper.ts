import { setImmediate } from "node:timers/promises";
import { ensureAppError, type Deadline, type MessageId } from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { enqueueDrop } from "../conversations/enqueue.ts";
import { endHistory } from "../linking/history-progress.ts";
import { putFact } from "../store/facts.ts";
import type { DueMessage } from "../store/store.ts";
import type { Destruction } from "./destruction.ts";

const hourMs = 60 * 60 * 1000;
/** The worker's heap holds what ends within this time; the rest waits in the vault, milliseconds. */
const horizonMs = 25 * hourMs;
const extendEveryMs = 12 * hourMs;
const lookEveryMs = 5000;
/** Between two looks this much more or less than {@link lookEveryMs} has passed: the computer slept, or its clock was set. */
const jumpMs = 3000;
/** How long it is remembered that something was sent, after its end. */
const rememberMs = 30 * 24 * hourMs;
/** As many messages go in one transaction: everything else has its turn between two of them. */
const stepMessages = 500;

/**
 * Ends messages: the worker says when, and vault transactions delete all that belongs to them, whose keys are then destroyed together.
 * What a doubtful clock says has ended is hidden at once, and deleted when that is certain (docs/adr/0019).
 */
export class Sweeper {
  readonly #core: Core;
  readonly #destruction: Destruction;
  #horizonMs = 0;
  /** What ends up to here has been taken off the screen. */
  #hiddenMs = 0;
  #running: Promise<void> = Promise.resolve();
  #lookedAtMs = 0;
  #cancelWatch: () => void = () => undefined;
  #cancelRepeat: () => void = () => undefined;
  #unlisten: () => void = () => undefined;

  constructor(core: Core, destruction: Destruction) {
    this.#core = core;
    this.#destruction = destruction;
  }

  /** Starts the worker's heap, and ends what ended while nobody was here. Nothing may be shown before it resolves. */
  async begin(floorMs: number): Promise<void> {
    const { store, time, worker } = this.#core;
    this.#horizonMs = time.now() + horizonMs;
    this.#unlisten = worker.on("sweep.due", ({ nowMs }) => {
      this.#sweepLater(nowMs);
    });
    const deadlines = store.ends.deadlines(this.#horizonMs);
    const { nowMs } = await worker.call("sweep.begin", { floorMs, deadlines });
    time.raise(nowMs);
    this.#hiddenMs = time.now();
    await this.#sweep();
    // Also what an earlier life left behind.
    await this.#destruction.now();
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

  /**
   * The relay's clock, seen just now.
   *
   * @param isOther - whether it is another clock than this computer's
   * @throws AppError `clock-differs`: nothing is ended by either clock then
   */
  async observe(relayTimeMs: number, isOther: boolean): Promise<void> {
    const { time, worker } = this.#core;
    time.ensureAgreed(relayTimeMs);
    await worker.call("sweep.observeTime", { relayTimeMs });
    // After the worker, whose earlier time might still have come in between.
    time.agree(relayTimeMs, isOther);
    await this.#showAgain();
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
    this.#putTime(changes);
    await this.#core.commit(changes);
  }

  async close(): Promise<void> {
    this.#unlisten();
    this.#cancelWatch();
    await this.#running;
    this.#cancelRepeat();
  }

  #putTime(changes: Changes): void {
    const { time } = this.#core;
    changes.statements.push(putFact("floorMs", time.now()), putFact("certainMs", time.certain()));
  }

  #schedule(deadlines: readonly Deadline[]): void {
    if (deadlines.length === 0) return;
    // A worker that is gone comes back with everything read from the vault.
    this.#core.worker.call("sweep.schedule", { deadlines }).catch(ensureAppError);
  }

  /** Timers stand still while a computer sleeps, and the clock may be set. */
  #watch(): void {
    this.#cancelWatch = this.#core.clock.setTimeout(() => {
      const { time } = this.#core;
      const nowMs = time.now();
      const jumped = Math.abs(nowMs - this.#lookedAtMs - lookEveryMs) > jumpMs;
      this.#lookedAtMs = nowMs;
      if (jumped || this.#horizonMs - nowMs < horizonMs - extendEveryMs) this.look();
      // What is only hidden waits for certainty, of which nobody tells.
      else if (time.certain() < nowMs) this.#sweepLater(nowMs);
      this.#watch();
    }, lookEveryMs);
  }

  #load(untilMs: number): void {
    this.#horizonMs = untilMs;
    this.#schedule(this.#core.store.ends.deadlines(untilMs));
  }

  #sweepLater(nowMs: number): void {
    this.#core.time.raise(nowMs);
    this.#running = this.#running.then(() => this.#sweep()).catch(() => undefined);
  }

  async #sweep(): Promise<void> {
    await this.#hide();
    if (this.#core.vault.readOnly !== null) return;
    const release = this.#destruction.hold();
    try {
      while (await this.#deleteSome());
    } finally {
      release();
    }
    this.#repeatSoon();
  }

  /** The worker's clock may be a moment ahead: what is hidden and can be deleted within that moment doesn't wait for the next look. */
  #repeatSoon(): void {
    const { store, time, clock } = this.#core;
    this.#cancelRepeat();
    const [certainMs, nowMs] = [time.certain(), time.now()];
    const leftMs = nowMs - certainMs;
    if (leftMs <= 0 || leftMs >= lookEveryMs) return;
    if (!store.ends.endsBetween(certainMs, nowMs)) return;
    this.#cancelRepeat = clock.setTimeout(() => {
      this.#sweepLater(time.now());
    }, leftMs);
  }

  /**
   * Takes what has ended off the screen. What can't be deleted, or not yet, is at least not shown any more. After each piece everything else has
   * its turn: whoever reads finds no message that has ended, told of it or not.
   */
  async #hide(): Promise<void> {
    const { store, time } = this.#core;
    const [afterMs, nowMs] = [this.#hiddenMs, time.now()];
    this.#hiddenMs = nowMs;
    for (const piece of store.ends.endingBetween(afterMs, nowMs)) {
      const changes = new Changes();
      for (const { messageId, conversationId } of piece) changes.hide(conversationId, messageId);
      await this.#core.commit(changes);
      await setImmediate();
    }
    const changes = new Changes();
    for (const { messageId, conversationId } of store.ends.quotingBetween(afterMs, nowMs)) {
      changes.upsert(conversationId, messageId);
    }
    if (changes.conversations.size > 0) await this.#core.commit(changes);
  }

  /** After a clock was corrected: what it had only hidden is there again. */
  async #showAgain(): Promise<void> {
    const { store, time } = this.#core;
    const [nowMs, untilMs] = [time.now(), this.#hiddenMs];
    if (nowMs >= untilMs) return;
    this.#hiddenMs = nowMs;
    const changes = new Changes();
    for (const piece of store.ends.endingBetween(nowMs, untilMs)) {
      for (const { messageId, conversationId } of piece) changes.upsert(conversationId, messageId);
    }
    for (const { conversationId } of store.conversationStates()) changes.touch(conversationId);
    await this.#core.commit(changes);
  }

  /** Deletes the first messages that have certainly ended. @returns whether there may be more */
  async #deleteSome(): Promise<boolean> {
    const { store, time } = this.#core;
    const certainMs = time.certain();
    const due = store.ends.due(certainMs, stepMessages);
    const changes = new Changes();
    this.#tell(changes, due, certainMs);
    if (
      due.length === 0 &&
      changes.conversations.size === 0 &&
      !store.ends.hasDueItems(certainMs)
    ) {
      return false;
    }
    for (const message of due) this.#dropAtRelay(changes, message, certainMs);
    for (const name of [
      "sent.emptyDue",
      "reaction.deleteDue",
      "receipt.deleteDue",
      "outbox.deleteDue",
      "message.deleteDue",
    ] as const) {
      changes.write(name, certainMs, stepMessages);
    }
    changes.write("draft.deleteDue", certainMs);
    changes.write("orphan.deleteDue", certainMs);
    changes.write("history.deleteDue", certainMs);
    // Who was away for long may still ask whether it is over.
    changes.write("sent.deleteBefore", certainMs - rememberMs);
    changes.write("answer.deleteBefore", certainMs - rememberMs);
    this.#putTime(changes);
    await this.#core.commit(changes);
    return due.length === stepMessages;
  }

  #tell(changes: Changes, due: readonly DueMessage[], certainMs: number): void {
    const { store } = this.#core;
    const gone = new Set<MessageId>(due.map(({ messageId }) => messageId));
    // Of what has burned the device that linked this one may know nothing yet.
    const burned = due.filter((message) => message.burned);
    endHistory(
      this.#core,
      changes,
      burned.map(({ messageId }) => messageId),
    );
    for (const { messageId, conversationId, burned } of due) {
      changes.remove(conversationId, messageId);
      // What had burned before anybody knew was not hidden before.
      for (const quoting of burned ? store.quotedBy(messageId) : []) {
        if (!gone.has(quoting)) changes.upsert(conversationId, quoting);
      }
    }
    for (const { targetId, conversationId } of store.ends.dueReactions(certainMs)) {
      if (!gone.has(targetId)) changes.upsert(conversationId, targetId);
    }
    for (const conversationId of store.ends.dueDrafts(certainMs)) changes.touch(conversationId);
  }

  /** A message that burned before its expiration: its ciphertext at the relay goes too. */
  #dropAtRelay(changes: Changes, message: DueMessage, nowMs: number): void {
    const { own, burned, sequence, endsAtMs, conversationId } = message;
    if (!own || !burned || sequence === null || endsAtMs <= nowMs) return;
    enqueueDrop(this.#core, changes, { conversationId, sequence, endsAtMs });
  }
}
