import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { damageEverywhere } from "../../../crash/damage.ts";
import { swapFiles } from "../../../crash/swaps.ts";
import type { Vault } from "../../../../electron/vault/index.ts";
import { frameAt, frameEnd } from "../../../../electron/vault/frames.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import {
  createVaultFixture,
  itemsOf,
  put,
  type VaultFixture,
} from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const ids = ["a", "b", "c", "d"];

let worker: InlineCryptoWorker;
let fixture: VaultFixture;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(() => worker.dispose());
/** Two generations old: a in the snapshot, b, c and d in the log, closed in good order. */
beforeEach(async () => {
  fixture = createVaultFixture(worker);
  const vault = await fixture.create();
  await vault.transact([put("a", "in the snapshot")]);
  await vault.compact();
  for (const id of ["b", "c", "d"]) await vault.transact([put(id, `${id} in the log`)]);
  await vault.close();
});
afterEach(() => {
  fixture.remove();
});

const path = (name: string) => join(fixture.directory, name);

function contents(): unknown {
  return readdirSync(fixture.directory)
    .sort()
    .map((name) => [name, readFileSync(path(name)).toString("hex")]);
}

function change(name: string, at: number, mask = 1): void {
  const bytes = readFileSync(path(name));
  bytes[at]! ^= mask;
  writeFileSync(path(name), bytes);
}

/** Opens, looks and closes, and expects that this changed nothing on the disk. */
async function look<Result>(seen: (vault: Vault) => Result | Promise<Result>): Promise<Result> {
  const before = contents();
  const vault = await fixture.open();
  const result = await seen(vault);
  await vault.close();
  expect(contents()).toEqual(before);
  return result;
}

/** Where each frame of the log begins, and where the last one ends. */
function edges(): number[] {
  const bytes = fixture.bytes("log.2");
  const found = [40];
  for (let frame = frameAt(bytes, 40); frame !== null; frame = frameAt(bytes, found.at(-1)!)) {
    found.push(frameEnd(frame));
  }
  return found;
}

describe("a damaged log", () => {
  test("opens read-only up to the damage, names file and frame, and is left as it is", async () => {
    const [, second = 0] = edges();
    change("log.2", second + 20);
    await look(async (vault) => {
      expect(vault).toMatchObject({
        readOnly: "vault-damaged",
        damage: { file: "log.2", frame: 2 },
        sequence: 2,
      });
      expect([...itemsOf(vault).keys()]).toEqual(["a", "b"]);
      await expect(vault.transact([put("x", 1)])).rejects.toMatchObject({
        code: "vault-read-only",
        data: { reason: "vault-damaged", file: "log.2", frame: 2 },
      });
      await expect(vault.compact()).rejects.toMatchObject({ code: "vault-read-only" });
    });
  });

  test("with a bit changed anywhere is never wrong, never empty, and never cut off, but for the mark at its end", async () => {
    const whole = fixture.bytes("log.2");
    const frames = edges();
    const markAt = frames.at(-2)!;
    for (let at = 0; at < whole.length; at += at < 60 || at > markAt - 20 ? 1 : 7) {
      change("log.2", at, 1 << (at % 8));
      if (at >= markAt) {
        // The mark carries nothing. What can't be a torn one is damage behind all that there is.
        const vault = await fixture.open();
        expect([...itemsOf(vault).keys()]).toEqual(ids);
        expect([null, "vault-damaged"]).toContain(vault.readOnly);
        await vault.close();
      } else {
        const frame = frames.findLastIndex((edge) => edge <= at) + 1;
        await look((vault) => {
          // A damaged header hides nothing: what it says is known without it.
          const readable = frame === 0 ? ids : ids.slice(0, frame);
          expect([...itemsOf(vault).keys()], `byte ${at}`).toEqual(readable);
          expect(vault.damage).toEqual({ file: "log.2", frame });
        });
      }
      writeFileSync(path("log.2"), whole);
    }
  });

  test("cut at any frame's edge or inside one opens up to there, and a torn tail is cut off", async () => {
    const whole = fixture.bytes("log.2");
    const frames = edges();
    for (const [count, edge] of frames.entries()) {
      for (const length of [edge, edge + 1, edge + 30].filter((size) => size <= whole.length)) {
        writeFileSync(path("log.2"), whole.subarray(0, length));
        const vault = await fixture.open();
        expect(vault.readOnly).toBeNull();
        expect([...itemsOf(vault).keys()]).toEqual(ids.slice(0, count + 1));
        await vault.transact([put("more", count)]);
        await vault.close();
        const again = await fixture.open();
        expect(itemsOf(again).get("more")).toBe(count);
        await again.close();
      }
    }
  });

  test("whose torn tail was longer than what came after it holds no trace of that tail", async () => {
    const before = await fixture.open();
    await before.transact([put("long", new Uint8Array(300_000).fill(1))]);
    await before.close();
    const [, end = 0] = edges().slice(-3);
    writeFileSync(path("log.2"), fixture.bytes("log.2").subarray(0, end - 10));
    const vault = await fixture.open();
    await vault.transact([put("short", 1)]);
    // As after a crash: nothing was closed.
    const copy = fixture.copy("crashed");
    await vault.close();
    const again = await fixture.open({ directory: copy });
    expect(again.readOnly).toBeNull();
    expect([...itemsOf(again).keys()]).toEqual([...ids, "short"]);
    await again.close();
  });

  test("cut inside its header, or empty, is damage", async () => {
    const whole = fixture.bytes("log.2");
    for (const length of [0, 1, 15, 39]) {
      writeFileSync(path("log.2"), whole.subarray(0, length));
      await look((vault) => {
        expect(vault.damage).toEqual({ file: "log.2", frame: 0 });
        expect([...itemsOf(vault).keys()]).toEqual(["a"]);
      });
    }
  });

  test("that is gone is damage, and what its snapshot holds is shown", async () => {
    rmSync(path("log.2"));
    await look((vault) => {
      expect(vault).toMatchObject({ damage: { file: "log.2", frame: 0 } });
      expect([...itemsOf(vault).keys()]).toEqual(["a"]);
    });
  });

  test("that can't be read is no empty one", async () => {
    rmSync(path("log.2"));
    mkdirSync(path("log.2"));
    await expect(fixture.open()).rejects.toMatchObject({
      code: "vault-damaged",
      data: { file: "log.2", reason: "EISDIR" },
    });
  });
});

