import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageId } from "#protocol";
import { endOf, mergeMessages, timelineItems } from "../../../../renderer/state/timeline.ts";
import { systemMessage, textMessage } from "./messages.ts";

const unmarked = { firstUnreadId: null, hasEarlier: false };

/** The kinds of all items, and of messages whether they begin and end a run. */
function outline(items: ReturnType<typeof timelineItems>): readonly string[] {
  return items.map((item) =>
    item.kind === "message"
      ? `${item.message.messageId}${item.first ? " first" : ""}${item.last ? " last" : ""}`
      : item.kind,
  );
}

describe("a change of the messages", () => {
  test("keeps them in order, each once, with the newest words", () => {
    const before = [textMessage(1), textMessage(3)];
    const after = mergeMessages(before, [textMessage(3, { text: "new" }), textMessage(2)], []);
    expect(after.map(({ order }) => order)).toEqual([1, 2, 3]);
    expect(after[2]).toMatchObject({ text: "new" });
  });

  test("takes away what is gone", () => {
    const after = mergeMessages([textMessage(1), textMessage(2)], [], ["m-1" as MessageId]);
    expect(after.map(({ order }) => order)).toEqual([2]);
  });

  test("changes nothing in what it was given", () => {
    const before = Object.freeze([textMessage(1)]);
    mergeMessages(before, [textMessage(0)], []);
    expect(before).toHaveLength(1);
  });

  test("gives the same whatever way the messages came in", () => {
    const orders = fc.uniqueArray(fc.nat(50), { maxLength: 20 });
    fc.assert(
      fc.property(orders, fc.nat(20), (all, at) => {
        const messages = all.map((order) => textMessage(order));
        const inTwo = mergeMessages(
          mergeMessages([], messages.slice(0, at), []),
          messages.slice(at),
          [],
        );
        expect(inTwo).toEqual(mergeMessages([], messages, []));
      }),
    );
  });
});

describe("the message list", () => {
  test("puts messages of one sender into a run, and begins anew after a pause", () => {
    const items = timelineItems(
      [textMessage(1), textMessage(2), textMessage(3, { own: true }), textMessage(10)],
      unmarked,
    );
    expect(outline(items)).toEqual([
      "start",
      "day",
      "m-1 first",
      "m-2 last",
      "m-3 first last",
      "m-10 first last",
      "end",
    ]);
  });

  test("never puts a system line into a run", () => {
    const items = timelineItems([textMessage(1), systemMessage(2), textMessage(3)], unmarked);
    expect(outline(items).slice(2)).toEqual([
      "m-1 first last",
      "m-2 first last",
      "m-3 first last",
      "end",
    ]);
  });

  test("separates days, and breaks a run at midnight", () => {
    const late = Date.parse("2026-11-26T23:59:00");
    const items = timelineItems(
      [textMessage(1, { sentAtMs: late }), textMessage(2, { sentAtMs: late + 120_000 })],
      unmarked,
    );
    expect(outline(items)).toEqual([
      "start",
      "day",
      "m-1 first last",
      "day",
      "m-2 first last",
      "end",
    ]);
  });

  test("marks the first unread message, and breaks the run there", () => {
    const items = timelineItems([textMessage(1), textMessage(2)], {
      firstUnreadId: "m-2" as MessageId,
      hasEarlier: true,
    });
    expect(outline(items)).toEqual([
      "earlier",
      "day",
      "m-1 first last",
      "unread",
      "m-2 first last",
      "end",
    ]);
  });

  test("has a key of its own for each item", () => {
    const items = timelineItems([textMessage(1), systemMessage(2), textMessage(3)], unmarked);
    expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
  });
});

describe("the end of a message", () => {
  test("is the earlier one of expiration and burning", () => {
    expect(endOf({ endsAtMs: 10, burnsAtMs: null })).toBe(10);
    expect(endOf({ endsAtMs: 10, burnsAtMs: 5 })).toBe(5);
    expect(endOf({ endsAtMs: 10, burnsAtMs: 15 })).toBe(10);
  });
});
