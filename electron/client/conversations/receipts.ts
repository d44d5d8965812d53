import { messageStatus, type MessageId, type PerMessageStatus, type UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation, StoredMessage } from "../store/rows.ts";
import { peopleOf, type StoredReceipt } from "../store/store.ts";

/** Above this many people nobody is asked for receipts: each would cost as many messages as there are people. */
const maxReceiptPeople = 50;

/** Stages of a receipt as `messages.owed` and `messages.told` hold them. */
export const owedDelivered = 1;
export const owedRead = 2;

/** Whether the people of a conversation send each other receipts. */
export function sendsReceipts({ members }: Pick<StoredConversation, "members">): boolean {
  return peopleOf(members).length <= maxReceiptPeople;
}

/** Notes who is to get an own message, now that the relay has taken it. */
export function expectReceipts(
  changes: Changes,
  conversation: StoredConversation,
  messageId: MessageId,
  me: UserId,
): void {
  if (!sendsReceipts(conversation)) return;
  for (const userId of peopleOf(conversation.members)) {
    if (userId !== me) changes.write("receipt.expect", messageId, userId);
  }
}

/** What a reported status does to the receipt of its reporter. */
function advance(receipt: StoredReceipt, status: number, atMs: number): StoredReceipt {
  const delivered = { ...receipt, deliveredAtMs: receipt.deliveredAtMs ?? atMs };
  switch (status) {
    case messageStatus.delivered:
      return delivered;
    case messageStatus.read:
      return { ...delivered, readAtMs: receipt.readAtMs ?? atMs };
    case messageStatus.expired:
    case messageStatus.deleted:
      return { ...delivered, readAtMs: receipt.readAtMs ?? atMs, burned: true };
    default:
      return receipt;
  }
}

const statementOf = {
  [messageStatus.delivered]: "receipt.deliver",
  [messageStatus.read]: "receipt.read",
  [messageStatus.expired]: "receipt.burn",
  [messageStatus.deleted]: "receipt.burn",
} as const;

/**
 * When the sender's own copy of a burn-on-read message burns: with the last reader's, once all who are still there have read it.
 *
 * @returns milliseconds, or null while somebody hasn't
 */
export function ownBurnAtMs(
  burnSeconds: number,
  receipts: readonly StoredReceipt[],
  members: ReadonlySet<UserId>,
): number | null {
  const waitedFor = receipts.filter(
    ({ userId, readAtMs }) => readAtMs !== null || members.has(userId),
  );
  if (waitedFor.length === 0 || waitedFor.some(({ readAtMs }) => readAtMs === null)) return null;
  return Math.max(...waitedFor.map(({ readAtMs }) => readAtMs ?? 0)) + burnSeconds * 1000;
}

/** A report of receipts that arrived. */
export interface Report {
  readonly reporter: UserId;
  readonly statuses: readonly PerMessageStatus[];
  readonly atMs: number;
}

/** Takes receipts for own messages of this conversation; others name what isn't ours or has ended, and are passed over. */
export function applyReport(
  core: Core,
  changes: Changes,
  conversation: StoredConversation,
  report: Report,
): void {
  if (report.reporter === core.self.userId) return;
  for (const { messageId, status } of report.statuses) {
    const message = core.store.message(messageId);
    if (message?.own !== true || message.conversationId !== conversation.conversationId) continue;
    const name = (statementOf as Readonly<Record<number, (typeof statementOf)[1 | 2 | 3 | 4]>>)[
      status
    ];
    if (name === undefined) continue;
    changes.write(name, messageId, report.reporter, report.atMs);
    changes.upsert(conversation.conversationId, messageId);
    const receipts = core.store
      .receipts(messageId)
      .map((receipt) =>
        receipt.userId === report.reporter ? advance(receipt, status, report.atMs) : receipt,
      );
    burnOwn(changes, message, receipts, conversation);
  }
}

function burnOwn(
  changes: Changes,
  message: StoredMessage,
  receipts: readonly StoredReceipt[],
  conversation: Pick<StoredConversation, "members">,
): void {
  if (message.burnSeconds === null || message.burnsAtMs !== null) return;
  const members = new Set(peopleOf(conversation.members));
  const burnsAtMs = ownBurnAtMs(message.burnSeconds, receipts, members);
  if (burnsAtMs === null) return;
  changes.write("message.setBurn", message.messageId, burnsAtMs, 0);
  const deadlineMs = Math.min(burnsAtMs, message.endsAtMs);
  changes.deadlines.push({ messageId: message.messageId, deadlineMs });
}

/** Somebody is gone: what waited for nobody but them to be read burns now. */
export function reconsiderBurns(
  core: Core,
  changes: Changes,
  conversation: Pick<StoredConversation, "conversationId" | "members">,
): void {
  for (const message of core.store.waitingToBurn(conversation.conversationId)) {
    burnOwn(changes, message, core.store.receipts(message.messageId), conversation);
  }
}
