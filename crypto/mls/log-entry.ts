import { AppError, equalBytes, type ConversationId, type ErrorCode } from "#protocol";
import { decodeLogMessage, type LogMessage } from "./codec.ts";
import { mapMlsError } from "./errors.ts";
import { conversationEpoch, placeOfGroup } from "./group-id.ts";
import { epochOf, type GroupMemory } from "./memory.ts";

/** An entry of the present epoch, or why an entry isn't one. */
export type PlacedEntry =
  | { readonly kind: "present"; readonly entry: LogMessage }
  | { readonly kind: "stale" | "future"; readonly epoch: number }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/** Where every kind of entry says what it is. */
export function partOf(entry: LogMessage) {
  return entry.kind === "external-commit" ? entry.message.content : entry.message;
}

/**
 * Reads an entry, and tells where it stands to the epoch that the group is in. Epochs come first: the library gives a message of a
 * future epoch an error without a type.
 */
export function placeEntry(
  { state, pending }: GroupMemory,
  conversationId: ConversationId,
  bytes: Uint8Array,
): PlacedEntry {
  let entry: LogMessage;
  let epoch: number;
  const present = epochOf(state);
  try {
    entry = decodeLogMessage(bytes);
    const { groupId } = partOf(entry);
    if (placeOfGroup(groupId).conversationId !== conversationId) throw foreign();
    epoch = conversationEpoch(partOf(entry));
    // The group that a ReInit has ended has no say in the one that it led to.
    if (epoch === present && !equalBytes(groupId, state.groupContext.groupId)) throw foreign();
  } catch (error) {
    return { kind: "refused", code: mapMlsError(error, "frame-malformed").code };
  }
  // While its rejoin waits, this device is in no epoch: it was made for one, and the next may come to be somebody else's.
  const isRejoining = pending?.kind === "rejoin";
  if (epoch > present || (isRejoining && epoch === present)) return { kind: "future", epoch };
  if (epoch < present) return { kind: "stale", epoch };
  return { kind: "present", entry };
}

function foreign(): AppError {
  return new AppError("frame-malformed", { data: { reason: "another group's message" } });
}
