import {
  encodeFrame,
  type ConversationId,
  type DeviceId,
  type GroupEntry,
  type InboxEntry,
} from "#protocol";
import type { Transaction } from "../../storage/transaction.ts";
import { deviceTopic, groupTopic, type RelayContext } from "../context.ts";

/**
 * Tells the connected members of a new or dropped entry, once it is durable.
 *
 * @param leave - devices for which this is the last entry
 */
export function announceEntry(
  context: RelayContext,
  transaction: Transaction,
  news: {
    readonly conversationId: ConversationId;
    readonly entry: GroupEntry;
    readonly leave?: readonly DeviceId[];
  },
): void {
  const { conversationId, entry, leave = [] } = news;
  const frame = encodeFrame({
    kind: "event",
    name: "group.entry",
    body: { conversationId, entry },
  });
  transaction.afterCommit(() => {
    context.storage.announce(groupTopic(conversationId), { frame, join: null, leave });
  });
}

/** Tells a device of a new inbox entry, and lets its connection listen to the conversation from now on. */
export function announceWelcome(
  context: RelayContext,
  transaction: Transaction,
  deviceId: DeviceId,
  entry: InboxEntry,
): void {
  const frame = encodeFrame({ kind: "event", name: "inbox.entry", body: entry });
  transaction.afterCommit(() => {
    context.storage.announce(deviceTopic(deviceId), {
      frame,
      join: entry.conversationId,
      leave: [],
    });
  });
}

/** Lets a device's connection listen to a conversation from now on, when there is nothing yet to be told. */
export function announceJoin(
  context: RelayContext,
  transaction: Transaction,
  deviceId: DeviceId,
  conversationId: ConversationId,
): void {
  transaction.afterCommit(() => {
    context.storage.announce(deviceTopic(deviceId), {
      frame: null,
      join: conversationId,
      leave: [],
    });
  });
}
