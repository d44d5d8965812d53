import type {
  ConversationId,
  ConversationRowView,
  ConversationView,
  MessageId,
  MessageView,
  UserId,
} from "#protocol";
import type { TextMessage } from "../../../../renderer/state/composer.svelte.ts";

export const conversationId = "c-1" as ConversationId;
export const me = { userId: "me" as UserId, displayName: "Nora" };
export const other = { userId: "other" as UserId, displayName: "Jonas" };

/** A text message, the `order`-th of its conversation. */
export function textMessage(order: number, change: Partial<TextMessage> = {}): TextMessage {
  const sentAtMs = change.sentAtMs ?? Date.parse("2026-11-26T10:00:00") + order * 60_000;
  const own = change.own ?? false;
  return {
    kind: "text",
    messageId: `m-${String(order)}` as MessageId,
    conversationId,
    order,
    sentAtMs,
    sender: own ? me : other,
    own,
    text: `text ${String(order)}`,
    expiry: {
      sentAtMs,
      endsAtMs: sentAtMs + 604_800_000,
      origin: "conversation",
      originSeconds: 604_800,
      burnSeconds: null,
      burnsAtMs: null,
    },
    quote: null,
    edited: false,
    reactions: [],
    delivery: own ? { kind: "sent" } : null,
    ...change,
  };
}

/** A system line. */
export function systemMessage(order: number): MessageView {
  const { sentAtMs, messageId } = textMessage(order);
  return {
    kind: "system",
    messageId,
    conversationId,
    order,
    sentAtMs,
    sender: other,
    own: false,
    line: { kind: "joined", by: other },
  };
}

export function conversationView(change: Partial<ConversationView> = {}): ConversationView {
  return {
    conversationId,
    kind: "group",
    title: "Supplier review",
    avatarSeed: "seed",
    timers: { expirationSeconds: 604_800, burnSeconds: null },
    bound: { expirationSeconds: 604_800, burnSeconds: null, origin: "conversation" },
    members: [],
    allowed: [],
    active: true,
    leavingElsewhere: false,
    stoppedFor: [],
    unvouched: null,
    pinned: false,
    muted: false,
    draft: "",
    encryption: {
      suite: "",
      epoch: 1,
      epochAuthenticator: "",
      nextSuite: null,
      nextSuiteLimit: null,
      awaited: [],
      withoutRoom: [],
      doubtful: false,
      unopenableCount: 0,
      recoveredCount: 0,
      askedCount: 0,
      lostCount: 0,
    },
    firstUnreadId: null,
    ...change,
  };
}

export function row(id: string, change: Partial<ConversationRowView> = {}): ConversationRowView {
  return {
    conversationId: id as ConversationId,
    kind: "direct",
    title: id,
    avatarSeed: id,
    lastActivityMs: 0,
    preview: { kind: "empty" },
    unreadCount: 0,
    pinned: false,
    muted: false,
    endsSoon: false,
    draft: false,
    active: true,
    ...change,
  };
}
