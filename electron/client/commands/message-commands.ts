import {
  AppError,
  type ConversationId,
  type MessageId,
  type MessageInfoView,
  messageStatus,
} from "#protocol";
import { addReaction, edit, recall } from "../conversations/content.ts";
import {
  composeMessage,
  enqueue,
  insertOutboxItem,
  sealOutgoing,
  type Outgoing,
} from "../conversations/enqueue.ts";
import { owedRead, sendsReceipts } from "../conversations/receipts.ts";
import { Changes } from "../core/changes.ts";
import { insertMessage } from "../core/insert-message.ts";
import { sealBodies } from "../core/leaves.ts";
import { outgoingEnd } from "../core/timers.ts";
import { endHistory } from "../linking/history-progress.ts";
import type { StoredConversation, StoredMessage } from "../store/rows.ts";
import type { ClientCommands } from "../types.ts";
import { openBodies, textBytes, textOf } from "../views/bodies.ts";
import { expiryView, isCovered, sealedReaction } from "../views/message-views.ts";
import type { Engine } from "./engine.ts";

type MessageCommands = Pick<ClientCommands, Extract<keyof ClientCommands, `message.${string}`>>;

interface Target {
  readonly conversation: StoredConversation;
  readonly message: StoredMessage;
}

/** Everything that is done to single messages. */
export function messageCommands(engine: Engine): MessageCommands {
  const { core } = engine;
  const { store, time } = core;

  const ensureActive = (conversationId: ConversationId): StoredConversation => {
    core.ensureWritable();
    const conversation = store.ensureConversation(conversationId);
    if (conversation.state !== "active") throw new AppError("conversation-over");
    return conversation;
  };
  const find = (conversationId: ConversationId, messageId: MessageId): StoredMessage =>
    store.ensureMessage(conversationId, messageId, time.now());
  const ensureText = (conversationId: ConversationId, messageId: MessageId): Target => {
    const conversation = ensureActive(conversationId);
    const message = find(conversationId, messageId);
    if (message.kind !== "text") throw new AppError("not-allowed");
    return { conversation, message };
  };
  const commit = async (write: (changes: Changes) => Promise<void> | void): Promise<null> => {
    const changes = new Changes();
    await write(changes);
    await core.commit(changes);
    return null;
  };

  return {
    "message.send": async ({ conversationId, text, replyTo, timers }) => {
      const conversation = ensureActive(conversationId);
      const sentAtMs = time.real();
      const end = outgoingEnd(sentAtMs, timers, conversation.roomState.timers, core.policy);
      // The clock was set back: what would end here before it is sent isn't taken.
      if (end.endsAtMs <= time.now()) throw new AppError("clock-differs");
      const outgoing = {
        conversationId,
        kind: "text",
        intent: { kind: "text", markdown: text, replyTo, replaces: null },
        endsAtMs: end.endsAtMs,
        burnSeconds: end.burnSeconds,
      } as const;
      const { messageId, expiresAtMs, bytes } = composeMessage(core, outgoing);
      const order = core.nextOrder(conversationId);
      await commit(async (changes) => {
        const leaf = core.leaves.take(changes, expiresAtMs);
        const [sealed, content] = await sealBodies(
          core.worker,
          messageId,
          leaf,
          textBytes(text),
          bytes,
        );
        if (sealed === undefined || content === undefined) throw new AppError("internal");
        insertMessage(changes, {
          messageId,
          conversationId,
          order,
          kind: "text",
          sender: core.self.userId,
          own: true,
          sentAtMs,
          end: { ...end, endsAtMs: expiresAtMs },
          state: "waiting",
          sequence: null,
          epoch: conversation.epoch,
          body: { leaf, sealed },
          replyTo,
          code: null,
          owed: 0,
        });
        // It ends with the message that it is.
        const target = { messageId, leaf };
        insertOutboxItem(
          changes,
          { conversationId, kind: "text", target },
          { messageId, expiresAtMs, leaf, content },
        );
      });
      return { messageId };
    },

    "message.edit": ({ conversationId, messageId, text }) => {
      const { message } = ensureText(conversationId, messageId);
      if (!message.own || message.state?.kind === "failed") throw new AppError("not-allowed");
      return commit(async (changes) => {
        await edit(core, changes, message, { markdown: text, sequence: 0 });
        await enqueue(core, changes, {
          ...about(message),
          intent: {
            kind: "text",
            markdown: text,
            replyTo: message.replyTo,
            replaces: messageId,
          },
        });
      });
    },

    "message.react": async ({ conversationId, messageId, emoji, on }) => {
      const { message } = ensureText(conversationId, messageId);
      if (isCovered(message)) throw new AppError("not-allowed");
      const earlier = await ownReaction(engine, messageId, emoji);
      if ((earlier !== null) === on) return null;
      return commit(async (changes) => {
        if (earlier !== null) {
          changes.write("reaction.delete", earlier, core.self.userId);
          changes.upsert(conversationId, messageId);
          const intent = { kind: "unreact", replaces: earlier, to: messageId } as const;
          await enqueue(core, changes, { ...about(message), intent });
          return;
        }
        const intent = { kind: "reaction", emoji, to: messageId, replaces: null } as const;
        const { messageId: reactionId } = await enqueue(core, changes, {
          ...about(message),
          intent,
        });
        const sender = core.self.userId;
        const sentAtMs = time.real();
        await addReaction(core, changes, message, { reactionId, sender, emoji, sentAtMs });
      });
    },

    "message.recall": ({ conversationId, messageId }) => {
      const { message } = ensureText(conversationId, messageId);
      if (!message.own) throw new AppError("not-allowed");
      return commit(async (changes) => {
        const intent = { kind: "recall", replaces: messageId } as const;
        const outgoing: Outgoing = { ...about(message), kind: "recall", target: null, intent };
        const composed = await sealOutgoing(core, changes, outgoing);
        // From here to the transaction nothing else runs: what is out by then is taken as out.
        const item = store.outboxItem(messageId);
        if (item?.ciphertext === null && !core.sending.has(messageId)) {
          // Nobody has it: it never happened.
          deleteMessage(engine, changes, message);
          return;
        }
        changes.write("outbox.withdraw", messageId);
        recall(core, changes, message);
        changes.write("outbox.dropRecalled", core.localId(), messageId);
        insertOutboxItem(changes, outgoing, composed);
      });
    },

    "message.deleteForMe": ({ conversationId, messageId }) => {
      core.ensureWritable();
      const message = find(conversationId, messageId);
      return commit((changes) => {
        deleteMessage(engine, changes, message);
      });
    },

    "message.reveal": ({ conversationId, messageId }) => {
      core.ensureWritable();
      const conversation = store.ensureConversation(conversationId);
      const message = find(conversationId, messageId);
      const { burnSeconds, endsAtMs } = message;
      if (!isCovered(message) || burnSeconds === null) return Promise.resolve(null);
      const burnsAtMs = time.now() + burnSeconds * 1000;
      return commit(async (changes) => {
        changes.write("message.setBurn", messageId, burnsAtMs, 1);
        changes.deadlines.push({ messageId, deadlineMs: Math.min(burnsAtMs, endsAtMs) });
        changes.upsert(conversationId, messageId);
        for (const quoting of store.quotedBy(messageId)) changes.upsert(conversationId, quoting);
        if (conversation.state !== "active" || !sendsReceipts(conversation)) return;
        // Into the outbox at once: the row that owes it may be gone before the network is back.
        changes.write("message.owe", messageId, owedRead);
        changes.write("message.told", messageId, owedRead);
        const statuses = [{ messageId, status: messageStatus.read }];
        await enqueue(core, changes, {
          conversationId,
          // Kept whole when it is sent: nothing else may tell of it then.
          kind: "control",
          intent: { kind: "status", statuses },
          endsAtMs,
          burnSeconds: null,
          target: null,
        });
      });
    },

    "message.retry": ({ conversationId, messageId }) => {
      ensureActive(conversationId);
      const message = find(conversationId, messageId);
      if (message.state?.kind !== "failed") return Promise.resolve(null);
      if (store.outboxItem(messageId) === undefined) throw new AppError("not-allowed");
      return commit((changes) => {
        changes.write("message.setState", messageId, "waiting", null);
        changes.write("outbox.retry", messageId);
        changes.outboxes.add(conversationId);
        changes.upsert(conversationId, messageId);
      });
    },

    "message.info": ({ conversationId, messageId }) =>
      Promise.resolve(infoOf(engine, { conversationId, messageId })),
  };
}

