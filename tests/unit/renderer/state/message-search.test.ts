import { beforeEach, describe, expect, test } from "vitest";
import { AppError, type MessageId, type SearchHitView, type SearchResultsView } from "#protocol";
import { Find } from "../../../../renderer/state/find.svelte.ts";
import { MessageSearch, searchPageSize } from "../../../../renderer/state/message-search.svelte.ts";
import { conversationId, other } from "./messages.ts";
import { settle, TestRuntime, TestTimers } from "./support.ts";

let runtime: TestRuntime;
let timers: TestTimers;

beforeEach(() => {
  runtime = new TestRuntime();
  timers = new TestTimers();
});

function hit(id: string): SearchHitView {
  return {
    conversationId,
    conversationTitle: "Jonas",
    avatarSeed: "seed",
    messageId: id as MessageId,
    sender: other,
    sentAtMs: 1,
    endsAtMs: 2,
    text: id,
    marks: [],
  };
}

function results(
  ids: readonly string[],
  change: Partial<SearchResultsView> = {},
): SearchResultsView {
  const progress = { indexed: 5, total: 5 };
  return { hits: ids.map(hit), before: null, progress, unknown: [], ...change };
}

const ports = () => ({ runtime, later: timers.later });
const ids = (search: MessageSearch) => search.hits.map(({ messageId }) => messageId);

async function answered(): Promise<void> {
  timers.run();
  await settle();
}

describe("a search", () => {
  test("asks once for what was typed in one go", async () => {
    runtime.answer("search.find", () => results(["a"]));
    const search = new MessageSearch(ports(), null);
    search.query = "b";
    search.query = "budget";
    await answered();
    expect(runtime.paramsOf("search.find")).toEqual([
      { query: "budget", conversationId: null, before: null, limit: searchPageSize },
    ]);
    expect(ids(search)).toEqual(["a"]);
    expect(search.answered).toBe(true);
  });

  test("shows the answer to the latest question, whichever comes first", async () => {
    const search = new MessageSearch(ports(), null);
    let answerFirst: (found: SearchResultsView) => void = () => undefined;
    runtime.answer("search.find", ({ query }) =>
      query === "slow"
        ? new Promise((resolve) => {
            answerFirst = resolve;
          })
        : results(["fast"]),
    );
    search.query = "slow";
    await answered();
    search.query = "fast";
    await answered();
    answerFirst(results(["slow"]));
    await settle();
    expect(ids(search)).toEqual(["fast"]);
  });

  test("goes on with older messages", async () => {
    runtime.answer("search.find", ({ before }) =>
      before === null ? results(["a"], { before: "next" }) : results(["b"]),
    );
    const search = new MessageSearch(ports(), conversationId);
    search.query = "x";
    await answered();
    expect(search.hasMore).toBe(true);
    await search.loadMore();
    expect(ids(search)).toEqual(["a", "b"]);
    expect(search.hasMore).toBe(false);
  });

  test("says what failed, and tries again", async () => {
    runtime.answer("search.find", () => {
      throw new AppError("worker-stopped");
    });
    const search = new MessageSearch(ports(), null);
    search.query = "x";
    await answered();
    expect(search.failure).toBe("worker-stopped");
    runtime.answer("search.find", () => results(["a"]));
    await search.retry();
    expect([search.failure, ...ids(search)]).toEqual([null, "a"]);
  });

  test("looks again when something has changed or more has been indexed", async () => {
    let found = ["a", "b"];
    runtime.answer("search.find", () => results(found));
    const search = new MessageSearch(ports(), null);
    search.query = "x";
    await answered();
    found = ["b"];
    runtime.emit("conversations.changed", []);
    await answered();
    expect(ids(search)).toEqual(["b"]);
    found = ["b", "c"];
    runtime.emit("search.progress", { indexed: 3, total: 9 });
    expect(search.filling).toBe(true);
    await answered();
    expect(ids(search)).toEqual(["b", "c"]);
  });

  test("of nothing asks nothing", async () => {
    const search = new MessageSearch(ports(), null);
    search.query = "  ";
    await answered();
    expect(runtime.asked).toEqual([]);
    expect(search.active).toBe(false);
  });

  test("that is closed forgets everything and hears nothing more", async () => {
    runtime.answer("search.find", () => results(["a"]));
    const search = new MessageSearch(ports(), null);
    search.query = "x";
    await answered();
    search.close();
    expect([search.query, ...ids(search)]).toEqual([""]);
    expect(runtime.listenerCount).toBe(0);
  });
});

describe("finding in a conversation", () => {
  test("goes from the newest to older ones and back, and on to the next page", async () => {
    runtime.answer("search.find", ({ before }) =>
      before === null ? results(["a", "b"], { before: "next" }) : results(["c"]),
    );
    const shown: string[] = [];
    const find = new Find(ports(), conversationId, (id) => shown.push(id));
    find.search.query = "x";
    await find.older();
    expect(find.position).toBe(1);
    expect(find.hasNewer).toBe(false);
    await find.older();
    await find.older();
    expect(find.position).toBe(3);
    expect(find.hasOlder).toBe(false);
    await find.older();
    find.newer();
    expect(shown).toEqual(["a", "b", "c", "b"]);
    expect(find.currentId).toBe("b");
  });

  test("with nothing found goes nowhere", async () => {
    runtime.answer("search.find", () => results([]));
    const shown: string[] = [];
    const find = new Find(ports(), conversationId, (id) => shown.push(id));
    find.search.query = "x";
    await find.older();
    find.newer();
    expect(shown).toEqual([]);
    expect(find.hasOlder).toBe(false);
  });
});
