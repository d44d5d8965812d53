import { beforeAll, describe, expect, test } from "vitest";
import {
  equalBytes,
  idFromBytes,
  suiteNames,
  type KeychainEntries,
  type KeyringRecord,
  type MessageId,
  type WorkerMethodName,
} from "#protocol";
import { ensure } from "../../../support/ensure.ts";
import {
  createInProcessWorker,
  createManualClock,
  type InProcessWorker,
} from "../../../support/in-process-worker.ts";
import { VaultKeys } from "../../../support/vault-keys.ts";
import { sealFrame } from "../../../support/seal-frame.ts";

const noTag = new Uint8Array(0);
const hourMs = 3_600_000;

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, place) => (place === at ? byte ^ 1 : byte));
}

async function unlockedWorker(): Promise<InProcessWorker> {
  return (await VaultKeys.create()).worker;
}

describe("the worker", () => {
  test("does nothing before its self-test", async () => {
    const worker = createInProcessWorker(createManualClock(0));
    await expect(worker.call("vault.keyringFacts", {})).rejects.toMatchObject({
      code: "not-ready",
    });
  });

  test("tells what it tested", async () => {
    const worker = createInProcessWorker(createManualClock(0));
    expect(await worker.call("start", {})).toEqual({
      libsodium: "1.0.22",
      tests: 23,
      suite: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
    });
  });

  test("stays shut when the self-test fails", async () => {
    const worker = createInProcessWorker(createManualClock(0), {
      selfTest: () => Promise.reject(new Error("wrong answer")),
    });
    await expect(worker.call("start", {})).rejects.toMatchObject({ code: "internal" });
    await expect(worker.call("vault.keyringFacts", {})).rejects.toMatchObject({
      code: "not-ready",
    });
  });

  test("refuses requests it doesn't know", async () => {
    const worker = await unlockedWorker();
    for (const name of ["vault.exportKey", "toString", "__proto__"]) {
      await expect(worker.call(name as WorkerMethodName, {})).rejects.toMatchObject({
        code: "command-unknown",
      });
    }
  });

  test("answers in the order of the requests, slow ones included", async () => {
    const { worker } = await VaultKeys.create({ passphrase: "four unrelated words" });
    const order: string[] = [];
    await Promise.all([
      worker
        .call("vault.checkPassphrase", { passphrase: "four unrelated words" })
        .then(() => order.push("slow")),
      worker.call("vault.keyringFacts", {}).then(() => order.push("fast")),
    ]);
    expect(order).toEqual(["slow", "fast"]);
  });
});

describe("locking", () => {
  test("leaves nothing that seals or opens", async () => {
    const worker = await unlockedWorker();
    await worker.call("vault.lock", {});
    const place = { generation: 1, sequence: 1, previousTag: noTag };
    for (const call of [
      () => sealFrame(worker, place, text("x")),
      () => worker.call("identity.create", {}),
      () =>
        worker.call("keyPackages.generate", {
          suite: suiteNames.default,
          count: 1,
          lastResort: false,
        }),
      () => worker.call("body.open", { items: [] }).then(() => worker.call("body.seal", bodies())),
      () => worker.call("vault.prepareKeyring", { changes: [] }),
      () => worker.call("vault.settleKeyring", { written: true }),
      () => worker.call("vault.keychainKeys", {}),
      () => worker.call("vault.compareKeychain", { entries: [null, null] }),
      () => worker.call("vault.keyringFacts", {}),
      () => worker.call("vault.checkPassphrase", { passphrase: "four unrelated words" }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "not-ready" });
    }
  });

  test("and unlocking again opens what was sealed before", async () => {
    const keys = await VaultKeys.create();
    const { worker } = keys;
    const place = { generation: 1, sequence: 1, previousTag: noTag };
    const sealed = await sealFrame(worker, place, text("kept"));
    await worker.call("vault.lock", {});
    await keys.unlock();
    const opened = await worker.call("vault.openFrames", {
      generation: 1,
      firstSequence: 1,
      previousTag: noTag,
      frames: [sealed],
    });
    expect(opened).toEqual({ plains: [text("kept")], damagedAt: null });
  });

  test("in the midst of an exchange goes back to what is on the disk", async () => {
    const keys = await VaultKeys.create();
    await keys.worker.call("vault.prepareKeyring", { changes: [] });
    await keys.worker.call("vault.lock", {});
    await keys.unlock();
    expect((await keys.worker.call("vault.keyringFacts", {})).revision).toBe(1);
  });
});

