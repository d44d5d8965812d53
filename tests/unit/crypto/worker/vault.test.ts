import { beforeAll, describe, expect, test } from "vitest";
import {
  equalBytes,
  idFromBytes,
  type MessageId,
  type VaultId,
  type WorkerMethodName,
} from "#protocol";
import { ensure } from "../../../support/ensure.ts";
import {
  createInProcessWorker,
  createManualClock,
  type InProcessWorker,
} from "../../../support/in-process-worker.ts";

const vaultId = idFromBytes<VaultId>(new Uint8Array(16).fill(1));
const otherVaultId = idFromBytes<VaultId>(new Uint8Array(16).fill(2));
const noTag = new Uint8Array(0);

async function startedWorker(): Promise<InProcessWorker> {
  const worker = createInProcessWorker(createManualClock(0));
  await worker.call("start", {});
  return worker;
}

async function unlockedWorker() {
  const worker = await startedWorker();
  const { vaultKey } = await worker.call("vault.generateKey", {});
  const { sealedKeyring } = await worker.call("vault.createKeyring", { vaultId, vaultKey });
  await worker.call("vault.unlock", { vaultId, vaultKey, sealedKeyring });
  return { worker, vaultKey, sealedKeyring };
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, place) => (place === at ? byte ^ 1 : byte));
}

describe("the worker", () => {
  test("does nothing before its self-test", async () => {
    const worker = createInProcessWorker(createManualClock(0));
    await expect(worker.call("vault.generateKey", {})).rejects.toMatchObject({ code: "not-ready" });
  });

  test("tells what it tested", async () => {
    const worker = createInProcessWorker(createManualClock(0));
    expect(await worker.call("start", {})).toEqual({
      libsodium: "1.0.22",
      tests: 17,
      suite: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
    });
  });

  test("stays shut when the self-test fails", async () => {
    const worker = createInProcessWorker(createManualClock(0), {
      selfTest: () => Promise.reject(new Error("wrong answer")),
    });
    await expect(worker.call("start", {})).rejects.toMatchObject({ code: "internal" });
    await expect(worker.call("vault.generateKey", {})).rejects.toMatchObject({ code: "not-ready" });
  });

  test("refuses requests it doesn't know", async () => {
    const worker = await startedWorker();
    for (const name of ["vault.exportKey", "toString", "__proto__"]) {
      await expect(worker.call(name as WorkerMethodName, {})).rejects.toMatchObject({
        code: "command-unknown",
      });
    }
  });

  test("answers in the order of the requests, slow ones included", async () => {
    const { worker, vaultKey } = await unlockedWorker();
    const order: string[] = [];
    await Promise.all([
      worker
        .call("slot.createPassphrase", { vaultId, vaultKey, passphrase: "four unrelated words" })
        .then(() => order.push("slow")),
      worker.call("vault.generateKey", {}).then(() => order.push("fast")),
    ]);
    expect(order).toEqual(["slow", "fast"]);
  });
});