describe("a damaged snapshot", () => {
  test("with a bit changed in its header still shows everything, read-only", async () => {
    const whole = fixture.bytes("snapshot.2");
    for (let at = 0; at < 40; at++) {
      change("snapshot.2", at, 1 << (at % 8));
      await look((vault) => {
        expect(vault.damage).toEqual({ file: "snapshot.2", frame: 0 });
        expect([...itemsOf(vault).keys()]).toEqual(ids);
      });
      writeFileSync(path("snapshot.2"), whole);
    }
  });

  test("with a bit changed or a part missing elsewhere opens nothing, and changes nothing", async () => {
    const whole = fixture.bytes("snapshot.2");
    const refused = async (frame: number) => {
      const before = contents();
      await expect(fixture.open()).rejects.toMatchObject({
        code: "vault-damaged",
        data: { file: "snapshot.2", frame },
      });
      expect(contents()).toEqual(before);
    };
    const secondChunk = 40 + 4 + Buffer.from(whole).readUInt32BE(40);
    for (let at = 40; at < whole.length; at += at < secondChunk + 60 ? 3 : 997) {
      change("snapshot.2", at, 1 << (at % 8));
      await refused(at < secondChunk ? 0 : 1);
      writeFileSync(path("snapshot.2"), whole);
    }
    for (const length of [0, 39, 40, 43, 60, secondChunk, secondChunk + 3, whole.length - 1]) {
      writeFileSync(path("snapshot.2"), whole.subarray(0, length));
      await refused(length < secondChunk ? 0 : length === secondChunk ? 0 : 1);
    }
    writeFileSync(path("snapshot.2"), Buffer.concat([whole, Buffer.alloc(1)]));
    await refused(1);
    rmSync(path("snapshot.2"));
    await refused(0);
  });
});

describe("any byte of a vault of 1 MB", () => {
  test("that is flipped is noticed, and every length that a file is cut to is noticed or a torn tail", async () => {
    // Some of them; each byte and length in `npm run test:crash`.
    const result = await damageEverywhere({
      worker: createSealingWorker(),
      stride: 499,
      openings: 40,
    });
    expect(result.vaultBytes).toBeGreaterThan(1_000_000);
    expect(result.flips).toBeGreaterThan(5_000);
  });
});

