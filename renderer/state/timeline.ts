import type { MessageId, MessageView } from "#protocol";
import { startOfDayMs } from "../i18n/index.ts";

/** One item of the message list. */
export type TimelineItem =
  | { readonly kind: "start"; readonly key: "start" }
  | { readonly kind: "earlier"; readonly key: "earlier" }
  | { readonly kind: "day"; readonly key: string; readonly dayMs: number }
  | { readonly kind: "unread"; readonly key: "unread" }
  /** What follows isn't loaded. */
  | { readonly kind: "later"; readonly key: "later" }
  /** Room below the last message. */
  | { readonly kind: "end"; readonly key: "end" }
  | {
      readonly kind: "message";
      readonly key: MessageId;
      readonly message: MessageView;
      /** First of a run by one sender: carries the name. */
      readonly first: boolean;
      /** Last of a run by one sender: carries the avatar. */
      readonly last: boolean;
    };

/** Messages further apart than this never share a run, milliseconds. */
const runGapMs = 5 * 60_000;

/**
 * The messages after a change: by order, each id once.
 *
 * @param current - sorted by order
 */
export function mergeMessages(
  current: readonly MessageView[],
  upserted: readonly MessageView[],
  removed: readonly MessageId[],
): readonly MessageView[] {
  const gone = new Set<MessageId>([...removed, ...upserted.map(({ messageId }) => messageId)]);
  const kept = current.filter(({ messageId }) => !gone.has(messageId));
  if (upserted.length === 0) return kept;
  const lastKept = kept.at(-1);
  const added = upserted.toSorted((left, right) => left.order - right.order);
  const firstAdded = added[0];
  if (lastKept === undefined || firstAdded === undefined || lastKept.order < firstAdded.order) {
    return [...kept, ...added];
  }
  return [...kept, ...added].sort((left, right) => left.order - right.order);
}

/** What stands in the message list: days, the mark of the first unread one, and messages in runs. */
export function timelineItems(
  messages: readonly MessageView[],
  options: {
    readonly firstUnreadId: MessageId | null;
    readonly hasEarlier: boolean;
    readonly hasLater?: boolean;
  },
): readonly TimelineItem[] {
  const items: TimelineItem[] = [
    options.hasEarlier ? { kind: "earlier", key: "earlier" } : { kind: "start", key: "start" },
  ];
  let previous: MessageView | null = null;
  for (const [index, message] of messages.entries()) {
    const dayMs = startOfDayMs(message.sentAtMs);
    const newDay = previous === null || startOfDayMs(previous.sentAtMs) !== dayMs;
    const unread = message.messageId === options.firstUnreadId;
    if (newDay) {
      items.push({ kind: "day", key: `day-${String(dayMs)}-${message.messageId}`, dayMs });
    }
    if (unread) items.push({ kind: "unread", key: "unread" });
    const next = messages[index + 1];
    const nextStartsAnew = next === undefined || next.messageId === options.firstUnreadId;
    items.push({
      kind: "message",
      key: message.messageId,
      message,
      first: newDay || unread || previous === null || !sameRun(previous, message),
      last: nextStartsAnew || !sameRun(message, next),
    });
    previous = message;
  }
  items.push(
    options.hasLater === true ? { kind: "later", key: "later" } : { kind: "end", key: "end" },
  );
  return items;
}

/** Whether two messages, one after the other, stand under one name. */
function sameRun(left: MessageView, right: MessageView): boolean {
  return (
    left.kind !== "system" &&
    right.kind !== "system" &&
    left.sender.userId === right.sender.userId &&
    right.sentAtMs - left.sentAtMs < runGapMs &&
    startOfDayMs(left.sentAtMs) === startOfDayMs(right.sentAtMs)
  );
}

/** The end that comes first, of a message's expiration and its burning; milliseconds since 1970. */
export function endOf(expiry: {
  readonly endsAtMs: number;
  readonly burnsAtMs: number | null;
}): number {
  return Math.min(expiry.endsAtMs, expiry.burnsAtMs ?? Number.POSITIVE_INFINITY);
}
