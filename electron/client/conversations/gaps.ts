import type { ConversationId, ErrorCode, GroupEntry, MessageId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { localEnd } from "../core/timers.ts";
import { keyColumns, type GapKey } from "../store/missing.ts";
import type { StoredConversation } from "../store/rows.ts";
import { noteUnopenable } from "./unopenable.ts";

/** Most messages that are asked for in one conversation at a time. More are counted, and not asked for. */
export const maxGaps = 512;
/** Entries of epochs that were lost that are looked at one by one. */
const maxSkipped = 4000;
const pageEntries = 200;
/** How long what a relay calls dropped is only asked for, when it came by live and nothing explains it; milliseconds. */
const liveGraceMs = 60_000;
/** As {@link liveGraceMs}, where it may well have ended while this device was away, or is told of by another line. */
const longGraceMs = 24 * 60 * 60 * 1000;

/** What is to be asked for. */
export interface NewGaps {
  readonly keys: readonly GapKey[];
  /** The line that stands for each of them. */
  readonly lineId: MessageId | null;
  /** How long nothing is shown of those without a line, milliseconds. */
  readonly graceMs: number;
}

/** Notes messages that are to be asked for, and keeps a place in the conversation for each. */
function openGaps(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  { keys, lineId, graceMs }: NewGaps,
): void {
  const { conversationId, roomState } = conversation;
  const nowMs = core.time.now();
  const { endsAtMs } = localEnd(nowMs, roomState.timers, core.policy);
  const free = Math.max(0, maxGaps - core.store.missing.gapCount(conversationId));
  let order = 0;
  for (const key of keys.slice(0, free)) {
    order = core.nextOrder(conversationId);
    const times = [nowMs, nowMs + graceMs, endsAtMs] as const;
    changes.write("gap.put", conversationId, ...keyColumns(key), order, lineId, ...times);
  }
  if (order > 0) changes.write("conversation.reserve", conversationId, order + 1);
  changes.asking.add(conversationId);
}

/** Places in the log, of which nothing else is known. */
const sequenceKeys = (sequences: readonly number[]): readonly GapKey[] =>
  sequences.map((number) => ({ deviceId: null, epoch: 0, number }));

/** Entries that came and can't be opened: said at once, and asked for. */
export async function noteSpoilt(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  spoilt: {
    readonly sequences: readonly number[];
    readonly code: ErrorCode;
    /** How many more there are that are only counted. */
    readonly older?: number;
  },
): Promise<void> {
  const { sequences, code, older = 0 } = spoilt;
  const [sequence = null] = sequences;
  const unopenable = { sender: null, sequence, code, raw: null, count: sequences.length + older };
  const lineId = await noteUnopenable(core, changes, conversation, unopenable);
  openGaps(core, changes, conversation, { keys: sequenceKeys(sequences), lineId, graceMs: 0 });
}

/**
 * Entries of which the relay says that they have ended or were recalled. Only their sender's word counts for that, so they are asked for;
 * until somebody had time to answer nothing is shown.
 */
export function noteDropped(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  sequences: readonly number[],
): void {
  const { conversationId, roomState, lastActivityMs, stale } = conversation;
  const unknown = sequences.filter((sequence) => {
    const own = core.store.missing.sentBySequence(conversationId, {
      first: sequence,
      last: sequence,
    });
    return own.length === 0;
  });
  const awayMs = core.time.now() - lastActivityMs;
  const young = awayMs < roomState.timers.expirationSeconds * 1000;
  // A vault that was put back has forgotten what it read and sent: most of it is this device's own, or was read by all.
  const forgot = stale ? Number.MAX_SAFE_INTEGER / 2 : longGraceMs;
  const graceMs = young && !stale ? liveGraceMs : forgot;
  openGaps(core, changes, conversation, { keys: sequenceKeys(unknown), lineId: null, graceMs });
}

/**
 * Generations of one sender that were jumped over.
 *
 * @param explained - how many of them a spoilt or dropped entry has told of already
 */
export async function noteJumped(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  jumped: { readonly keys: readonly GapKey[]; readonly explained: number },
): Promise<void> {
  const { keys, explained } = jumped;
  const told = keys.slice(0, explained);
  if (told.length > 0) {
    openGaps(core, changes, conversation, { keys: told, lineId: null, graceMs: longGraceMs });
  }
  const untold = keys.slice(explained);
  if (untold.length === 0) return;
  const lineId = await noteUnopenable(core, changes, conversation, {
    sender: null,
    sequence: null,
    code: "message-unopenable",
    raw: null,
    count: untold.length,
  });
  openGaps(core, changes, conversation, { keys: untold, lineId, graceMs: 0 });
}

/**
 * What was said in epochs that this device has lost: it joins anew behind them, and asks for it as for anything that is missing.
 *
 * @param sequence - its commit's place in the log
 * @throws AppError as `Core.request`
 */
export async function noteSkippedBefore(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  sequence: number,
): Promise<void> {
  const { conversationId, cursor } = conversation;
  const from = Math.max(cursor, sequence - 1 - maxSkipped);
  const entries = await readBetween(core, conversationId, { from, to: sequence - 1 });
  const dropped = entries.filter(({ kind }) => kind === "dropped").map(placeInLog);
  if (dropped.length > 0) noteDropped(core, changes, conversation, dropped);
  const others = entries.filter((entry) => {
    return entry.kind === "application" && entry.sender !== core.self.deviceId;
  });
  // An honest relay gives every place of the log. What it leaves out is missing too.
  const given = new Set(entries.map(placeInLog));
  const count = sequence - 1 - from;
  const leftOut = Array.from({ length: count }, (_, index) => from + 1 + index).filter(
    (place) => !given.has(place),
  );
  const sequences = [...others.map(placeInLog), ...leftOut];
  // Of so many nobody looks each up.
  const older = from - cursor;
  if (sequences.length + older === 0) return;
  await noteSpoilt(core, changes, conversation, { sequences, code: "epoch-unknown", older });
}

const placeInLog = ({ sequence }: GroupEntry): number => sequence;

async function readBetween(
  core: Core,
  conversationId: ConversationId,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly GroupEntry[]> {
  const found: GroupEntry[] = [];
  let after = from;
  while (after < to) {
    const params = { conversationId, afterSequence: after, limit: pageEntries };
    const { entries } = await core.request("group.read", params);
    const last = entries.at(-1)?.sequence ?? to;
    if (last <= after) break;
    found.push(...entries.filter(({ sequence }) => sequence > after && sequence <= to));
    after = last;
  }
  return found;
}
