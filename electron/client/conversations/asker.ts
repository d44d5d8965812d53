import {
  ensureAppError,
  maxMissingPlaces,
  type ConversationId,
  type MissingGenerations,
  type MissingPlaces,
  type NumberRange,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { keyColumns, type Gap } from "../store/missing.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import { answerKeyFor } from "./answer-keys.ts";
import { enqueue } from "./enqueue.ts";
import { adoptOrphans } from "./orphans.ts";
import { noteUnopenable } from "./unopenable.ts";

/** How long what is missing is gathered, milliseconds: one request for all that was noticed together. */
const gatherMs = 250;
/** Up to how much longer for each device, milliseconds: where many miss the same, few ask, and the answer is for all. */
const spreadMs = 20;
const shareBytes = 8;
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
/** Pauses before the same is asked for again; the last one repeats. A request waits at the relay for who isn't there. */
export const askAgainAfterMs = [
  5 * secondMs,
  30 * secondMs,
  3 * minuteMs,
  15 * minuteMs,
  hourMs,
  6 * hourMs,
  24 * hourMs,
] as const;
/** Requests that one conversation gets in an hour, whatever a relay makes of its log. */
const maxRequestsPerHour = 25;
/** Nothing that is due already is tried again sooner, milliseconds: it waits for the connection or a limit. */
const minPauseMs = 5 * secondMs;
/** Timers are set for no longer than this, milliseconds. */
const longestMs = 24 * hourMs;
/** Ranges of one kind in a request. */
const maxRanges = 128;

/**
 * Asks for messages that are missing, from whoever sent them: gathered, then again after growing pauses while they may live. What is missing
 * is in the vault, so that asking survives everything.
 */
export class Asker {
  readonly #core: Core;
  readonly #timers = new Map<ConversationId, { readonly atMs: number; cancel: () => void }>();
  /** When each conversation was asked in the last hour. */
  readonly #asked = new Map<ConversationId, readonly number[]>();
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** On line again: what was missing before is asked for. */
  resume(): void {
    this.wanted(this.#core.store.missing.conversations());
  }

  /** Something is missing, or has come that others waited for. */
  wanted(conversations: Iterable<ConversationId>): void {
    for (const conversationId of conversations) {
      const devices = this.#core.store.conversation(conversationId)?.members.length ?? 0;
      const share = this.#core.random(shareBytes).at(-1) ?? 0;
      this.#runIn(conversationId, gatherMs + (devices * spreadMs * share) / 256);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #runIn(conversationId: ConversationId, delayMs: number): void {
    if (this.#closed) return;
    const atMs = this.#core.clock.now() + delayMs;
    const earlier = this.#timers.get(conversationId);
    // Whoever spoils one entry after the other doesn't put it off.
    if (earlier !== undefined && earlier.atMs <= atMs) return;
    earlier?.cancel();
    const cancel = this.#core.clock.setTimeout(() => {
      this.#timers.delete(conversationId);
      // In line with what is read from the log. What fails here is still in the vault, and is asked for in the next session.
      void this.#core.groupQueue
        .run(conversationId, () => this.#run(conversationId))
        .catch(ensureAppError);
    }, delayMs);
    this.#timers.set(conversationId, { atMs, cancel });
  }

  async #run(conversationId: ConversationId): Promise<void> {
    const { store, closed } = this.#core;
    if (closed || this.#core.vault.readOnly !== null) return;
    await adoptOrphans(this.#core, conversationId);
    const conversation = store.conversation(conversationId);
    // Where it is over nobody can be asked, and what is missing is shown when this device comes back.
    if (conversation === undefined || !isLive(conversation.state)) return;
    const changes = new Changes();
    const gaps = this.#giveUp(changes, conversation);
    await this.#show(changes, conversation, gaps);
    await this.#ask(changes, conversation, gaps);
    await this.#core.commit(changes);
    this.#runAgain(conversationId);
  }

  /** What can't be alive any more, and what nobody is there to say again, isn't asked for any longer. @returns the others */
  #giveUp(changes: Changes, { conversationId, members }: StoredConversation): readonly Gap[] {
    const { store, time } = this.#core;
    const present = new Set(members.map(({ deviceId }) => deviceId));
    const over = (gap: Gap): boolean =>
      gap.endsAtMs <= time.now() || (gap.deviceId !== null && !present.has(gap.deviceId));
    const gaps = store.missing.gaps(conversationId);
    for (const gap of gaps.filter(over)) {
      changes.write("gap.delete", conversationId, ...keyColumns(gap));
      if (gap.lineId !== null) changes.upsert(conversationId, gap.lineId);
      changes.touch(conversationId);
    }
    return gaps.filter((gap) => !over(gap));
  }

  /** What the relay called dropped, and nobody has said is over. */
  async #show(
    changes: Changes,
    conversation: StoredConversation,
    gaps: readonly Gap[],
  ): Promise<void> {
    const nowMs = this.#core.time.now();
    const shown = gaps.filter(({ lineId, showsAtMs }) => lineId === null && showsAtMs <= nowMs);
    if (shown.length === 0) return;
    const lineId = await noteUnopenable(this.#core, changes, conversation, {
      sender: null,
      sequence: null,
      code: "message-unopenable",
      raw: null,
      count: shown.length,
    });
    for (const gap of shown) {
      changes.write("gap.show", conversation.conversationId, ...keyColumns(gap), lineId);
    }
  }

  async #ask(
    changes: Changes,
    conversation: StoredConversation,
    gaps: readonly Gap[],
  ): Promise<void> {
    const { conversationId, state, stale, blocked } = conversation;
    const { store, time, online } = this.#core;
    if (!online || state !== "active" || stale || blocked !== null) return;
    const nowMs = time.now();
    const due = gaps.filter(({ nextAtMs }) => nextAtMs <= nowMs);
    if (due.length === 0 || store.missing.hasOutboxItem(conversationId, "request")) return;
    const recent = this.#recent(conversationId, nowMs);
    if (recent.length >= maxRequestsPerHour) return;
    const { places, named } = placesOf(due);
    for (const gap of named) {
      const pauseMs = askAgainAfterMs[Math.min(gap.asked, askAgainAfterMs.length - 1)] ?? hourMs;
      changes.write("gap.asked", conversationId, ...keyColumns(gap), nowMs + pauseMs);
    }
    const answerKey = await answerKeyFor(this.#core, changes, conversation);
    await enqueue(this.#core, changes, {
      conversationId,
      kind: "request",
      intent: { kind: "missing", request: { answerKey, ...places } },
      endsAtMs: Math.max(...named.map(({ endsAtMs }) => endsAtMs)),
      burnSeconds: null,
      target: null,
    });
    this.#asked.set(conversationId, [...recent, nowMs]);
  }

  #recent(conversationId: ConversationId, nowMs: number): readonly number[] {
    return (this.#asked.get(conversationId) ?? []).filter((atMs) => atMs > nowMs - hourMs);
  }

  /** Not while this device is off line or the conversation can't be sent to: the next session asks. */
  #runAgain(conversationId: ConversationId): void {
    const { store, time, online } = this.#core;
    const gaps = store.missing.gaps(conversationId);
    if (gaps.length === 0 || !online) return;
    const nowMs = time.now();
    const times = gaps.flatMap(({ nextAtMs, lineId, showsAtMs, endsAtMs }) => [
      Math.max(nextAtMs, nowMs + minPauseMs),
      endsAtMs,
      ...(lineId === null ? [showsAtMs] : []),
    ]);
    this.#runIn(conversationId, Math.max(gatherMs, Math.min(...times, nowMs + longestMs) - nowMs));
  }
}

