import type { Disposer } from "../clock.ts";
import type { StorageKey } from "../storage/port.ts";
import type { Transaction } from "../storage/transaction.ts";
import { directoryScope, groupScope, rendezvousScope, type RelayContext } from "./context.ts";
import { dropExpired, dropRemovedDevice } from "./groups/retention.ts";
import { decide } from "./groups/reopen.ts";
import { dropUnheldWelcome } from "./inbox.ts";
import { removeInvite } from "./invites.ts";
import { dueAtMs, dues, dueSlot, type Due } from "./layout.ts";
import { forgetRendezvous } from "./rendezvous.ts";

/** Due entries looked at together. */
const pageEntries = 500;
/** A timer is set for no longer than this, however far the next deadline is. */
const longestSleepMs = 3_600_000;
/** After storage failed. */
const retryMs = 5_000;

/** Ends what is to end, at its time. */
export interface Sweeper {
  /** Does what is due now and goes on doing so. @throws AppError `relay-storage-failed` */
  start(): Promise<void>;
  /** Something is due at `atMs`. */
  wakeAt(atMs: number): void;
  /** Resolves when no sweep is under way, and none will be. */
  stop(): Promise<void>;
}

interface DueEntry {
  readonly key: StorageKey;
  readonly due: Due;
}

/** Makes the sweeper; `context` is asked for late, because it holds the sweeper's own `wakeAt`. */
export function createSweeper(getContext: () => RelayContext): Sweeper {
  let cancelTimer: Disposer = () => undefined;
  let wakeMs = Infinity;
  let running: Promise<void> | null = null;
  let stopped = false;

  const sleepUntil = (atMs: number): void => {
    if (stopped || atMs >= wakeMs) return;
    const { clock } = getContext();
    cancelTimer();
    wakeMs = atMs;
    const delayMs = Math.min(longestSleepMs, Math.max(0, atMs - clock.nowMs()));
    cancelTimer = clock.setTimer(run, delayMs);
  };

  const sweepAndSleep = async (): Promise<void> => {
    wakeMs = Infinity;
    cancelTimer();
    sleepUntil(await sweep(getContext()));
  };

  const run = (): void => {
    if (running !== null) {
      // What came up meanwhile is looked at right after.
      wakeMs = Infinity;
      void running.then(() => {
        sleepUntil(0);
      });
      return;
    }
    running = sweepAndSleep()
      .catch((error: unknown) => {
        const { log, clock } = getContext();
        log.error("sweep-failed", error);
        sleepUntil(clock.nowMs() + retryMs);
      })
      .finally(() => {
        running = null;
      });
  };

  return {
    start: sweepAndSleep,
    wakeAt: sleepUntil,
    stop: async () => {
      stopped = true;
      cancelTimer();
      await running;
    },
  };
}

/** @returns when the next entry is due; Infinity when there is none */
async function sweep(context: RelayContext): Promise<number> {
  let dropped = 0;
  for (;;) {
    const keys = await context.reader.listKeys({ prefix: dues, after: null, limit: pageEntries });
    const nowMs = context.clock.nowMs();
    const dueKeys = keys.filter((key) => dueAtMs(key) <= nowMs);
    const entries = await loadDues(context, dueKeys);
    await Promise.all(
      Array.from(Map.groupBy(entries, scopeOf), ([scope, together]) =>
        carryOut(context, scope, together),
      ),
    );
    dropped += entries.filter(({ due }) => due.kind === "entry").length;
    const next = keys.find((key) => dueAtMs(key) > nowMs);
    if (next !== undefined || keys.length < pageEntries) {
      if (dropped > 0) context.log.info("swept", { dropped });
      return next === undefined ? Infinity : dueAtMs(next);
    }
  }
}

async function loadDues(
  { reader }: RelayContext,
  keys: readonly StorageKey[],
): Promise<readonly DueEntry[]> {
  const { decode, encode } = dueSlot(0, "");
  const found = await reader.loadAll(keys.map((key) => ({ key, decode, encode })));
  return keys.flatMap((key, index) => {
    const due = found[index];
    return due === undefined ? [] : [{ key, due }];
  });
}

function scopeOf({ due }: DueEntry): string {
  switch (due.kind) {
    case "entry":
    case "removed-device":
    case "verdict":
    case "welcome":
      return groupScope(due.conversationId);
    case "invite":
      return directoryScope;
    case "rendezvous":
      return rendezvousScope;
    case "note":
      return "notes";
  }
}

async function carryOut(
  context: RelayContext,
  scope: string,
  entries: readonly DueEntry[],
): Promise<void> {
  for (const { due } of entries) {
    if (due.kind === "removed-device") await dropRemovedDevice(context, due);
  }
  await context.units.run(scope, async (transaction) => {
    for (const entry of entries) {
      await carryOutOne(context, transaction, entry.due);
      transaction.remove(entry);
    }
  });
}

async function carryOutOne(
  context: RelayContext,
  transaction: Transaction,
  due: Due,
): Promise<void> {
  switch (due.kind) {
    case "entry":
      await dropExpired(transaction, due.conversationId, due.sequence);
      return;
    case "verdict":
      await decide(context, transaction, due);
      return;
    case "welcome":
      await dropUnheldWelcome(transaction, due.conversationId, due.groupSequence);
      return;
    case "invite":
      await removeInvite(transaction, due.inviteId);
      return;
    case "rendezvous":
      await forgetRendezvous(context, transaction, due.rendezvousId);
      return;
    case "note":
      transaction.remove({ key: due.key as StorageKey });
      return;
    case "removed-device":
      // Done before, in steps of its own.
      return;
  }
}
