import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as v from "valibot";
import { AppError, countSchema } from "#protocol";
import { openLmdbStorage } from "../../../../relay/storage/lmdb.ts";
import type { StorageKey } from "../../../../relay/storage/port.ts";
import { bytesSlots, keyPrefix, recordSlots, storageKey } from "../../../../relay/storage/slot.ts";
import { readerOf } from "../../../../relay/storage/transaction.ts";
import { createUnits, type Units, type Work } from "../../../../relay/storage/units.ts";
import { FaultyStorage, temporaryDirectory } from "../../../support/relay-fixture.ts";

const counter = recordSlots(
  (name: string) => storageKey("counter", name),
  v.strictObject({ count: countSchema }),
);
const item = bytesSlots((name: string) => storageKey("item", name));

let directory: string;
let storage: FaultyStorage;
let units: Units;

beforeEach(() => {
  directory = temporaryDirectory();
  storage = new FaultyStorage(openLmdbStorage(directory));
  units = createUnits(storage);
});
afterEach(async () => {
  await storage.close();
  rmSync(directory, { recursive: true });
});

const increment =
  (name = "a"): Work<number> =>
  async (transaction) => {
    const count = ((await transaction.load(counter(name)))?.count ?? 0) + 1;
    transaction.store(counter(name), { count });
    return count;
  };
const countOf = async (name = "a"): Promise<number | undefined> =>
  (await readerOf(storage).load(counter(name)))?.count;

describe("units of work", () => {
  test("run in order within a scope, each seeing what those before it wrote, and share commits", async () => {
    const counts = await Promise.all(
      Array.from({ length: 100 }, () => units.run("scope", increment())),
    );
    expect(counts).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(await countOf()).toBe(100);
    expect(storage.commits).toBeLessThan(10);
  });

  test("in different scopes that touch the same key all count", async () => {
    const counts = await Promise.all(
      Array.from({ length: 12 }, (_, index) => units.run(`scope ${String(index)}`, increment())),
    );
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(await countOf()).toBe(12);
  });

  test("a unit that throws leaves nothing behind, and those around it count", async () => {
    const failing = units.run("scope", async (transaction) => {
      await increment()(transaction);
      throw new AppError("not-allowed");
    });
    const outcomes = await Promise.allSettled([
      units.run("scope", increment()),
      failing,
      units.run("scope", increment()),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await countOf()).toBe(2);
  });

  test("a failed commit fails all that shared it, runs no effect and changes nothing; the next ones work", async () => {
    const effects: string[] = [];
    const work =
      (name: string): Work<number> =>
      async (transaction) => {
        transaction.afterCommit(() => effects.push(name));
        return increment()(transaction);
      };
    storage.failCommits = true;
    const outcomes = await Promise.allSettled([
      units.run("scope", work("one")),
      units.run("scope", work("two")),
      // What it found rests on writes that never happened.
      units.run("scope", async (transaction) => {
        const found = await transaction.load(counter("a"));
        throw new AppError("conversation-exists", { data: { count: found?.count ?? 0 } });
      }),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: "relay-storage-failed" },
      });
    }
    storage.failCommits = false;
    expect(effects).toEqual([]);
    expect(await units.run("scope", work("three"))).toBe(1);
    expect(effects).toEqual(["three"]);
  });

  test("effects come after the commit, in order, before the caller goes on", async () => {
    const events: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    storage.holdCommits = gate.promise;
    const runs = ["one", "two"].map((name) =>
      units
        .run("scope", async (transaction) => {
          transaction.afterCommit(() => events.push(`effect ${name}`));
          return increment()(transaction);
        })
        .then(() => events.push(`answer ${name}`)),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).toEqual([]);
    gate.resolve(undefined);
    await Promise.all(runs);
    expect(events).toEqual(["effect one", "effect two", "answer one", "answer two"]);
  });

  test("work that only reads costs no commit", async () => {
    await units.run("scope", (transaction) => transaction.load(counter("a")));
    expect(storage.commits).toBe(0);
  });

  test("lists see what was written and removed in the same unit and in those before it", async () => {
    const list =
      (after: string | null, limit: number): Work<string[]> =>
      async (transaction) => {
        const keys = await transaction.listKeys({
          prefix: keyPrefix("item"),
          after: after === null ? null : (`item.${after}` as StorageKey),
          limit,
        });
        return keys.map((key) => key.slice("item.".length));
      };
    const put =
      (...names: string[]): Work<void> =>
      (transaction) => {
        for (const name of names) transaction.store(item(name), new Uint8Array());
        return Promise.resolve();
      };
    await units.run("scope", put("b", "d", "f"));
    const seen = await Promise.all([
      units.run("scope", put("a")),
      units.run("scope", async (transaction) => {
        transaction.remove(item("b"));
        transaction.store(item("e"), new Uint8Array());
        return [
          await list(null, 10)(transaction),
          await list(null, 2)(transaction),
          await list("d", 1)(transaction),
        ];
      }),
      units.run("scope", list(null, 10)),
    ]);
    expect(seen[1]).toEqual([["a", "d", "e", "f"], ["a", "d"], ["e"]]);
    expect(seen[2]).toEqual(["a", "d", "e", "f"]);
  });

  test("a unit reads back what it wrote and removed itself", async () => {
    await units.run("scope", increment());
    const seen = await units.run("scope", async (transaction) => {
      transaction.store(counter("b"), { count: 7 });
      transaction.remove(counter("a"));
      return transaction.loadAll([counter("a"), counter("b"), counter("c")]);
    });
    expect(seen).toEqual([undefined, { count: 7 }, undefined]);
  });

  test("a record that can't be read is an error, and stays as it is", async () => {
    const { key } = counter("a");
    const value = new Uint8Array([0x61]);
    await storage.commit({ checks: [], writes: [{ key, value }] });
    await expect(units.run("scope", increment())).rejects.toMatchObject({
      code: "relay-storage-failed",
    });
    expect((await storage.read([key]))[0]?.bytes).toEqual(Buffer.from(value));
  });

  test("settled waits for everything that is under way", async () => {
    let done = 0;
    for (let index = 0; index < 5; index += 1) {
      void units.run(`scope ${String(index)}`, increment(String(index))).then(() => (done += 1));
    }
    await units.settled();
    expect(done).toBe(5);
  });
});
