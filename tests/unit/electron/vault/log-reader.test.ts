import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { concatBytes, type VaultId } from "#protocol";
import { encodeFrame, tagOf } from "../../../../electron/vault/frames.ts";
import { encodeGenerationHeader } from "../../../../electron/vault/headers.ts";
import { readLog, type LogReading } from "../../../../electron/vault/log-reader.ts";
import { ensure } from "../../../support/ensure.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import { somePlace } from "../../../support/vault-keys.ts";
import { sealFrame } from "../../../support/seal-frame.ts";

vi.setConfig({ testTimeout: 120_000 });

const generation = 1;
const vaultId = "AAAAAAAAAAAAAAAAAAAAAA" as VaultId;

let worker: InlineCryptoWorker;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
  const keychain = somePlace;
  const { record, keychainKeys } = await worker.call("vault.create", {
    keychain,
    passphrase: null,
  });
  const entries = ensure(keychainKeys);
  await worker.call("vault.unlock", { record, secret: { kind: "keychain", entries } });
});
afterAll(() => worker.dispose());

interface Log {
  readonly bytes: Uint8Array;
  /** Where each frame begins, and where the last one ends. */
  readonly edges: readonly number[];
  readonly frames: readonly Uint8Array[];
}

async function writeLog(plains: readonly Uint8Array[]): Promise<Log> {
  const header = encodeGenerationHeader("log", vaultId, generation);
  const frames: Uint8Array[] = [];
  const edges = [header.length];
  let previousTag: Uint8Array = new Uint8Array();
  for (const [index, plain] of plains.entries()) {
    const sealed = await sealFrame(worker, { generation, sequence: index + 1, previousTag }, plain);
    frames.push(encodeFrame(index + 1, sealed));
    edges.push(edges.at(-1)! + frames.at(-1)!.length);
    previousTag = tagOf(sealed);
  }
  return { bytes: concatBytes(header, ...frames), edges, frames };
}

async function read(bytes: Uint8Array): Promise<LogReading & { readonly plains: Uint8Array[] }> {
  const plains: Uint8Array[] = [];
  const reading = await readLog({ bytes, generation, worker }, (plain) => {
    plains.push(plain);
    return true;
  });
  return { ...reading, plains };
}

const plains = [
  new Uint8Array([1, 2, 3]),
  new Uint8Array(),
  new Uint8Array(50).fill(4),
  new Uint8Array(9).fill(5),
];

function changed(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= mask;
  return copy;
}

