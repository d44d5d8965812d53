import {
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { FrameKey } from "#protocol";
import { inspectVault, type Vault, type VaultCatalogue } from "../../../../electron/vault/index.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import {
  createVaultFixture,
  itemsOf,
  put,
  testCatalogue,
  type VaultFixture,
} from "../../../support/vault-fixture.ts";
import { sealFrame } from "../../../support/seal-frame.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
const opened: Vault[] = [];

beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(() => worker.dispose());
beforeEach(() => {
  fixture = createVaultFixture(worker);
});
afterEach(async () => {
  for (const vault of opened.splice(0)) await vault.close();
  fixture.remove();
});

async function create(...args: Parameters<VaultFixture["create"]>): Promise<Vault> {
  const vault = await fixture.create(...args);
  opened.push(vault);
  return vault;
}

async function open(...args: Parameters<VaultFixture["open"]>): Promise<Vault> {
  const vault = await fixture.open(...args);
  opened.push(vault);
  return vault;
}

/** A promise that is kept from outside. */
function gate() {
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (release = resolve));
  return { opened, release };
}

/** Until no compaction is under way. */
const compacted = (vault: Vault) =>
  vi.waitFor(async () => {
    expect((await vault.facts()).isCompacting).toBe(false);
  }, 10_000);

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("creating", () => {
  test("makes keyring, log and snapshot, readable by this user alone, and a key in the keychain", async () => {
    const vault = await create({ profile: "work" });
    expect(fixture.names()).toEqual(["keyring", "lock", "log.1", "snapshot.1"]);
    for (const name of fixture.names()) {
      expect(statSync(join(fixture.directory, name)).mode & 0o077).toBe(0);
    }
    expect([...fixture.entries.keys()].sort()).toEqual([
      `work/${vault.vaultId}/0`,
      `work/${vault.vaultId}/1`,
    ]);
    expect(await inspectVault(fixture.directory)).toMatchObject({
      kind: "present",
      vaultId: vault.vaultId,
      slots: ["keychain"],
    });
    expect(vault).toMatchObject({ sequence: 0, readOnly: null, damage: null });
    await vault.close();
    expect(fixture.names()).toEqual(["keyring", "log.1", "snapshot.1"]);
  });

  test("puts nothing in clear on the disk", async () => {
    const vault = await create();
    const secret = "the clear text that nobody may find";
    await vault.transact([put("name-of-a-thing", secret)]);
    await vault.compact();
    await vault.transact([put("name-of-another", secret)]);
    await vault.close();
    for (const name of fixture.names()) {
      const content = Buffer.from(fixture.bytes(name));
      for (const text of [secret, "name-of", "SQLite format", "INSERT INTO"]) {
        expect(content.includes(text), `${text} in ${name}`).toBe(false);
      }
      for (const key of fixture.entries.values()) {
        expect(content.includes(Buffer.from(key))).toBe(false);
      }
    }
  });

  test("never goes over a vault that is there, open, closed, or without its keyring", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await expect(fixture.create()).rejects.toMatchObject({ code: "vault-in-use" });
    await vault.close();
    await expect(fixture.create()).rejects.toMatchObject({ code: "vault-exists" });
    const keyring = fixture.bytes("keyring");
    for (const loss of ["gone", "empty"]) {
      const copy = fixture.copy(loss);
      if (loss === "gone") {
        rmSync(join(copy, "keyring"));
      } else writeFileSync(join(copy, "keyring"), "");
      const at = { directory: copy };
      expect(await inspectVault(copy)).toEqual({ kind: "unreadable", code: "vault-damaged" });
      await expect(fixture.create(at)).rejects.toMatchObject({ code: "vault-exists" });
      await expect(fixture.open(at)).rejects.toMatchObject({
        code: "vault-damaged",
        data: { file: "keyring" },
      });
    }
    expect(fixture.bytes("keyring")).toEqual(keyring);
    expect(itemsOf(await open())).toEqual(new Map([["a", 1]]));
  });

  test("there is nothing to open where nothing was created", async () => {
    expect(await inspectVault(fixture.directory)).toEqual({ kind: "none" });
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-missing" });
    expect(await inspectVault(fixture.root)).toEqual({ kind: "none" });
  });
});