describe("files in the wrong place", () => {
  test("of other generations, lives and vaults never make a vault together", async () => {
    const { mixtures, shown } = await swapFiles(createSealingWorker());
    expect(mixtures).toBe(7 ** 3 - 7);
    expect(shown).toBeGreaterThan(0);
  });

  test("of another generation are not believed", async () => {
    const other = fixture.copy("earlier");
    const vault = await fixture.open();
    await vault.transact([put("e", 1)]);
    await vault.compact();
    await vault.transact([put("f", 1)]);
    await vault.close();

    cpSync(join(other, "log.2"), path("log.3"));
    await look((opened) => {
      expect(opened.damage).toEqual({ file: "log.3", frame: 0 });
      expect([...itemsOf(opened).keys()]).toEqual([...ids, "e"]);
    });
    cpSync(join(other, "snapshot.2"), path("snapshot.3"));
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-damaged" });
  });

  test("of another vault are not believed", async () => {
    const other = createVaultFixture(worker);
    const foreign = await other.create();
    await foreign.transact([put("foreign", 1)]);
    await foreign.compact();
    await foreign.transact([put("foreign", 2)]);
    await foreign.close();
    expect(other.names()).toEqual(["keyring", "log.2", "snapshot.2"]);

    writeFileSync(path("log.2"), other.bytes("log.2"));
    await look((vault) => {
      expect(vault.damage).toEqual({ file: "log.2", frame: 0 });
      expect([...itemsOf(vault).keys()]).toEqual(["a"]);
    });
    writeFileSync(path("snapshot.2"), other.bytes("snapshot.2"));
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-damaged" });
    other.remove();
  });

  test("left by a compaction that was cut short are removed, and the vault is the one before", async () => {
    const before = await fixture.open();
    await before.compact();
    const snapshot = fixture.bytes("snapshot.3");
    await before.close();
    fixture.remove();
    fixture = createVaultFixture(worker);
    const vault = await fixture.create();
    await vault.transact([put("a", 1)]);
    await vault.close();
    writeFileSync(path("snapshot.2"), snapshot);
    writeFileSync(path("snapshot.2.new"), "half");
    writeFileSync(path("log.2.new"), "half");
    writeFileSync(path("keyring.new"), "half");
    writeFileSync(path("a file of somebody else"), "stays");
    const again = await fixture.open();
    expect(itemsOf(again)).toEqual(new Map([["a", 1]]));
    await again.close();
    expect(fixture.names()).toEqual(["a file of somebody else", "keyring", "log.1", "snapshot.1"]);
  });

  test("left by a compaction whose end was cut short are removed", async () => {
    const earlier = fixture.copy("earlier");
    const vault = await fixture.open();
    await vault.compact();
    await vault.close();
    for (const name of ["log.2", "snapshot.2"]) cpSync(join(earlier, name), path(name));
    const again = await fixture.open();
    expect([...itemsOf(again).keys()]).toEqual(ids);
    await again.close();
    expect(fixture.names()).toEqual(["keyring", "log.3", "snapshot.3"]);
  });

  test("all gone but the keyring are no empty vault", async () => {
    rmSync(path("log.2"));
    rmSync(path("snapshot.2"));
    await expect(fixture.open()).rejects.toMatchObject({ code: "vault-damaged" });
    await expect(fixture.create()).rejects.toMatchObject({ code: "vault-exists" });
  });
});

describe("a newer format", () => {
  test.each(["log.2", "snapshot.2"])("of %s is refused, and nothing is touched", async (name) => {
    const file = readFileSync(path(name));
    file.writeUInt32BE(7, 8);
    file.writeUInt32BE(crc32(file.subarray(0, 12)), 12);
    writeFileSync(path(name), file);
    const before = contents();
    await expect(fixture.open()).rejects.toMatchObject({
      code: "vault-newer-format",
      data: { version: 7, known: 1 },
    });
    expect(contents()).toEqual(before);
  });
});

test("a vault that was moved to another directory opens there", async () => {
  const moved = join(fixture.root, "moved");
  renameSync(fixture.directory, moved);
  const vault = await fixture.open({ directory: moved });
  expect([...itemsOf(vault).keys()]).toEqual(ids);
  await vault.close();
});
