import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConversationId, UserId } from "#protocol";
import { momentOf } from "../../../../../electron/client/search/dates.ts";
import { resolveFilters } from "../../../../../electron/client/search/filters.ts";
import { features } from "../../../../../electron/client/search/plain-words.ts";
import { parseQuery } from "../../../../../electron/client/search/query.ts";

const words = (query: string) => parseQuery(query).terms.map(({ text }) => text);
const filters = (query: string) =>
  parseQuery(query).filters.map(({ name, value }) => [name, value]);

describe("a query", () => {
  test.each([
    ["budget", ["budget"], []],
    ["  Próxima  reunión ", ["proxima", "reunion"], []],
    ['"see  you" soon', ["see you", "soon"], []],
    ["„sehr gut“ ja", ["sehr gut", "ja"], []],
    ['"not closed', ["not closed"], []],
    ["from:anna budget", ["budget"], [["from", "anna"]]],
    ["FROM:Anna", [], [["from", "Anna"]]],
    ['in:"The crew" plan', ["plan"], [["in", "The crew"]]],
    [
      "has:link before:2026-11-27",
      [],
      [
        ["has", "link"],
        ["before", "2026-11-27"],
      ],
    ],
    ["from: in:", [], []],
    ['from:"', [], []],
    ["note:this", ["note:this"], []],
    ["https://example.org", ["https", "example.org"], []],
    ["9:30", ["9", "30"], []],
    ["", [], []],
    ['""', [], []],
  ] as const)("%j is taken apart", (query, expectedWords, expectedFilters) => {
    expect(words(query)).toEqual(expectedWords);
    expect(filters(query)).toEqual(expectedFilters);
  });

  test("keeps filters in the words in which they were typed", () => {
    expect(parseQuery('in:"The crew" x').filters[0]?.typed).toBe('in:"The crew"');
  });

  test("of anything can be taken apart, with a bounded number of words", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 500 }), (query) => {
        const { terms } = parseQuery(query);
        expect(terms.length).toBeLessThanOrEqual(32);
        expect(terms.every(({ text }) => text !== "")).toBe(true);
      }),
    );
  });
});

describe("a date", () => {
  const now = new Date(2026, 10, 27, 15, 30).getTime();
  test.each([
    ["today", new Date(2026, 10, 27)],
    ["Yesterday", new Date(2026, 10, 26)],
    ["2026-11-20", new Date(2026, 10, 20)],
    ["2026-1-2", new Date(2026, 0, 2)],
    ["2026-11", new Date(2026, 10, 1)],
    ["2025", new Date(2025, 0, 1)],
    ["2024-02-29", new Date(2024, 1, 29)],
    ["3d", new Date(2026, 10, 24)],
    ["2w", new Date(2026, 10, 13)],
    ["1m", new Date(2026, 9, 27)],
    ["2h", new Date(2026, 10, 27, 13, 30)],
  ])("%s is a moment", (typed, expected) => {
    expect(momentOf(typed, now)).toBe(expected.getTime());
  });

  test.each(["2026-13-01", "2025-02-29", "2026-11-31", "soon", "27.11.2026", "", "2026-"])(
    "%j is none",
    (typed) => {
      expect(momentOf(typed, now)).toBeNull();
    },
  );
});

describe("filters", () => {
  const user = (id: string) => id as UserId;
  const conversation = (id: string) => id as ConversationId;
  const names = {
    me: user("me"),
    people: [
      { userId: user("anna"), displayName: "Anna Björk" },
      { userId: user("annabel"), displayName: "Annabel Lee" },
      { userId: user("anton"), displayName: "Anna" },
    ],
    conversations: [
      { conversationId: conversation("crew"), title: "The crew" },
      { conversationId: conversation("fair"), title: "Trade fair 2026" },
    ],
    nowMs: new Date(2026, 10, 27, 12).getTime(),
  };
  const resolve = (query: string) => resolveFilters(parseQuery(query).filters, names);
  const senders = (query: string) => [...(resolve(query).senders ?? [])];

  test("name people by the beginnings of their names, without accents", () => {
    expect(senders("from:annab")).toEqual(["annabel"]);
    expect(senders("from:bjork")).toEqual(["anna"]);
    expect(senders('from:"bj ann"')).toEqual(["anna"]);
    expect(senders("from:me")).toEqual(["me"]);
    expect(senders("from:annab from:bjork")).toEqual(["annabel", "anna"]);
  });

  test("take a whole name for that person alone", () => {
    expect(senders("from:anna")).toEqual(["anton"]);
    expect(senders("from:ann")).toEqual(["anna", "annabel", "anton"]);
  });

  test("name conversations, features and dates", () => {
    expect([...(resolve("in:fair").conversations ?? [])]).toEqual(["fair"]);
    expect(resolve("has:link has:codes").features).toBe(features.link | features.code);
    const { fromMs, untilMs } = resolve("after:2026-11-01 before:today after:2026-10-01");
    expect(fromMs).toBe(new Date(2026, 10, 1).getTime());
    expect(untilMs).toBe(new Date(2026, 10, 27).getTime());
  });

  test("that name nobody and nothing are told as they were typed", () => {
    expect(resolve('from:zoe in:"no room" has:nothing before:soon x').unknown).toEqual([
      "from:zoe",
      'in:"no room"',
      "has:nothing",
      "before:soon",
    ]);
  });
});
