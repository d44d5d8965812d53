import { AppError, type ConversationId } from "#protocol";
import type { Searcher } from "../search/searcher.ts";
import type { ClientCommands } from "../types.ts";
import { conversationView } from "../views/conversation-views.ts";
import type { Engine } from "./engine.ts";

type SearchCommands = Pick<
  ClientCommands,
  "search.find" | "conversation.openAt" | "conversation.loadLater"
>;

/** Items before a message that was found. */
const earlierItems = 40;
/** If no more than this came after it, all are given: the conversation then reads on as one that was opened at its end. */
const closeItems = 200;
const laterItems = 40;

/** Finding messages, and showing a conversation where one of them stands. */
export function searchCommands({ core, hub }: Engine, searcher: Searcher): SearchCommands {
  const { store, time } = core;

  const ensureShown = (conversationId: ConversationId) => {
    const conversation = store.ensureConversation(conversationId);
    if (conversation.state === "creating") throw new AppError("not-found");
    return conversation;
  };

  return {
    "search.find": (request) => searcher.find(request),

    "conversation.openAt": async ({ conversationId, messageId }) => {
      ensureShown(conversationId);
      const nowMs = time.now();
      const { order } = store.ensureMessage(conversationId, messageId, nowMs);
      const earlier = store.page(conversationId, order, { limit: earlierItems, nowMs });
      const rest = store.pageAfter(conversationId, order - 1, { limit: closeItems + 1, nowMs });
      const hasLater = rest.length > closeItems;
      const stored = [...earlier, ...(hasLater ? rest.slice(0, laterItems) : rest)];
      const oldestOrder = stored[0]?.order ?? order;
      hub.opened(conversationId, oldestOrder);
      const messages = await hub.messages(stored);
      return {
        conversation: await conversationView(ensureShown(conversationId), hub.sources),
        page: {
          messages,
          hasEarlier: store.hasBefore(conversationId, oldestOrder, nowMs),
          hasLater,
        },
      };
    },

    "conversation.loadLater": async ({ conversationId, afterOrder, limit }) => {
      ensureShown(conversationId);
      const nowMs = time.now();
      const stored = store.pageAfter(conversationId, afterOrder, { limit: limit + 1, nowMs });
      const messages = await hub.messages(stored.slice(0, limit));
      return {
        messages,
        hasEarlier: store.hasBefore(conversationId, afterOrder + 1, nowMs),
        hasLater: stored.length > limit,
      };
    },
  };
}
