import type { ConversationId, UserId } from "#protocol";
import { momentOf } from "./dates.ts";
import { fold } from "./fold.ts";
import type { IndexQuery } from "./message-index.ts";
import { features } from "./plain-words.ts";
import type { TypedFilter } from "./query.ts";

/** Who and what filters can name. */
export interface FilterNames {
  readonly me: UserId;
  readonly people: readonly { readonly userId: UserId; readonly displayName: string }[];
  readonly conversations: readonly {
    readonly conversationId: ConversationId;
    readonly title: string;
  }[];
  readonly nowMs: number;
}

/** What filters let through, and those that name nobody and nothing. */
export interface ResolvedFilters extends Pick<
  IndexQuery,
  "conversations" | "senders" | "features" | "fromMs" | "untilMs"
> {
  readonly unknown: readonly string[];
}

/**
 * Finds out what filters mean. Several of one kind, as two of `from:`, must hold together, except that any of several people or
 * conversations will do.
 */
export function resolveFilters(
  filters: readonly TypedFilter[],
  { me, people, conversations, nowMs }: FilterNames,
): ResolvedFilters {
  const found = {
    senders: new Set<UserId>(),
    conversations: new Set<ConversationId>(),
    features: 0,
    fromMs: -Infinity,
    untilMs: Infinity,
  };
  const resolve = ({ name, value }: TypedFilter): boolean => {
    switch (name) {
      case "from": {
        const users = isMe(value) ? [me] : peopleNamed(value, people);
        for (const userId of users) found.senders.add(userId);
        return users.length > 0;
      }
      case "in": {
        const named = bestNamed(value, conversations, ({ title }) => title);
        for (const { conversationId } of named) found.conversations.add(conversationId);
        return named.length > 0;
      }
      case "has": {
        const bit = Object.entries(features).find(([feature]) => feature === singular(value))?.[1];
        found.features |= bit ?? 0;
        return bit !== undefined;
      }
      case "before":
      case "after": {
        const moment = momentOf(value, nowMs);
        if (moment === null) return false;
        if (name === "after") found.fromMs = Math.max(found.fromMs, moment);
        else found.untilMs = Math.min(found.untilMs, moment);
        return true;
      }
    }
  };
  const unknown = filters.filter((filter) => !resolve(filter)).map(({ typed }) => typed);
  return {
    senders: found.senders.size === 0 ? null : found.senders,
    conversations: found.conversations.size === 0 ? null : found.conversations,
    features: found.features,
    fromMs: found.fromMs,
    untilMs: found.untilMs,
    unknown,
  };
}

function isMe(value: string): boolean {
  return value.toLowerCase() === "me";
}

function peopleNamed(value: string, people: FilterNames["people"]): readonly UserId[] {
  return bestNamed(value, people, ({ displayName }) => displayName).map(({ userId }) => userId);
}

/** `links` is as good as `link`. */
function singular(value: string): string {
  return value.toLowerCase().replace(/s$/u, "");
}

/** Those with exactly this name; if there are none, those in whose name each word begins a word. */
function bestNamed<Item>(
  value: string,
  items: readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const wanted = wordsOf(value);
  if (wanted.length === 0) return [];
  const exact = items.filter((item) => wordsOf(nameOf(item)).join(" ") === wanted.join(" "));
  if (exact.length > 0) return exact;
  return items.filter((item) => {
    const words = wordsOf(nameOf(item));
    return wanted.every((word) => words.some((start) => start.startsWith(word)));
  });
}

function wordsOf(name: string): readonly string[] {
  return fold(name)
    .split(/[\s\-–—·.,/]+/u)
    .filter((word) => word !== "");
}