describe("the keyring", () => {
  test("opens with its vault key and for its vault only", async () => {
    const { worker, vaultKey, sealedKeyring } = await unlockedWorker();
    const wrongKey = flipped(vaultKey, 3);
    for (const attempt of [
      { vaultId, vaultKey: wrongKey, sealedKeyring },
      { vaultId: otherVaultId, vaultKey, sealedKeyring },
      { vaultId, vaultKey, sealedKeyring: flipped(sealedKeyring, 30) },
      { vaultId, vaultKey, sealedKeyring: sealedKeyring.slice(0, 20) },
    ]) {
      await expect(worker.call("vault.unlock", attempt)).rejects.toMatchObject({
        code: "vault-key-wrong",
      });
    }
  });

  test("doesn't hold the vault key, and is another one each time", async () => {
    const { worker, vaultKey, sealedKeyring } = await unlockedWorker();
    const again = await worker.call("vault.createKeyring", { vaultId, vaultKey });
    expect(equalBytes(again.sealedKeyring, sealedKeyring)).toBe(false);
    expect(Buffer.from(sealedKeyring).includes(Buffer.from(vaultKey))).toBe(false);
  });

  test("a vault key must have its size", async () => {
    const worker = await startedWorker();
    await expect(
      worker.call("vault.createKeyring", { vaultId, vaultKey: new Uint8Array(31) }),
    ).rejects.toMatchObject({ code: "argument-invalid" });
  });

  test("a key check tells keys and vaults apart, and works while locked", async () => {
    const worker = await startedWorker();
    const { vaultKey } = await worker.call("vault.generateKey", {});
    const check = async (id: VaultId, key: Uint8Array): Promise<string> =>
      Buffer.from(
        (await worker.call("vault.keyCheck", { vaultId: id, vaultKey: key })).keyCheck,
      ).toString("hex");
    const first = await check(vaultId, vaultKey);
    expect(first).toHaveLength(32);
    expect(await check(vaultId, vaultKey)).toBe(first);
    expect(await check(otherVaultId, vaultKey)).not.toBe(first);
    expect(await check(vaultId, flipped(vaultKey, 0))).not.toBe(first);
  });
});

describe("locking", () => {
  test("leaves nothing that seals or opens", async () => {
    const { worker } = await unlockedWorker();
    await worker.call("vault.lock", {});
    const locked = { code: "not-ready" };
    const frame = { generation: 1, sequence: 1, previousTag: noTag };
    await expect(
      worker.call("vault.sealFrame", { ...frame, plain: text("x") }),
    ).rejects.toMatchObject(locked);
    await expect(worker.call("identity.create", {})).rejects.toMatchObject(locked);
    await expect(
      worker.call("keyPackages.generate", { count: 1, lastResort: false }),
    ).rejects.toMatchObject(locked);
    await expect(
      worker.call("session.sign", { challenge: new Uint8Array(32), vaultSequence: 0 }),
    ).rejects.toMatchObject(locked);
  });

  test("and unlocking again opens what was sealed before", async () => {
    const { worker, vaultKey, sealedKeyring } = await unlockedWorker();
    const place = { generation: 1, sequence: 1, previousTag: noTag };
    const { sealed } = await worker.call("vault.sealFrame", { ...place, plain: text("kept") });
    await worker.call("vault.lock", {});
    await worker.call("vault.unlock", { vaultId, vaultKey, sealedKeyring });
    const opened = await worker.call("vault.openFrames", {
      generation: 1,
      firstSequence: 1,
      previousTag: noTag,
      frames: [sealed],
    });
    expect(opened).toEqual({ plains: [text("kept")], damagedAt: null });
  });
});

describe("frames", () => {
  async function sealedRun(worker: InProcessWorker, contents: readonly string[]) {
    const frames: Uint8Array[] = [];
    let previousTag: Uint8Array = noTag;
    for (const [at, content] of contents.entries()) {
      const place = { generation: 4, sequence: 10 + at, previousTag };
      const { sealed } = await worker.call("vault.sealFrame", { ...place, plain: text(content) });
      frames.push(sealed);
      previousTag = sealed.slice(-16);
    }
    return frames;
  }
  const run = { generation: 4, firstSequence: 10, previousTag: noTag };

  let worker: InProcessWorker;
  let frames: readonly Uint8Array[];
  beforeAll(async () => {
    ({ worker } = await unlockedWorker());
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
    expect(await opens({ generation: 5 })).toBe(false);
    expect(await opens({ firstSequence: 11 })).toBe(false);
    expect(await opens({ previousTag: new Uint8Array(16) })).toBe(false);
    const other = await unlockedWorker();
    const foreign = await other.worker.call("vault.openFrames", { ...run, frames });
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
    const { worker } = await unlockedWorker();
    const place = { generation: 2, index: 0, last: false };
    const { sealed } = await worker.call("vault.sealSnapshotChunk", {
      ...place,
      plain: text("chunk"),
    });
    expect(await worker.call("vault.openSnapshotChunk", { ...place, sealed })).toEqual({
      plain: text("chunk"),
    });
    for (const wrong of [{ generation: 3 }, { index: 1 }, { last: true }]) {
      await expect(
        worker.call("vault.openSnapshotChunk", { ...place, ...wrong, sealed }),
      ).rejects.toMatchObject({ code: "vault-damaged" });
    }
  });
});