describe("frames", () => {
  async function sealedRun(worker: InProcessWorker, contents: readonly string[]) {
    const frames: Uint8Array[] = [];
    let previousTag: Uint8Array = noTag;
    for (const [at, content] of contents.entries()) {
      const place = { generation: 2, sequence: 10 + at, previousTag };
      const sealed = await sealFrame(worker, place, text(content));
      frames.push(sealed);
      previousTag = sealed.slice(-16);
    }
    return frames;
  }
  const run = { generation: 2, firstSequence: 10, previousTag: noTag };

  let worker: InProcessWorker;
  let frames: Uint8Array[];

  beforeAll(async () => {
    worker = await unlockedWorker();
    frames = await sealedRun(worker, ["one", "two", "three", "four"]);
  });

  test("open in order", async () => {
    const { plains, damagedAt } = await worker.call("vault.openFrames", { ...run, frames });
    expect(plains.map((plain) => new TextDecoder().decode(plain))).toEqual([
      "one",
      "two",
      "three",
      "four",
    ]);
    expect(damagedAt).toBeNull();
  });

  test("up to the first that is altered, dropped, repeated, moved or cut", async () => {
    const [one, two, three, four] = [0, 1, 2, 3].map((at) => ensure(frames[at])) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const damagedAt = async (damaged: readonly Uint8Array[]): Promise<number | null> =>
      (await worker.call("vault.openFrames", { ...run, frames: damaged })).damagedAt;
    for (let at = 0; at < two.length; at++) {
      expect(await damagedAt([one, flipped(two, at), three])).toBe(11);
    }
    expect(await damagedAt([one, three, four])).toBe(11);
    expect(await damagedAt([one, one, two])).toBe(11);
    expect(await damagedAt([two, one])).toBe(10);
    expect(await damagedAt([one, two.slice(0, -1)])).toBe(11);
    expect(await damagedAt([one, new Uint8Array(0)])).toBe(11);
  });

  test("don't open at another place, in another generation or another vault", async () => {
    const opens = async (place: Partial<typeof run>): Promise<boolean> =>
      (await worker.call("vault.openFrames", { ...run, ...place, frames: frames.slice(0, 1) }))
        .damagedAt === null;
    expect(await opens({})).toBe(true);
    expect(await opens({ generation: 1 })).toBe(false);
    expect(await opens({ generation: 3 })).toBe(false);
    expect(await opens({ firstSequence: 11 })).toBe(false);
    expect(await opens({ previousTag: new Uint8Array(16) })).toBe(false);
    const other = await unlockedWorker();
    const foreign = await other.call("vault.openFrames", { ...run, frames });
    expect(foreign).toEqual({ plains: [], damagedAt: 10 });
  });

  test("sealed twice at the same place don't repeat a nonce", async () => {
    const first = ensure((await sealedRun(worker, ["same"]))[0]);
    const second = ensure((await sealedRun(worker, ["same"]))[0]);
    expect(equalBytes(first.slice(0, 24), second.slice(0, 24))).toBe(false);
  });
});

describe("snapshots", () => {
  test("open chunk by chunk, and can't be cut short or put together differently", async () => {
    const worker = await unlockedWorker();
    const place = { generation: 2, index: 0, last: false };
    const { sealed } = await worker.call("vault.sealSnapshotChunk", {
      ...place,
      plain: text("chunk"),
    });
    expect(await worker.call("vault.openSnapshotChunk", { ...place, sealed })).toEqual({
      plain: text("chunk"),
    });
    for (const wrong of [{ generation: 1 }, { generation: 3 }, { index: 1 }, { last: true }]) {
      await expect(
        worker.call("vault.openSnapshotChunk", { ...place, ...wrong, sealed }),
      ).rejects.toMatchObject({ code: "vault-damaged" });
    }
  });
});

