import {
  encodeMessage,
  roomUri,
  saltBytes,
  userUri,
  type ConversationId,
  type EncodedMessage,
  type KeyLeaf,
  type MessageId,
  type MessageIntent,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { sealBody } from "../core/leaves.ts";
import type { OutboxKind } from "../store/rows.ts";

/** Something to be sent. */
export interface Outgoing {
  readonly conversationId: ConversationId;
  readonly kind: Exclude<OutboxKind, "leave" | "drop" | "withdrawn">;
  readonly intent: MessageIntent;
  readonly endsAtMs: number;
  readonly burnSeconds: number | null;
  /** The message it belongs to and ends with, and whose leaf it is sealed under; null for what stands alone, under a leaf of its own. */
  readonly target: { readonly messageId: MessageId; readonly leaf: KeyLeaf } | null;
}

/** Writes a message of ours; `messageId` and end are what all others will see. */
export function composeMessage(core: Core, outgoing: Omit<Outgoing, "target">): EncodedMessage {
  const { networkId, userId } = core.self;
  return encodeMessage(outgoing.intent, {
    salt: core.random(saltBytes),
    senderUri: userUri(networkId, userId),
    roomUri: roomUri(networkId, outgoing.conversationId),
    expiresAtMs: outgoing.endsAtMs,
    burnSeconds: outgoing.burnSeconds,
  });
}

/** Puts a composed and sealed message into the outbox. */
export function insertOutboxItem(
  changes: Changes,
  { conversationId, kind, target }: Pick<Outgoing, "conversationId" | "kind" | "target">,
  { messageId, expiresAtMs, content, leaf }: SealedOutgoing,
): void {
  changes.write(
    "outbox.insert",
    messageId,
    conversationId,
    kind,
    target?.messageId ?? null,
    expiresAtMs,
    content,
    null,
    leaf.hour,
    leaf.leaf,
    target === null ? 1 : 0,
  );
  changes.deadlines.push({ messageId, deadlineMs: expiresAtMs });
  changes.outboxes.add(conversationId);
}

/** What {@link insertOutboxItem} takes. */
export interface SealedOutgoing {
  readonly messageId: MessageId;
  readonly expiresAtMs: number;
  readonly leaf: KeyLeaf;
  readonly content: Uint8Array;
}

/**
 * Composes a message and seals it for the outbox.
 *
 * @param changes - the transaction that will store it
 * @throws AppError `message-too-long`, `argument-invalid`
 */
export async function sealOutgoing(
  core: Core,
  changes: Changes,
  outgoing: Outgoing,
): Promise<SealedOutgoing> {
  const { messageId, expiresAtMs, bytes } = composeMessage(core, outgoing);
  const leaf = outgoing.target?.leaf ?? core.leaves.take(changes, expiresAtMs);
  const content = await sealBody(core.worker, messageId, leaf, bytes);
  return { messageId, expiresAtMs, leaf, content };
}

/** Composes a message and puts it into the outbox. @throws AppError `message-too-long`, `argument-invalid` */
export async function enqueue(
  core: Core,
  changes: Changes,
  outgoing: Outgoing,
): Promise<SealedOutgoing> {
  const sealed = await sealOutgoing(core, changes, outgoing);
  insertOutboxItem(changes, outgoing, sealed);
  return sealed;
}

/** Lets the relay drop the ciphertext of an own message. */
export function enqueueDrop(
  core: Core,
  changes: Changes,
  drop: {
    readonly conversationId: ConversationId;
    readonly sequence: number;
    /** The relay drops it by itself then, milliseconds. */
    readonly endsAtMs: number;
  },
): void {
  insertBareItem(changes, { itemId: core.localId(), kind: "drop", ...drop });
}

/** Puts something without content into the outbox. */
export function insertBareItem(
  changes: Changes,
  item: {
    readonly itemId: MessageId;
    readonly conversationId: ConversationId;
    readonly kind: Extract<OutboxKind, "leave" | "drop">;
    readonly endsAtMs: number;
    readonly sequence: number | null;
  },
): void {
  const { itemId, conversationId, kind, endsAtMs, sequence } = item;
  changes.write(
    "outbox.insert",
    itemId,
    conversationId,
    kind,
    null,
    endsAtMs,
    null,
    sequence,
    null,
    null,
    0,
  );
  changes.outboxes.add(conversationId);
}
