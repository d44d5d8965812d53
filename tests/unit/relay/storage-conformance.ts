import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Announcement, RelayStorage, StorageKey } from "../../../relay/storage/port.ts";

/** What an adapter gives to be tested. */
export interface StorageHarness {
  /** Opens the same store, also a second time after the first was closed. */
  readonly open: () => Promise<RelayStorage>;
  readonly dispose: () => Promise<void>;
}

const key = (text: string): StorageKey => text as StorageKey;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

const put = (name: string, value: string) => ({ key: key(name), value: text(value) });
const remove = (name: string) => ({ key: key(name), value: null });
const check = (name: string, revision: number | null) => ({ key: key(name), revision });
const news = (frame: string): Announcement => ({ frame: text(frame), join: null, leave: [] });

/** The tests that every adapter of the storage port passes. */
export function describeStorage(name: string, makeHarness: () => Promise<StorageHarness>): void {
  describe(`storage port: ${name}`, () => {
    let harness: StorageHarness;
    let storage: RelayStorage;

    beforeEach(async () => {
      harness = await makeHarness();
      storage = await harness.open();
    });
    afterEach(async () => {
      await storage.close();
      await harness.dispose();
    });

    const write = async (...writes: readonly ReturnType<typeof put>[]): Promise<void> => {
      expect(await storage.commit({ checks: [], writes })).toBe("committed");
    };
    const revisionOf = async (name: string): Promise<number> => {
      const [value] = await storage.read([key(name)]);
      return value!.revision;
    };

    test("gives back what was written, in the order asked, and undefined for what is absent", async () => {
      await write(put("a.one", "1"), put("a.two", "2"));
      const values = await storage.read([key("a.two"), key("a.none"), key("a.one")]);
      expect(values.map((value) => (value === undefined ? undefined : read(value.bytes)))).toEqual([
        "2",
        undefined,
        "1",
      ]);
    });

    test("keeps empty values, and values of many megabytes", async () => {
      const large = new Uint8Array(8 * 1024 * 1024).map((_, index) => index % 251);
      await storage.commit({
        checks: [],
        writes: [
          { key: key("empty"), value: new Uint8Array() },
          { key: key("large"), value: large },
        ],
      });
      const [empty, stored] = await storage.read([key("empty"), key("large")]);
      expect(empty?.bytes.length).toBe(0);
      expect(Buffer.compare(stored!.bytes, large)).toBe(0);
    });

    test("gives bytes that later writes don't change", async () => {
      await write(put("a", "before"));
      const [before] = await storage.read([key("a")]);
      await write(put("a", "after!"));
      await storage.read([key("a")]);
      expect(read(before?.bytes)).toBe("before");
    });

    test("raises the revision with each write, also after a removal", async () => {
      await write(put("a", "1"));
      const first = await revisionOf("a");
      await write(put("a", "2"));
      const second = await revisionOf("a");
      await storage.commit({ checks: [], writes: [remove("a")] });
      await write(put("a", "3"));
      const third = await revisionOf("a");
      expect(second).toBeGreaterThan(first);
      expect(third).toBeGreaterThan(second);
    });

    test("changes nothing when a check fails: wrong revision, present instead of absent, absent instead of present", async () => {
      await write(put("a", "1"), put("b", "1"));
      const old = await revisionOf("a");
      await write(put("a", "2"));
      const current = await revisionOf("b");
      for (const checks of [
        [check("a", old)],
        [check("b", current), check("a", old)],
        [check("a", null)],
        [check("c", current)],
      ]) {
        const change = { checks, writes: [put("b", "changed"), put("c", "new")] };
        expect(await storage.commit(change)).toBe("conflict");
      }
      const [b, c] = await storage.read([key("b"), key("c")]);
      expect(read(b?.bytes)).toBe("1");
      expect(c).toBeUndefined();
    });

    test("commits when all checks hold, for keys that are written and keys that are not", async () => {
      await write(put("a", "1"), put("b", "1"));
      const outcome = await storage.commit({
        checks: [
          check("a", await revisionOf("a")),
          check("b", await revisionOf("b")),
          check("c", null),
        ],
        writes: [put("a", "2"), put("c", "1")],
      });
      expect(outcome).toBe("committed");
      const values = await storage.read([key("a"), key("b"), key("c")]);
      expect(values.map((value) => read(value?.bytes))).toEqual(["2", "1", "1"]);
    });

    test("lets exactly one of many commits at the same revision win", async () => {
      await write(put("head", "start"));
      const revision = await revisionOf("head");
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          storage.commit({
            checks: [check("head", revision)],
            writes: [put("head", `winner ${String(index)}`), put(`own.${String(index)}`, "x")],
          }),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === "committed")).toHaveLength(1);
      const winner = outcomes.indexOf("committed");
      const [head] = await storage.read([key("head")]);
      expect(read(head?.bytes)).toBe(`winner ${String(winner)}`);
      const own = await storage.list({ prefix: key("own."), after: null, limit: 100 });
      expect(own.map((entry) => entry.key)).toEqual([`own.${String(winner)}`]);
    });

    test("lets exactly one of many commits that need an absent key win", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          storage.commit({ checks: [check("new", null)], writes: [put("new", String(index))] }),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === "committed")).toHaveLength(1);
    });

    test("lists keys of a prefix in order, behind a key, up to a limit", async () => {
      await write(
        put("list.a_", "4"),
        put("list.a", "2"),
        put("list.B", "1"),
        put("list.a-", "3"),
        put("list", "no"),
        put("listing.a", "no"),
        put("lis.z", "no"),
      );
      const list = async (after: string | null, limit: number) => {
        const range = { prefix: key("list."), after: after === null ? null : key(after), limit };
        return (await storage.list(range)).map((entry) => `${entry.key}=${read(entry.bytes)}`);
      };
      const all = ["list.B=1", "list.a=2", "list.a-=3", "list.a_=4"];
      expect(await list(null, 100)).toEqual(all);
      expect(await list(null, 2)).toEqual(all.slice(0, 2));
      expect(await list("list.a", 100)).toEqual(all.slice(2));
      // `after` need not be there, nor lie in the range.
      expect(await list("list.Z", 1)).toEqual(all.slice(1, 2));
      expect(await list("a", 100)).toEqual(all);
      expect(await list("list.a_", 100)).toEqual([]);
    });

    test("lists padded numbers in their order", async () => {
      const padded = (n: number) => `n.${String(n).padStart(16, "0")}`;
      const numbers = [9_007_199_254_740_991, 10, 2, 1, 100];
      await write(...numbers.map((n) => put(padded(n), String(n))));
      const listed = await storage.list({ prefix: key("n."), after: key(padded(1)), limit: 10 });
      expect(listed.map(({ bytes }) => Number(read(bytes)))).toEqual([
        2, 10, 100, 9_007_199_254_740_991,
      ]);
    });

    test("no longer reads or lists what was removed, and removing it again is harmless", async () => {
      await write(put("gone.a", "1"), put("gone.b", "1"));
      await storage.commit({ checks: [], writes: [remove("gone.a"), remove("gone.never")] });
      await storage.commit({ checks: [], writes: [remove("gone.a")] });
      expect(await storage.read([key("gone.a")])).toEqual([undefined]);
      const left = await storage.list({ prefix: key("gone."), after: null, limit: 10 });
      expect(left.map((entry) => entry.key)).toEqual(["gone.b"]);
    });

    test("has everything that was committed after it is opened again", async () => {
      await write(put("kept", "1"));
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => write(put(`many.${String(index)}`, "x"))),
      );
      await storage.close();
      storage = await harness.open();
      expect(read((await storage.read([key("kept")]))[0]?.bytes)).toBe("1");
      const many = await storage.list({ prefix: key("many."), after: null, limit: 100 });
      expect(many).toHaveLength(50);
    });

    test("finishes commits that were begun before it is closed, and refuses later ones", async () => {
      const begun = storage.commit({ checks: [], writes: [put("begun", "1")] });
      await storage.close();
      expect(await begun).toBe("committed");
      await expect(
        storage.commit({ checks: [], writes: [put("late", "1")] }),
      ).rejects.toMatchObject({
        code: "relay-storage-failed",
      });
      await expect(storage.read([key("begun")])).rejects.toMatchObject({
        code: "relay-storage-failed",
      });
      storage = await harness.open();
      expect(await storage.read([key("late")])).toEqual([undefined]);
    });

    test("tells the subscribers of a topic, in order, until they are disposed", async () => {
      const heard: string[] = [];
      const listen = (who: string) =>
        storage.subscribe("topic", ({ frame }) => {
          heard.push(`${who} ${read(frame ?? undefined)}`);
        });
      const stopFirst = listen("first");
      const stopSecond = listen("second");
      storage.announce("topic", news("1"));
      storage.announce("other", news("not for them"));
      await expect.poll(() => heard.length).toBe(2);
      stopFirst();
      storage.announce("topic", news("2"));
      storage.announce("topic", news("3"));
      await expect.poll(() => heard.length).toBe(4);
      stopSecond();
      storage.announce("topic", news("4"));
      expect(heard).toEqual(["first 1", "second 1", "second 2", "second 3"]);
    });
  });
}