describe("generations", () => {
  const seal = (worker: InProcessWorker, generation: number) =>
    sealFrame(
      worker,
      { generation, sequence: 1, previousTag: noTag },
      text(`of ${String(generation)}`),
    );
  const opens = async (worker: InProcessWorker, generation: number, sealed: Uint8Array) =>
    (
      await worker.call("vault.openFrames", {
        generation,
        firstSequence: 1,
        previousTag: noTag,
        frames: [sealed],
      })
    ).damagedAt === null;

  test("have keys of their own: the present one's and the next one's, and no other", async () => {
    const keys = await VaultKeys.create();
    const { worker } = keys;
    const [first, second] = [await seal(worker, 1), await seal(worker, 2)];
    for (const generation of [0, 3]) {
      await expect(seal(worker, generation)).rejects.toMatchObject({ code: "argument-invalid" });
    }
    await keys.exchange([{ kind: "generation", current: 2 }]);
    expect((await worker.call("vault.keyringFacts", {})).generations).toEqual([2, 3]);
    expect(await opens(worker, 1, first)).toBe(false);
    expect(await opens(worker, 2, second)).toBe(true);
    await expect(seal(worker, 1)).rejects.toMatchObject({ code: "argument-invalid" });
    await keys.reopen();
    expect(await opens(keys.worker, 2, second)).toBe(true);
    const third = await seal(keys.worker, 3);
    expect(await opens(keys.worker, 3, third)).toBe(true);
  });

  test("stay when the exchange isn't written, or names the present one again", async () => {
    const keys = await VaultKeys.create();
    const { worker } = keys;
    const first = await seal(worker, 1);
    await worker.call("vault.prepareKeyring", { changes: [{ kind: "generation", current: 2 }] });
    expect(await opens(worker, 1, first)).toBe(true);
    await worker.call("vault.settleKeyring", { written: false });
    expect(await opens(worker, 1, first)).toBe(true);
    await keys.exchange([{ kind: "generation", current: 1 }]);
    expect(await opens(worker, 1, first)).toBe(true);
    for (const current of [0, 3]) {
      await expect(keys.exchange([{ kind: "generation", current }])).rejects.toMatchObject({
        code: "argument-invalid",
      });
    }
  });
});

const messageId = idFromBytes<MessageId>(new Uint8Array(32).fill(1));
const otherId = idFromBytes<MessageId>(new Uint8Array(32).fill(2));

function bodies() {
  return { items: [{ messageId, expiresAtMs: hourMs, leaf: 0, plain: text("x") }] };
}

describe("bodies", () => {
  test("open under their own message, hour and leaf only; the others open all the same", async () => {
    const worker = await unlockedWorker();
    const item = { messageId, expiresAtMs: 5 * hourMs + 17, leaf: 3 };
    const { sealed } = await worker.call("body.seal", {
      items: [
        { ...item, plain: text("hello") },
        { ...item, messageId: otherId, plain: text("edit") },
        { messageId: otherId, expiresAtMs: hourMs, leaf: 0, plain: text("other") },
      ],
    });
    const [mine, edit, other] = [ensure(sealed[0]), ensure(sealed[1]), ensure(sealed[2])];
    const { plains } = await worker.call("body.open", {
      items: [
        { ...item, sealed: mine },
        { ...item, messageId: otherId, sealed: edit },
        { ...item, messageId: otherId, sealed: mine },
        { ...item, expiresAtMs: 6 * hourMs, sealed: mine },
        { ...item, leaf: 4, sealed: mine },
        { ...item, leaf: -1, sealed: mine },
        { ...item, sealed: flipped(mine, 40) },
        { ...item, sealed: new Uint8Array(3) },
        { messageId: otherId, expiresAtMs: hourMs, leaf: 0, sealed: other },
      ],
    });
    expect(plains).toEqual([
      text("hello"),
      text("edit"),
      ...[null, null, null, null, null, null],
      text("other"),
    ]);
  });

  test("of a thousand in one bucket, one is destroyed and the others open, over restarts", async () => {
    const keys = await VaultKeys.create();
    const item = (leaf: number) => ({ messageId, expiresAtMs: 500_000 * hourMs, leaf });
    const items = Array.from({ length: 1000 }, (_, leaf) => item(leaf));
    const { sealed } = await keys.worker.call("body.seal", {
      items: items.map((place) => ({ ...place, plain: text(String(place.leaf)) })),
    });
    const readable = async (): Promise<readonly number[]> => {
      const { plains } = await keys.worker.call("body.open", {
        items: items.map((place, at) => ({ ...place, sealed: ensure(sealed[at]) })),
      });
      return plains.flatMap((plain, at) => (plain === null ? [] : [at]));
    };
    const all = items.map(({ leaf }) => leaf);
    expect(await readable()).toEqual(all);
    const leaves = [{ hour: 500_000, leaf: 417 }];
    const destroy = { kind: "destroy", leaves, hoursBefore: null } as const;

    await keys.worker.call("vault.prepareKeyring", { changes: [destroy] });
    expect(await readable()).toEqual(all);
    await keys.worker.call("vault.settleKeyring", { written: false });
    expect(await readable()).toEqual(all);

    const before = { record: keys.record, entries: keys.entries };
    await keys.exchange([destroy]);
    const rest = all.filter((leaf) => leaf !== 417);
    expect(await readable()).toEqual(rest);
    await expect(
      keys.worker.call("body.seal", { items: [{ ...item(417), plain: text("again") }] }),
    ).rejects.toMatchObject({ code: "not-found" });
    await keys.reopen();
    expect(await readable()).toEqual(rest);
    // The keyring from before, with the keychain from after.
    await expect(keys.reopen(before.record)).rejects.toMatchObject({ code: "vault-rolled-back" });
    await keys.reopen();

    await keys.exchange([{ kind: "destroy", leaves: [], hoursBefore: 500_000 }]);
    expect(await readable()).toEqual(rest);
    await keys.exchange([{ kind: "destroy", leaves: [], hoursBefore: 500_001 }]);
    expect(await readable()).toEqual([]);
    expect(await keys.worker.call("vault.keyringFacts", {})).toMatchObject({
      droppedBefore: 500_001,
    });
  });

  test("several changes of one exchange are all carried out", async () => {
    const keys = await VaultKeys.create();
    const leaf = (at: number) => ({ hour: 10, leaf: at });
    await keys.exchange([
      { kind: "destroy", leaves: [leaf(1)], hoursBefore: 5 },
      { kind: "destroy", leaves: [leaf(2)], hoursBefore: 3 },
      { kind: "destroy", leaves: [leaf(1)], hoursBefore: null },
    ]);
    const seal = (at: number) =>
      keys.worker.call("body.seal", {
        items: [{ messageId, expiresAtMs: 10 * hourMs, leaf: at, plain: text("x") }],
      });
    await expect(seal(1)).rejects.toMatchObject({ code: "not-found" });
    await expect(seal(2)).rejects.toMatchObject({ code: "not-found" });
    expect((await seal(3)).sealed).toHaveLength(1);
    expect(await keys.worker.call("vault.keyringFacts", {})).toMatchObject({ droppedBefore: 5 });
  });
});