/** What a message that changes another one has from it. */
function about(message: StoredMessage): Omit<Outgoing, "intent"> {
  const { conversationId, messageId, endsAtMs, leaf } = message;
  if (leaf === null) throw new AppError("not-found");
  const target = { messageId, leaf };
  return { conversationId, kind: "control", endsAtMs, burnSeconds: null, target };
}

/** Removes a message here, and its place in the outbox with it. */
function deleteMessage({ core }: Engine, changes: Changes, message: StoredMessage): void {
  const { messageId, conversationId } = message;
  changes.write("reaction.deleteOf", messageId);
  changes.write("receipt.deleteOf", messageId);
  changes.write("outbox.deleteOf", messageId);
  changes.write("sent.emptyOf", messageId);
  changes.write("message.delete", messageId);
  endHistory(core, changes, [messageId]);
  changes.remove(conversationId, messageId);
  for (const quoting of core.store.quotedBy(messageId)) changes.upsert(conversationId, quoting);
}

/** This person's reaction with an emoji, if there is one. */
async function ownReaction(
  { core }: Engine,
  messageId: MessageId,
  emoji: string,
): Promise<MessageId | null> {
  const own = core.store
    .reactions(messageId, core.time.now())
    .filter(({ sender }) => sender === core.self.userId);
  const opened = await openBodies(core.worker, own.map(sealedReaction));
  const same = own.find(({ reactionId }) => textOf(opened, reactionId) === emoji);
  return same?.reactionId ?? null;
}

function infoOf(
  { core }: Engine,
  { conversationId, messageId }: { conversationId: ConversationId; messageId: MessageId },
): MessageInfoView {
  const { store, people, time } = core;
  const message = store.ensureMessage(conversationId, messageId, time.now());
  return {
    messageId,
    sentAtMs: message.sentAtMs,
    expiry: expiryView(message),
    suite: store.ensureConversation(conversationId).suite,
    epoch: message.epoch,
    receipts: store.receipts(messageId).map(({ userId, deliveredAtMs, readAtMs }) => ({
      ...people.view(userId),
      deliveredAtMs,
      readAtMs,
    })),
  };
}
