import { beforeEach, describe, expect, test } from "vitest";
import { AppError, type ConversationId, type MessageId, type MessageView } from "#protocol";
import { Conversation } from "../../../../renderer/state/conversation.svelte.ts";
import { conversationId, conversationView, systemMessage, textMessage } from "./messages.ts";
import { settle, TestRuntime } from "./support.ts";

let runtime: TestRuntime;
let errors: unknown[];
let changes: { arrived: readonly MessageView[]; removed: readonly MessageId[] }[];

beforeEach(() => {
  runtime = new TestRuntime();
  errors = [];
  changes = [];
});

function give(
  messages: readonly MessageView[],
  options: { unread?: string; earlier?: boolean } = {},
): void {
  runtime.answer("conversation.open", () => ({
    conversation: conversationView({ firstUnreadId: (options.unread ?? null) as MessageId | null }),
    page: { messages, hasEarlier: options.earlier ?? false },
  }));
}

async function opened(): Promise<Conversation> {
  const conversation = new Conversation(conversationId, {
    runtime,
    onError: (error) => errors.push(error),
    onChange: (change) => changes.push(change),
  });
  await conversation.open();
  return conversation;
}

function orders(conversation: Conversation): readonly number[] {
  return conversation.messages.map(({ order }) => order);
}

describe("an open conversation", () => {
  test("shows what it was given, and counts what is unread", async () => {
    give([textMessage(1), textMessage(2), textMessage(3, { own: true }), systemMessage(4)], {
      unread: "m-2",
    });
    const conversation = await opened();
    expect(orders(conversation)).toEqual([1, 2, 3, 4]);
    expect(conversation.newCount).toBe(1);
    expect(conversation.items.some(({ kind }) => kind === "unread")).toBe(true);
  });

  test("follows what comes, changes and ends, for itself only", async () => {
    give([textMessage(1), textMessage(2)]);
    const conversation = await opened();
    runtime.emit("messages.changed", {
      conversationId,
      upserted: [textMessage(2, { text: "edited" }), textMessage(3)],
      removed: ["m-1" as MessageId],
    });
    runtime.emit("messages.changed", {
      conversationId: "c-2" as ConversationId,
      upserted: [textMessage(9)],
      removed: ["m-2" as MessageId],
    });
    expect(orders(conversation)).toEqual([2, 3]);
    expect(conversation.messages[0]).toMatchObject({ text: "edited" });
    expect(changes).toHaveLength(1);
    expect(changes[0]?.arrived.map(({ order }) => order)).toEqual([3]);
    expect(changes[0]?.removed).toEqual(["m-1"]);
  });

  test("does not put a change of an older message before what is loaded", async () => {
    give([textMessage(10)], { earlier: true });
    const conversation = await opened();
    runtime.emit("messages.changed", {
      conversationId,
      upserted: [textMessage(3, { text: "edited long ago" })],
      removed: [],
    });
    expect(orders(conversation)).toEqual([10]);
  });

  test("says with words why it can't be opened, and opens when tried again", async () => {
    runtime.answer("conversation.open", () => {
      throw new AppError("not-found");
    });
    const conversation = await opened();
    expect(conversation.failure).toBe("not-found");
    give([textMessage(1)]);
    await conversation.open();
    expect(conversation.failure).toBeNull();
    expect(orders(conversation)).toEqual([1]);
  });

  test("that is closed tells so and hears nothing more", async () => {
    give([]);
    const conversation = await opened();
    conversation.close();
    expect(runtime.listenerCount).toBe(0);
    expect(runtime.paramsOf("conversation.close")).toEqual([{ conversationId }]);
  });

  test("that is closed while it opens stays empty", async () => {
    give([textMessage(1)]);
    const conversation = new Conversation(conversationId, {
      runtime,
      onError: () => undefined,
      onChange: () => undefined,
    });
    const opening = conversation.open();
    conversation.close();
    await opening;
    expect(conversation.view).toBeNull();
  });
});

describe("earlier messages", () => {
  test("are put in front, and the view is told so", async () => {
    give([textMessage(5)], { earlier: true });
    runtime.answer("conversation.loadEarlier", () => ({
      messages: [textMessage(3), textMessage(4)],
      hasEarlier: false,
    }));
    const conversation = await opened();
    await conversation.loadEarlier();
    expect(orders(conversation)).toEqual([3, 4, 5]);
    expect(conversation.prepending).toBe(true);
    expect(conversation.hasEarlier).toBe(false);
    runtime.emit("messages.changed", { conversationId, upserted: [textMessage(6)], removed: [] });
    expect(conversation.prepending).toBe(false);
  });

  test("are asked for once at a time, from the oldest that is there", async () => {
    give([textMessage(5)], { earlier: true });
    runtime.answer("conversation.loadEarlier", async () => {
      await settle();
      return { messages: [], hasEarlier: true };
    });
    const conversation = await opened();
    await Promise.all([conversation.loadEarlier(), conversation.loadEarlier()]);
    expect(runtime.paramsOf("conversation.loadEarlier")).toEqual([
      { conversationId, beforeOrder: 5, limit: 100 },
    ]);
  });

  test("that can't be had leave everything as it was", async () => {
    give([textMessage(5)], { earlier: true });
    runtime.answer("conversation.loadEarlier", () => {
      throw new AppError("worker-stopped");
    });
    const conversation = await opened();
    await conversation.loadEarlier();
    expect(orders(conversation)).toEqual([5]);
    expect(conversation.loadingEarlier).toBe(false);
    expect(errors).toHaveLength(1);
  });
});

describe("reading", () => {
  test("is told forwards only", async () => {
    give([textMessage(1), textMessage(2)], { unread: "m-1" });
    const conversation = await opened();
    conversation.markRead(2);
    conversation.markRead(1);
    conversation.markRead(2);
    expect(runtime.paramsOf("conversation.markRead")).toEqual([{ conversationId, order: 2 }]);
    expect(conversation.newCount).toBe(0);
  });

  test("of what was read before is not told again", async () => {
    give([textMessage(1), textMessage(2)]);
    const conversation = await opened();
    conversation.markRead(2);
    expect(runtime.paramsOf("conversation.markRead")).toEqual([]);
  });
});

test("the last own text is what ↑ edits", async () => {
  give([textMessage(1, { own: true }), textMessage(2, { own: true }), textMessage(3)]);
  const conversation = await opened();
  expect(conversation.lastOwn?.order).toBe(2);
});