describe("a keyring", () => {
  test("can be replaced again and again, each time under another key", async () => {
    const keys = await VaultKeys.create();
    const seen = new Set<string>();
    for (let time = 0; time < 5; time++) {
      for (const entry of keys.entries) seen.add(Buffer.from(ensure(entry)).toString("hex"));
      await keys.exchange([]);
    }
    expect(seen.size).toBe(6);
    expect(keys.record.revision).toBe(6);
    await keys.reopen();
    expect(await keys.worker.call("vault.keyringFacts", {})).toMatchObject({
      revision: 6,
      generations: [1, 2],
      nodes: 1,
      droppedBefore: 0,
      sealedBytes: keys.record.sealedKeyring.length,
    });
  });

  test("waits alone, and is settled once", async () => {
    const { worker } = await VaultKeys.create();
    const notReady = { code: "not-ready" };
    await expect(worker.call("vault.settleKeyring", { written: true })).rejects.toMatchObject(
      notReady,
    );
    await worker.call("vault.prepareKeyring", { changes: [] });
    await expect(worker.call("vault.prepareKeyring", { changes: [] })).rejects.toMatchObject(
      notReady,
    );
    await worker.call("vault.settleKeyring", { written: true });
    await expect(worker.call("vault.settleKeyring", { written: true })).rejects.toMatchObject(
      notReady,
    );
  });

  test("doesn't open when anything in it was changed", async () => {
    const keys = await VaultKeys.create({ passphrase: "four unrelated words" });
    const { record } = keys;
    const other = await VaultKeys.create({ passphrase: "four unrelated words" });
    const [keychain, passphrase] = [ensure(record.slots[0]), ensure(record.slots[1])];
    const changed: readonly [KeyringRecord, string][] = [
      [{ ...record, vaultId: other.record.vaultId }, "vault-key-wrong"],
      [{ ...record, sealedKeyring: flipped(record.sealedKeyring, 30) }, "vault-damaged"],
      [{ ...record, sealedKeyring: record.sealedKeyring.slice(0, 20) }, "vault-damaged"],
      [{ ...record, sealedKeyring: other.record.sealedKeyring }, "vault-damaged"],
      [{ ...record, slots: [keychain] }, "vault-damaged"],
      [{ ...record, slots: [passphrase, keychain] }, "vault-damaged"],
      [
        { ...record, slots: [{ ...keychain, path: "/elsewhere" } as never, passphrase] },
        "vault-damaged",
      ],
      [{ ...record, slots: [passphrase] }, "argument-invalid"],
      [{ ...record, revision: 3 }, "vault-damaged"],
    ];
    for (const [at, [damaged, code]] of changed.entries()) {
      const outcome = keys.worker.call("vault.unlock", {
        record: damaged,
        secret: { kind: "keychain", entries: keys.entries },
      });
      await expect(outcome, String(at)).rejects.toMatchObject({ code });
    }
  });

  test("doesn't hold the keys of its vault in clear", async () => {
    const keys = await VaultKeys.create();
    const bytes = Buffer.from(keys.record.sealedKeyring);
    for (const entry of keys.entries) {
      expect(bytes.includes(Buffer.from(ensure(entry).slice(6)))).toBe(false);
    }
  });

  test("isn't made without a slot", async () => {
    const worker = createInProcessWorker(createManualClock(0));
    await worker.call("start", {});
    await expect(
      worker.call("vault.create", { keychain: null, passphrase: null }),
    ).rejects.toMatchObject({ code: "argument-invalid" });
  });
});