describe("bodies", () => {
  const messageId = idFromBytes<MessageId>(new Uint8Array(32).fill(1));
  const otherId = idFromBytes<MessageId>(new Uint8Array(32).fill(2));
  const hourMs = 3_600_000;

  test("open under their own message and hour only; the others open all the same", async () => {
    const { worker } = await unlockedWorker();
    const item = { messageId, expiresAtMs: 5 * hourMs + 17 };
    const { sealed } = await worker.call("body.seal", {
      items: [
        { ...item, plain: text("hello") },
        { messageId: otherId, expiresAtMs: hourMs, plain: text("other") },
      ],
    });
    const [mine, other] = [ensure(sealed[0]), ensure(sealed[1])];
    const { plains } = await worker.call("body.open", {
      items: [
        { ...item, sealed: mine },
        { ...item, messageId: otherId, sealed: mine },
        { messageId, expiresAtMs: 6 * hourMs, sealed: mine },
        { ...item, sealed: flipped(mine, 40) },
        { ...item, sealed: new Uint8Array(3) },
        { messageId: otherId, expiresAtMs: hourMs, sealed: other },
      ],
    });
    expect(plains).toEqual([text("hello"), null, null, null, null, text("other")]);
  });
});

describe("passphrase slots", () => {
  const passphrase = "correct horse battery staple";

  test("give the vault key back for the passphrase, however its characters are composed", async () => {
    const { worker, vaultKey } = await unlockedWorker();
    const { slot } = await worker.call("slot.createPassphrase", {
      vaultId,
      vaultKey,
      passphrase: "caf\u00e9 au lait und mehr",
    });
    const opened = await worker.call("slot.openPassphrase", {
      vaultId,
      slot,
      passphrase: "cafe\u0301 au lait und mehr",
    });
    expect(opened.vaultKey).toEqual(vaultKey);
  });

  test("open for nothing else", async () => {
    const { worker, vaultKey } = await unlockedWorker();
    const { slot } = await worker.call("slot.createPassphrase", { vaultId, vaultKey, passphrase });
    const attempts = [
      { vaultId, slot, passphrase: `${passphrase} ` },
      { vaultId, slot, passphrase: "" },
      { vaultId: otherVaultId, slot, passphrase },
      { vaultId, slot: { ...slot, passes: slot.passes + 1 }, passphrase },
      { vaultId, slot: { ...slot, passes: 1_000_000 }, passphrase },
      { vaultId, slot: { ...slot, memoryBytes: 2 ** 40 }, passphrase },
      { vaultId, slot: { ...slot, salt: new Uint8Array(3) }, passphrase },
      { vaultId, slot: { ...slot, sealedVaultKey: flipped(slot.sealedVaultKey, 30) }, passphrase },
    ];
    for (const attempt of attempts) {
      await expect(worker.call("slot.openPassphrase", attempt)).rejects.toMatchObject({
        code: "passphrase-wrong",
      });
    }
  });

  test.each(["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababababab"])(
    "aren't made for the weak passphrase %j",
    async (weak) => {
      const { worker, vaultKey } = await unlockedWorker();
      await expect(
        worker.call("slot.createPassphrase", { vaultId, vaultKey, passphrase: weak }),
      ).rejects.toMatchObject({ code: "passphrase-weak" });
    },
  );
});