describe("a log", () => {
  test("gives back what was written, however long", async () => {
    for (const count of [0, 1, 4, 511, 512, 513, 1025]) {
      const written = Array.from({ length: count }, (_, index) =>
        new Uint8Array(index % 40).fill(index),
      );
      const log = await writeLog(written);
      const reading = await read(log.bytes);
      expect(reading).toMatchObject({
        frames: count,
        endBytes: log.bytes.length,
        isDamaged: false,
      });
      expect(reading.plains).toEqual(written);
    }
  });

  test("with any bit changed gives what came before and says so; only in the last frame it may take it for a torn tail", async () => {
    const log = await writeLog(plains);
    const lastAt = log.edges[3]!;
    for (let at = log.edges[0]!; at < log.bytes.length; at++) {
      const frame = log.edges.findLastIndex((edge) => edge <= at);
      const reading = await read(changed(log.bytes, at, 1 << (at % 8)));
      expect(reading.plains, `byte ${at}`).toEqual(plains.slice(0, frame));
      expect(reading.endBytes).toBe(log.edges[frame]);
      if (at < lastAt) expect(reading.isDamaged, `byte ${at}`).toBe(true);
    }
  });

  test("cut at any length gives its whole frames, and the rest is a torn tail", async () => {
    const log = await writeLog(plains);
    for (let length = log.edges[0]!; length < log.bytes.length; length++) {
      const reading = await read(log.bytes.subarray(0, length));
      const whole = log.edges.findLastIndex((edge) => edge <= length);
      expect(reading).toMatchObject({
        frames: whole,
        endBytes: log.edges[whole],
        isDamaged: false,
      });
    }
  });

  test("whose last frame lost any part of it to zeros ends before that frame", async () => {
    const log = await writeLog(plains);
    const begin = log.edges[3]!;
    for (let from = begin; from < log.bytes.length; from++) {
      for (const to of [from + 1, log.bytes.length]) {
        const torn = Uint8Array.from(log.bytes).fill(0, from, to);
        const isWhole = torn.every((byte, index) => byte === log.bytes[index]);
        const reading = await read(torn);
        expect(reading).toMatchObject({ frames: isWhole ? 4 : 3, isDamaged: false });
      }
    }
  });

  test("that grew by zeros after its last frame has a torn tail", async () => {
    const log = await writeLog(plains);
    for (const zeros of [1, 7, 8, 9, 100, 5000]) {
      const reading = await read(concatBytes(log.bytes, new Uint8Array(zeros)));
      expect(reading).toMatchObject({ frames: 4, endBytes: log.bytes.length, isDamaged: false });
    }
  });

  test.each([
    ["lost a frame in the middle", [0, 2, 3], 1],
    ["lost the last but one", [0, 1, 3], 2],
    ["lost its first", [1, 2, 3], 0],
    ["has two in the wrong order", [0, 2, 1, 3], 1],
    ["has its last two in the wrong order", [0, 1, 3, 2], 2],
    ["has one twice", [0, 1, 1, 2, 3], 2],
    ["has its last twice", [0, 1, 2, 3, 3], 4],
    ["goes back to its first", [0, 1, 2, 3, 0], 4],
  ] as const)("that %s is damaged there", async (_title, order, readable) => {
    const log = await writeLog(plains);
    const header = log.bytes.subarray(0, log.edges[0]);
    const reading = await read(concatBytes(header, ...order.map((index) => log.frames[index]!)));
    expect(reading.plains).toEqual(plains.slice(0, readable));
    expect(reading.isDamaged).toBe(true);
  });

  test("of another generation opens nothing", async () => {
    const log = await writeLog(plains);
    const taken: Uint8Array[] = [];
    const reading = await readLog(
      { bytes: log.bytes, generation: generation + 1, worker },
      (plain) => taken.push(plain) > 0,
    );
    expect(taken).toEqual([]);
    expect(reading).toMatchObject({ frames: 0 });
  });

  test("is damaged where what opens makes no sense", async () => {
    const log = await writeLog(plains);
    let count = 0;
    const reading = await readLog({ bytes: log.bytes, generation, worker }, () => (count += 1) < 3);
    expect(reading).toMatchObject({ frames: 2, endBytes: log.edges[2], isDamaged: true });
  });

  test("never gives anything but a prefix of what was written, whatever happened to it", async () => {
    const mutation = fc.oneof(
      fc.record({
        kind: fc.constant("flip" as const),
        at: fc.nat(),
        mask: fc.integer({ min: 1, max: 255 }),
      }),
      fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
      fc.record({
        kind: fc.constant("zero" as const),
        at: fc.nat(),
        size: fc.integer({ min: 1, max: 600 }),
      }),
      fc.record({
        kind: fc.constant("insert" as const),
        at: fc.nat(),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
      }),
      fc.record({
        kind: fc.constant("remove" as const),
        at: fc.nat(),
        size: fc.integer({ min: 1, max: 64 }),
      }),
      fc.record({ kind: fc.constant("repeat" as const), from: fc.nat(), to: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 12 }),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async (written, mutations) => {
          const log = await writeLog(written);
          const begin = log.edges[0]!;
          let bytes = Uint8Array.from(log.bytes);
          for (const step of mutations) {
            const place = (seed: number) => begin + (seed % Math.max(1, bytes.length - begin));
            switch (step.kind) {
              case "flip":
                if (place(step.at) < bytes.length) {
                  bytes = changed(bytes, place(step.at), step.mask) as typeof bytes;
                }
                break;
              case "cut":
                bytes = bytes.slice(0, place(step.at));
                break;
              case "zero":
                bytes.fill(0, place(step.at), place(step.at) + step.size);
                break;
              case "insert":
                bytes = concatBytes(
                  bytes.subarray(0, place(step.at)),
                  step.bytes,
                  bytes.subarray(place(step.at)),
                ) as typeof bytes;
                break;
              case "remove":
                bytes = concatBytes(
                  bytes.subarray(0, place(step.at)),
                  bytes.subarray(place(step.at) + step.size),
                ) as typeof bytes;
                break;
              case "repeat":
                bytes = concatBytes(
                  bytes,
                  bytes.subarray(place(step.from), place(step.to)),
                ) as typeof bytes;
                break;
            }
          }
          const reading = await read(bytes);
          expect(reading.plains).toEqual(written.slice(0, reading.frames));
          // The bytes that were read are the ones that were written.
          expect(reading.endBytes).toBe(log.edges[reading.frames]);
          expect(bytes.subarray(0, reading.endBytes)).toEqual(
            log.bytes.subarray(0, reading.endBytes),
          );
          // A frame that is whole behind the end was acknowledged: that is damage, and never cut off.
          const later = log.frames.slice(reading.frames + 1);
          const holdsLater = later.some((frame, index) => {
            const previous = log.frames[reading.frames + index]!;
            const both = Buffer.from(concatBytes(previous.subarray(-16), frame));
            return Buffer.from(bytes.subarray(reading.endBytes)).includes(both);
          });
          if (holdsLater) expect(reading.isDamaged).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});