describe("transactions", () => {
  test("are there after a restart, with every kind of value", async () => {
    const values = [
      ...[0, -1, 2 ** 31, -(2 ** 40), 1.5, 5e-324, Number.MAX_SAFE_INTEGER],
      ...["", "héllo 😀", "a\0b", "in the middle \u{feff} it is no mark"],
      ...[null, new Uint8Array(), new Uint8Array([0, 255]), new Uint8Array(10_000).fill(7)],
    ];
    const first = await create();
    for (const [index, value] of values.entries()) await first.transact([put(`${index}`, value)]);
    const written = itemsOf(first);
    for (const [index, value] of values.entries()) expect(written.get(`${index}`)).toEqual(value);
    await first.close();
    const second = await open();
    expect(itemsOf(second)).toEqual(written);
    expect(second.sequence).toBe(values.length);
  });

  test("several restarts and compactions later everything is still there", async () => {
    let vault = await create();
    for (let round = 0; round < 4; round++) {
      await vault.transact([put(`a${round}`, round)]);
      if (round % 2 === 1) await vault.compact();
      await vault.transact([
        put(`b${round}`, round),
        { name: "delete", params: [`b${round - 1}`] },
      ]);
      await vault.close();
      vault = await open();
      expect(vault.sequence).toBe(2 * (round + 1));
    }
    expect([...itemsOf(vault).keys()]).toEqual(["a0", "a1", "a2", "a3", "b3"]);
    expect(fixture.names()).toEqual(["keyring", "lock", "log.3", "snapshot.3"]);
  });

  test("are all or nothing, and one that fails harms no other that waits with it", async () => {
    const vault = await create();
    await vault.transact([put("taken", 0)]);
    const outcomes = await Promise.allSettled([
      vault.transact([put("a", 1)]),
      vault.transact([put("half", 2), { name: "insert", params: ["taken", 2] }, put("more", 2)]),
      vault.transact([put("b", 3)]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "internal" } });
    const expected = new Map([
      ["a", 1],
      ["b", 3],
      ["taken", 0],
    ]);
    expect(itemsOf(vault)).toEqual(expected);
    expect(vault.sequence).toBe(3);
    await vault.close();
    const again = await open();
    expect(itemsOf(again)).toEqual(expected);
    expect(again.sequence).toBe(3);
  });

  test("that fail write nothing at all", async () => {
    const vault = await create();
    await vault.transact([put("taken", 0)]);
    const before = fixture.bytes("log.1");
    await expect(vault.transact([{ name: "insert", params: ["taken", 1] }])).rejects.toMatchObject({
      code: "internal",
    });
    expect(fixture.bytes("log.1")).toEqual(before);
    expect(vault.readOnly).toBeNull();
    await vault.transact([put("after", 1)]);
  });

  test("stand in the order of their calls", async () => {
    const vault = await create();
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        vault.transact([put("last", index), { name: "note", params: [`${index}`, null] }]),
      ),
    );
    await vault.close();
    const again = await open();
    expect(itemsOf(again).get("last")).toBe(99);
    const texts = again.read("notes").map((row) => row["text"]);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`));
  });

  test("that wait together share one frame and one sync", async () => {
    const files = createFaultyFiles();
    const vault = await create({ files });
    await vault.transact([put("first", 0)]);
    const callsBefore = files.calls.length;
    await Promise.all(
      Array.from({ length: 32 }, (_, index) => vault.transact([put(`${index}`, index)])),
    );
    const calls = files.calls.slice(callsBefore).filter(({ name }) => name === "log.1");
    expect(calls.map(({ operation }) => operation)).toEqual(["write", "sync"]);
    expect(vault.sequence).toBe(33);
  });

  test("are never seen before they are on the disk, and always from then on", async () => {
    const files = createFaultyFiles();
    const vault = await create({ files });
    await vault.transact([put("a", 1)]);
    const sync = gate();
    files.beforeSync = () => sync.opened;
    let isDone = false;
    const first = vault.transact([put("a", 2), put("b", 2)]).then(() => (isDone = true));
    await settle();
    // Applied, sealed and written, but not synced.
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    expect(vault.sequence).toBe(1);
    expect(isDone).toBe(false);
    // What comes meanwhile waits for the next sync, and builds on what is under way.
    const second = vault.transact([put("c", 3), { name: "delete", params: ["b"] }]);
    await settle();
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    sync.release();
    await first;
    expect(itemsOf(vault).get("a")).toBe(2);
    await second;
    const expected = new Map([
      ["a", 2],
      ["c", 3],
    ]);
    expect(itemsOf(vault)).toEqual(expected);
    expect(vault.sequence).toBe(3);
    await vault.close();
    expect(itemsOf(await open())).toEqual(expected);
  });

  test("take copies: what the caller changes or wipes afterwards stays as it was", async () => {
    const vault = await create();
    const value = new Uint8Array([1, 2, 3]);
    const params = ["a", value];
    const done = vault.transact([{ name: "put", params }]);
    value.fill(0);
    params[0] = "b";
    await done;
    expect(itemsOf(vault)).toEqual(new Map([["a", new Uint8Array([1, 2, 3])]]));
  });

  test("without statements are nothing", async () => {
    const vault = await create();
    await vault.transact([]);
    expect(vault.sequence).toBe(0);
  });

  test.each([
    ["an unknown statement", { name: "nonsense", params: [] }],
    ["the name of a query", { name: "all", params: [] }],
    ["a name that every object has", { name: "constructor", params: [] }],
    ["too few parameters", { name: "put", params: ["a"] }],
    ["too many parameters", { name: "put", params: ["a", 1, 2] }],
    ["not a number", { name: "put", params: ["a", Number.NaN] }],
    ["infinity", { name: "put", params: ["a", Infinity] }],
    ["an integer that isn't exact", { name: "put", params: ["a", 2 ** 53] }],
    ["half a surrogate pair", { name: "put", params: ["a", "x\ud800"] }],
    ["a leading byte order mark", { name: "put", params: ["a", "\u{feff}x"] }],
    ["true", { name: "put", params: ["a", true as unknown as number] }],
    ["undefined", { name: "put", params: ["a", undefined as unknown as null] }],
    ["an object", { name: "put", params: ["a", {} as unknown as null] }],
    ["more than fits", { name: "put", params: ["a", new Uint8Array(33 * 1024 * 1024)] }],
  ])("with %s are refused", async (_title, statement) => {
    const vault = await create();
    await expect(vault.transact([statement])).rejects.toMatchObject({ code: "argument-invalid" });
    expect(vault.sequence).toBe(0);
  });
});

describe("reading", () => {
  test("gives rows by column name", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    expect(vault.read("get", ["a"])).toEqual([{ value: 1 }]);
    expect(vault.read("get", ["b"])).toEqual([]);
    expect(vault.read("count")).toEqual([{ count: 1 }]);
  });

  test.each([
    ["an unknown query", "nonsense", []],
    ["a statement", "put", ["a", 1]],
    ["too few parameters", "get", []],
    ["too many parameters", "all", [1]],
  ] as const)("with %s is refused", async (_title, query, params) => {
    const vault = await create();
    expect(() => vault.read(query, params)).toThrow(
      expect.objectContaining({ code: "argument-invalid" }) as Error,
    );
  });
});

describe("catalogues", () => {
  const withStatement = (sql: string): VaultCatalogue => ({
    ...testCatalogue,
    statements: { broken: sql },
  });

  test.each([
    ["random numbers", "INSERT INTO items VALUES (?1, random())"],
    ["the present time", "INSERT INTO items VALUES (?1, datetime('now'))"],
    ["the present time by default", "INSERT INTO items VALUES (?1, unixepoch())"],
    ["the present time by name", "INSERT INTO items VALUES (?1, CURRENT_TIMESTAMP)"],
    ["the end of a transaction", "INSERT OR ROLLBACK INTO items VALUES (?1, 1)"],
    ["settings", "PRAGMA user_version = 7"],
  ])("with %s in a statement are refused", async (_title, sql) => {
    await expect(fixture.create({ catalogue: withStatement(sql) })).rejects.toMatchObject({
      code: "internal",
      data: { reason: "catalogue", name: "broken" },
    });
  });

  test("with a query that writes are refused", async () => {
    for (const sql of ["DELETE FROM items", "WITH x AS (SELECT 1) DELETE FROM items"]) {
      await expect(
        fixture.create({ catalogue: { ...testCatalogue, queries: { bad: sql } } }),
      ).rejects.toMatchObject({ code: "internal", data: { name: "bad" } });
    }
    expect(await inspectVault(fixture.directory)).toEqual({ kind: "none" });
  });

  test("of a newer app replay an older app's log as it was written", async () => {
    const vault = await create();
    await vault.transact([put("a", 1), put("b", 2)]);
    await vault.close();
    const changed: VaultCatalogue = {
      ...testCatalogue,
      // The same names mean something else now, and some are gone.
      statements: { put: `DELETE FROM items WHERE id = ?1 AND value = ?2` },
    };
    const newer = await open({ catalogue: changed });
    expect([...itemsOf(newer).keys()]).toEqual(["a", "b"]);
    await newer.transact([put("a", 1)]);
    await newer.close();
    expect([...itemsOf(await open()).keys()]).toEqual(["b"]);
  });

  const upgraded: VaultCatalogue = {
    schemaVersion: 2,
    migrations: [
      ...testCatalogue.migrations,
      `ALTER TABLE notes ADD COLUMN mark INTEGER DEFAULT 5`,
    ],
    statements: testCatalogue.statements,
    queries: { ...testCatalogue.queries, marks: `SELECT mark FROM notes` },
  };

  test("with a newer schema bring the vault there, once, in a generation of its own", async () => {
    const vault = await create();
    await vault.transact([{ name: "note", params: ["x", null] }]);
    await vault.close();
    let newer = await open({ catalogue: upgraded });
    expect(fixture.names()).toEqual(["keyring", "lock", "log.2", "snapshot.2"]);
    expect(newer.sequence).toBe(1);
    await newer.transact([{ name: "note", params: ["y", null] }]);
    await newer.close();
    newer = await open({ catalogue: upgraded });
    expect(fixture.names()).toContain("log.2");
    expect(newer.read("marks")).toEqual([{ mark: 5 }, { mark: 5 }]);
  });

  test("with an older schema than the vault's are refused, and nothing is touched", async () => {
    const vault = await create({ catalogue: upgraded });
    await vault.close();
    const before = fixture.names().map((name) => [name, fixture.bytes(name)]);
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-newer-format" });
    expect(fixture.names().map((name) => [name, fixture.bytes(name)])).toEqual(before);
  });

  test("whose migration fails leave the vault as it was", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    const broken = { ...upgraded, migrations: [...testCatalogue.migrations, `DROP TABLE nothing`] };
    await expect(fixture.open({ catalogue: broken })).rejects.toThrow();
    expect(itemsOf(await open())).toEqual(new Map([["a", 1]]));
  });
});

describe("compaction", () => {
  test("leaves one new generation with the same content", async () => {
    const vault = await create();
    await vault.transact([put("a", new Uint8Array(300_000).fill(1))]);
    await vault.transact([put("b", 1), { name: "delete", params: ["a"] }]);
    await vault.compact();
    expect(fixture.names()).toEqual(["keyring", "lock", "log.2", "snapshot.2"]);
    expect(fixture.bytes("log.2")).toHaveLength(40);
    expect(vault.sequence).toBe(2);
    expect(itemsOf(vault)).toEqual(new Map([["b", 1]]));
    await vault.transact([put("c", 2)]);
    await vault.close();
    expect([...itemsOf(await open()).keys()]).toEqual(["b", "c"]);
  });

  test("comes by itself when the log has grown too long", async () => {
    const vault = await create({
      compaction: { logBytes: 20_000, minimumLogBytes: 20_000, snapshotRatio: 100 },
    });
    for (let index = 0; index < 30; index++) {
      await vault.transact([put(`${index}`, new Uint8Array(2_000))]);
      // As somebody would who types: time for a compaction that has begun.
      await compacted(vault);
    }
    await vault.close();
    expect(fixture.names()).toEqual(["keyring", "log.4", "snapshot.4"]);
    const again = await open();
    expect(itemsOf(again).size).toBe(30);
    expect(again.sequence).toBe(30);
  });

  test("comes by itself when the log is many times its snapshot", async () => {
    const vault = await create({
      compaction: { logBytes: 1e9, minimumLogBytes: 10_000, snapshotRatio: 2 },
    });
    for (let index = 0; index < 40; index++) {
      await vault.transact([put("same", new Uint8Array(2_000))]);
    }
    await compacted(vault);
    await vault.close();
    expect(fixture.names()).not.toContain("log.1");
    expect(itemsOf(await open()).size).toBe(1);
  });

  test("takes its turn between transactions that never stop", async () => {
    const vault = await create();
    const state = { isCompacted: false };
    let writes = 0;
    const writing = (async () => {
      while (!state.isCompacted) await vault.transact([put("n", (writes += 1))]);
    })();
    await vault.compact();
    state.isCompacted = true;
    await writing;
    expect(itemsOf(vault).get("n")).toBe(writes);
    expect(vault.sequence).toBe(writes);
  });

  test("several asked for at once are one", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await Promise.all([vault.compact(), vault.compact(), vault.compact()]);
    expect(fixture.names()).toContain("log.2");
  });
});

describe("the crypto worker", () => {
  test("has none of a vault's keys once it is closed", async () => {
    const vault = await create();
    const place = { generation: 1, sequence: 1, previousTag: new Uint8Array() };
    await sealFrame(worker, place, new Uint8Array(1));
    await vault.close();
    await expect(sealFrame(worker, place, new Uint8Array(1))).rejects.toMatchObject({
      code: "not-ready",
    });
  });

  test("that restarts has lost the keys: nothing is written until the vault is opened anew", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await worker.crash();
    await expect(vault.transact([put("b", 2)])).rejects.toMatchObject({ code: "worker-stopped" });
    await expect(vault.compact()).rejects.toMatchObject({ code: "worker-stopped" });
    expect(itemsOf(vault)).toEqual(new Map([["a", 1]]));
    expect(vault.readOnly).toBeNull();
    await vault.close();
    const again = await open();
    await again.transact([put("b", 2)]);
    expect(again.sequence).toBe(2);
  });

  test("that dies while a commit waits for its key leaves nothing of it, in memory or on the disk", async () => {
    const vault = await create();
    const before = fixture.bytes("log.1");
    const commit = vault.transact([put("a", 1)]);
    await Promise.resolve();
    await Promise.resolve();
    const crash = worker.crash();
    await expect(commit).rejects.toMatchObject({ code: "worker-stopped" });
    await crash;
    expect(itemsOf(vault)).toEqual(new Map());
    expect(fixture.bytes("log.1")).toEqual(before);
  });

  test("that dies takes the keys of frames along that are yet to be written", async () => {
    const call = worker.call.bind(worker);
    const given: FrameKey[] = [];
    vi.spyOn(worker, "call").mockImplementation(async (method, params) => {
      const result = await call(method, params);
      if ("frameKeys" in result) given.push(...result.frameKeys);
      return result;
    });
    const vault = await create();
    await vault.transact([put("a", 1)]);
    expect(given.filter(({ key }) => key.some((byte) => byte !== 0)).length).toBeGreaterThan(0);
    await worker.crash();
    expect(given.filter(({ key }) => key.some((byte) => byte !== 0))).toEqual([]);
    vi.restoreAllMocks();
    await vault.close();
  });

  test("that dies harms no commit that has its key", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    const commit = vault.transact([put("b", 2)]);
    await Promise.resolve();
    await Promise.resolve();
    const crash = worker.crash();
    await commit;
    await crash;
    await expect(vault.transact([put("c", 3)])).rejects.toMatchObject({ code: "worker-stopped" });
    await vault.close();
    expect(itemsOf(await open())).toEqual(
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );
  });

  test("that was locked refuses, and so does the vault", async () => {
    const vault = await create();
    await worker.call("vault.lock", {});
    await expect(vault.transact([put("a", 1)])).rejects.toMatchObject({ code: "not-ready" });
    expect(itemsOf(vault).size).toBe(0);
    expect(vault.sequence).toBe(0);
  });
});

describe("closing", () => {
  test("finishes what was asked for before, and refuses what comes after", async () => {
    const vault = await create();
    const before = vault.transact([put("a", 1)]);
    const closed = vault.close();
    await expect(vault.transact([put("b", 2)])).rejects.toMatchObject({ code: "not-ready" });
    await expect(vault.compact()).rejects.toMatchObject({ code: "not-ready" });
    expect(() => vault.read("all")).toThrow(
      expect.objectContaining({ code: "not-ready" }) as Error,
    );
    await Promise.all([before, closed, vault.close()]);
    expect(itemsOf(await open())).toEqual(new Map([["a", 1]]));
  });

  test.each([false, true])(
    "forgets at once while the disk hangs, and loses nothing that it acknowledges (compacting: %s)",
    async (isCompacting) => {
      const files = createFaultyFiles();
      const vault = await create({ files });
      await vault.transact([put("a", 1)]);
      const hanging = gate();
      files.beforeSync = () => hanging.opened;
      const under = isCompacting ? vault.compact() : vault.transact([put("b", 2)]);
      const outcome = under.then(
        () => "done",
        (error: unknown) => error,
      );
      await vi.waitFor(() => {
        expect(files.calls.at(-1)).toMatchObject({ operation: "write" });
      });
      const waiting = vault.transact([put("c", 3)]).catch((error: unknown) => error);
      const closing = vault.close();
      vault.forget();
      vault.forget();
      expect(() => vault.read("all")).toThrow(
        expect.objectContaining({ code: "not-ready" }) as Error,
      );
      hanging.release();
      expect(await waiting).toMatchObject({ code: "not-ready" });
      await closing;
      expect(await outcome).toEqual(
        isCompacting ? expect.objectContaining({ code: "not-ready" }) : "done",
      );
      expect(itemsOf(await open())).toEqual(
        new Map(
          isCompacting
            ? [["a", 1]]
            : [
                ["a", 1],
                ["b", 2],
              ],
        ),
      );
    },
  );

  test("marks the end once, however often nothing happens in between", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    const length = fixture.bytes("log.1").length;
    for (let round = 0; round < 3; round++) await (await fixture.open()).close();
    expect(fixture.bytes("log.1")).toHaveLength(length);
    expect(readFileSync(join(fixture.directory, "log.1")).length).toBeGreaterThan(40);
  });
});

describe("the disk", () => {
  test("gets a log that grows in steps, and ends with its last frame once it is closed", async () => {
    const vault = await create();
    expect(fixture.bytes("log.1")).toHaveLength(40);
    await vault.transact([put("a", 1)]);
    const grown = fixture.bytes("log.1").length;
    expect(grown).toBe(40 + 128 * 1024);
    await vault.transact([put("b", new Uint8Array(1000))]);
    expect(fixture.bytes("log.1")).toHaveLength(grown);
    await vault.transact([put("c", new Uint8Array(300_000))]);
    expect(fixture.bytes("log.1")).toHaveLength(40 + 3 * 128 * 1024);
    await vault.close();
    const closed = fixture.bytes("log.1");
    expect(closed.length).toBeLessThan(303_000);
    expect(closed.subarray(-16).some((byte) => byte !== 0)).toBe(true);
    expect(itemsOf(await open()).size).toBe(3);
  });

  test("is given the last frame once more at each start, before anything is built on it", async () => {
    const vault = await create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    // What was read may never have left the system's memory, and after a failed sync the system believes it written.
    const files = createFaultyFiles();
    await open({ files });
    const log = files.calls.filter(({ name }) => name === "log.1");
    expect(log.map(({ operation }) => operation)).toEqual([
      ...["read", "open", "sizeBytes", "write", "sync"],
    ]);
    const synced = files.calls.findIndex(({ operation }) => operation === "sync");
    expect(files.calls[synced + 1]).toEqual({ operation: "syncDirectory", name: "vault" });
  });

  test("that has no room to grow a log still takes what fits", async () => {
    const files = createFaultyFiles();
    const vault = await create({ files });
    let isFirst = true;
    files.decide = ({ operation, name }) => {
      if (operation !== "write" || name !== "log.1" || !isFirst) return null;
      isFirst = false;
      return { code: "ENOSPC", effect: "half" };
    };
    await vault.transact([put("a", 1)]);
    expect(vault.readOnly).toBeNull();
    await vault.transact([put("b", 2)]);
    await vault.close();
    expect(itemsOf(await open()).size).toBe(2);
  });

  test.runIf(process.platform === "linux")(
    "is asked to keep each write of a log before it returns",
    async () => {
      await create();
      const logs = readdirSync("/proc/self/fd").filter((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(fixture.root);
        } catch {
          return false;
        }
      });
      expect(logs).toHaveLength(1);
      const facts = readFileSync(`/proc/self/fdinfo/${logs[0]!}`, "utf8");
      const flags = Number.parseInt(/flags:\s+(\d+)/u.exec(facts)?.[1] ?? "", 8);
      expect(flags & constants.O_DSYNC).toBe(constants.O_DSYNC);
    },
  );
});