/**
 * As much as one request holds.
 *
 * @param due - not empty
 * @returns the places, and what is at them
 */
export function placesOf(due: readonly Gap[]): {
  readonly places: MissingPlaces;
  readonly named: readonly Gap[];
} {
  const named: Gap[] = [];
  const generations: MissingGenerations[] = [];
  const sequences: NumberRange[] = [];
  const sorted = due.toSorted((left, right) => {
    const byDevice = (left.deviceId ?? "").localeCompare(right.deviceId ?? "");
    if (byDevice !== 0) return byDevice;
    return left.epoch === right.epoch ? left.number - right.number : left.epoch - right.epoch;
  });
  for (const gap of sorted) {
    if (named.length >= maxMissingPlaces) break;
    const { deviceId, epoch, number } = gap;
    if (deviceId === null) {
      if (!extend(sequences, number)) {
        if (sequences.length >= maxRanges) continue;
        sequences.push({ first: number, last: number });
      }
    } else {
      const last = generations.at(-1);
      const same = last?.deviceId === deviceId && last.epoch === epoch;
      if (!same || !extend(generations, number)) {
        if (generations.length >= maxRanges) continue;
        generations.push({ deviceId, epoch, first: number, last: number });
      }
    }
    named.push(gap);
  }
  return { places: { generations, sequences }, named };
}

/** @returns whether the last range goes on with a number */
function extend(ranges: NumberRange[], number: number): boolean {
  const last = ranges.at(-1);
  if (last?.last !== number - 1) return false;
  ranges[ranges.length - 1] = { ...last, last: number };
  return true;
}
