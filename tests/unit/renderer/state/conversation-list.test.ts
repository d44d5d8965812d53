import { beforeEach, describe, expect, test } from "vitest";
import type { ConversationId } from "#protocol";
import {
  ConversationList,
  nameMatches,
  sortRows,
} from "../../../../renderer/state/conversation-list.svelte.ts";
import { row } from "./messages.ts";

let list: ConversationList;

beforeEach(() => {
  list = new ConversationList();
  list.set([
    row("old", { lastActivityMs: 1, unreadCount: 2 }),
    row("new", { lastActivityMs: 9, kind: "group" }),
    row("pinned", { lastActivityMs: 2, pinned: true, kind: "room" }),
    row("muted", { lastActivityMs: 5, unreadCount: 7, muted: true }),
  ]);
});

function visible(): readonly string[] {
  return list.visible.map(({ conversationId }) => conversationId);
}

describe("the list", () => {
  test("shows pinned ones first, then by time", () => {
    expect(visible()).toEqual(["pinned", "new", "muted", "old"]);
  });

  test.each([
    ["unread", ["muted", "old"]],
    ["direct", ["muted", "old"]],
    ["rooms", ["pinned", "new"]],
  ] as const)("shows for “%s” only those", (filter, expected) => {
    list.filter = filter;
    expect(visible()).toEqual(expected);
  });

  test("keeps the conversation that is being read among the unread ones", () => {
    list.filter = "unread";
    list.selectedId = "old" as ConversationId;
    list.set(list.rows.map((one) => ({ ...one, unreadCount: 0 })));
    expect(visible()).toEqual(["old"]);
  });

  test("counts unread messages, but not of muted conversations", () => {
    expect(list.unreadTotal).toBe(2);
  });

  test("changes nothing in the rows it was given", () => {
    const rows = Object.freeze([row("b", { lastActivityMs: 1 }), row("a", { lastActivityMs: 2 })]);
    expect(sortRows(rows).map(({ title }) => title)).toEqual(["a", "b"]);
    expect(rows[0]?.title).toBe("b");
  });
});

describe("going from one to the next", () => {
  test("follows what is shown, and stops at the ends", () => {
    list.selectedId = "new" as ConversationId;
    expect(list.neighbour(1)).toBe("muted");
    expect(list.neighbour(-1)).toBe("pinned");
    list.selectedId = "pinned" as ConversationId;
    expect(list.neighbour(-1)).toBeNull();
  });

  test("begins at an end when none is selected", () => {
    expect(list.neighbour(1)).toBe("pinned");
    expect(list.neighbour(-1)).toBe("old");
  });

  test("finds the next unread one, from the top again after the last", () => {
    list.selectedId = "muted" as ConversationId;
    expect(list.nextUnread()).toBe("old");
    list.selectedId = "old" as ConversationId;
    expect(list.nextUnread()).toBe("muted");
  });
});

describe("looking for a name", () => {
  test.each([
    ["Émile Girard", "emile"],
    ["Émile Girard", "gir em"],
    ["Trade fair 2025", "2025"],
    ["Supplier-review", "review"],
    ["Maximiliane", "milian"],
    ["نور الهاشمي", "نور"],
    ["anything", "  "],
  ])("finds %s by “%s”", (name, query) => {
    expect(nameMatches(name, query)).toBe(true);
  });

  test.each([
    ["Supplier review", "x"],
    ["Supplier review", "up"],
    ["Supplier review", "review supplierx"],
  ])("doesn't find %s by “%s”", (name, query) => {
    expect(nameMatches(name, query)).toBe(false);
  });
});