describe("the keychain", () => {
  test("is told apart: emptied, foreign, behind, ahead", async () => {
    const keys = await VaultKeys.create();
    const [at1] = [keys.entries];
    const foreign = (await VaultKeys.create()).entries;
    await keys.exchange([]);
    await keys.exchange([]);
    const { record, entries } = keys;
    const [even, odd] = entries;
    const unlock = (held: KeychainEntries) =>
      keys.worker.call("vault.unlock", { record, secret: { kind: "keychain", entries: held } });
    for (const [held, code] of [
      [[null, null], "vault-key-missing"],
      [[even, null], "vault-key-missing"],
      [foreign, "vault-key-wrong"],
      [[even, flipped(ensure(odd), 20)], "vault-key-wrong"],
      [at1, "vault-key-wrong"],
    ] as const) {
      await expect(unlock(held)).rejects.toMatchObject({ code });
    }
    // Revision 3 lies in entry 1, the next one's key in entry 0: behind, when that one is missing, foreign or old.
    for (const [held, state] of [
      [[even, odd], "in-step"],
      [[null, odd], "behind"],
      [[foreign[0], odd], "behind"],
    ] as const) {
      await unlock(held);
      expect(await keys.worker.call("vault.compareKeychain", { entries: held })).toEqual({ state });
      const { keychainKeys } = await keys.worker.call("vault.keychainKeys", {});
      expect(keychainKeys[1]).toEqual(odd);
      expect(equalBytes(keychainKeys[0], ensure(even))).toBe(state === "in-step");
    }
  });

  test("that is ahead means a keyring from before, which another slot still opens", async () => {
    const passphrase = "four unrelated words";
    const keys = await VaultKeys.create({ passphrase });
    const { record, entries } = keys;
    await keys.exchange([]);
    await expect(keys.reopen(record)).rejects.toMatchObject({ code: "vault-rolled-back" });
    await keys.reopen(record, { kind: "passphrase", passphrase });
    const compare = (held: KeychainEntries) =>
      keys.worker.call("vault.compareKeychain", { entries: held });
    expect(await compare(keys.entries)).toEqual({ state: "ahead" });
    expect(await compare([keys.entries[0], null])).toEqual({ state: "behind" });
    expect(await compare([null, null])).toEqual({ state: "behind" });
    expect(await compare(entries)).toEqual({ state: "in-step" });
  });

  test("that holds another key of this very revision, and the one after, is ahead as well", async () => {
    const passphrase = "four unrelated words";
    const keys = await VaultKeys.create({ passphrase });
    const { record } = keys;
    await keys.exchange([]);
    const { entries } = keys;
    // The copy from before goes on without the keychain, and gets the same number.
    await keys.reopen(record, { kind: "passphrase", passphrase });
    await keys.exchange([]);
    const compare = (held: KeychainEntries) =>
      keys.worker.call("vault.compareKeychain", { entries: held });
    expect(await compare(entries)).toEqual({ state: "ahead" });
    // The next key alone, or another one alone, is what a failed write leaves.
    const present = keys.record.revision % 2;
    expect(await compare(present === 0 ? [entries[0], null] : [null, entries[1]])).toEqual({
      state: "behind",
    });
    expect(await compare(present === 0 ? [null, entries[1]] : [entries[0], null])).toEqual({
      state: "behind",
    });
  });

  test("in step with a vault that another slot opened gives it the next key", async () => {
    const passphrase = "four unrelated words";
    const keys = await VaultKeys.create({ passphrase });
    await keys.reopen(keys.record, { kind: "passphrase", passphrase });
    expect((await keys.worker.call("vault.keychainKeys", {})).keychainKeys).not.toEqual(
      keys.entries,
    );
    await keys.worker.call("vault.compareKeychain", { entries: keys.entries });
    expect((await keys.worker.call("vault.keychainKeys", {})).keychainKeys).toEqual(keys.entries);
    await keys.exchange([]);
    await keys.reopen();
  });
});
