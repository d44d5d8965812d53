import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { concatBytes, encodeCbor } from "#protocol";
import { uint32Bytes } from "../../../../electron/vault/headers.ts";
import { MemoryFile } from "../../../../electron/vault/memory-file.ts";
import type { VaultFile } from "../../../../electron/vault/index.ts";
import {
  readSnapshot,
  writeSnapshot,
  type SnapshotPlace,
} from "../../../../electron/vault/snapshot.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";

vi.setConfig({ testTimeout: 60_000 });

const mebibyte = 1024 * 1024;
/** What is written at once. */
const chunk = mebibyte / 4;

let worker: InlineCryptoWorker;
let place: SnapshotPlace;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
  const passphrase = "for a snapshot alone";
  const { record } = await worker.call("vault.create", { keychain: null, passphrase });
  await worker.call("vault.unlock", { record, secret: { kind: "passphrase", passphrase } });
  place = { vaultId: record.vaultId, generation: 2, worker };
});
afterAll(() => worker.dispose());

/** A file that is written from its beginning to its end. */
function memoryFile(): VaultFile & { readonly bytes: () => Uint8Array } {
  const parts: Uint8Array[] = [];
  const unused = () => Promise.reject(new Error("not used here"));
  return {
    bytes: () => concatBytes(...parts),
    write(bytes) {
      parts.push(Uint8Array.from(bytes));
      return Promise.resolve();
    },
    sync: () => Promise.resolve(),
    read: unused,
    writeDurably: unused,
    sizeBytes: unused,
    truncate: unused,
    close: unused,
  };
}

function fileOf(content: Uint8Array): MemoryFile {
  const file = new MemoryFile();
  file.write(content, 0, content.length, 0);
  return file;
}

function contentOf(file: MemoryFile): Buffer {
  const content = Buffer.alloc(file.sizeBytes);
  file.read(content, 0, content.length, 0);
  return content;
}

async function write(content: Uint8Array, sequence = 7): Promise<Uint8Array> {
  const file = memoryFile();
  const snapshot = { sequence, image: fileOf(content).image() };
  const { checksum, sizeBytes } = await writeSnapshot(file, place, snapshot);
  expect(file.bytes()).toHaveLength(sizeBytes);
  expect(crc32(file.bytes())).toBe(checksum);
  return file.bytes();
}

/** Header, and each chunk with its length before it. */
function chunksOf(file: Uint8Array): Uint8Array[] {
  const view = Buffer.from(file);
  const found = [file.subarray(0, 40)];
  for (let at = 40; at < file.length; at += found.at(-1)!.length) {
    found.push(file.subarray(at, at + 4 + view.readUInt32BE(at)));
  }
  return found;
}

describe("a snapshot", () => {
  test.each([0, 1, 4096, chunk - 1, chunk, chunk + 1, 3 * mebibyte])(
    "of %i bytes comes back whole",
    async (size) => {
      const image = new Uint8Array(size).map((_, index) => index % 251);
      const file = await write(image);
      expect(chunksOf(file)).toHaveLength(2 + Math.ceil(size / chunk));
      const reading = await readSnapshot(file, "snapshot.2", place);
      expect(reading).toMatchObject({
        sequence: 7,
        isHeaderDamaged: false,
        sizeBytes: file.length,
      });
      expect(contentOf(reading.image).equals(image)).toBe(true);
      expect(reading.tag).toEqual(file.subarray(-16));
    },
  );

  test("takes no chunk of another attempt at the same generation, though it opens", async () => {
    const ours = chunksOf(await write(new Uint8Array(3 * chunk).fill(1)));
    const other = chunksOf(await write(new Uint8Array(3 * chunk).fill(2)));
    for (let index = 1; index < ours.length; index++) {
      const mixed = concatBytes(...ours.with(index, other[index]!));
      await expect(readSnapshot(mixed, "snapshot.2", place)).rejects.toMatchObject({
        code: "vault-damaged",
        // Another description is noticed by the chunk that follows it.
        data: { file: "snapshot.2", frame: Math.max(1, index - 1) },
      });
    }
  });

  test.each([
    ["without its last chunk", (chunks: Uint8Array[]) => chunks.slice(0, -1)],
    ["without one in the middle", (chunks: Uint8Array[]) => chunks.toSpliced(2, 1)],
    ["with one twice", (chunks: Uint8Array[]) => chunks.toSpliced(2, 0, chunks[2]!)],
    [
      "with two in the wrong order",
      (chunks: Uint8Array[]) => chunks.with(2, chunks[3]!).with(3, chunks[2]!),
    ],
    ["with one more behind its end", (chunks: Uint8Array[]) => [...chunks, chunks.at(-1)!]],
    ["of nothing but a description", (chunks: Uint8Array[]) => chunks.slice(0, 2)],
  ])("%s is damaged", async (_title, change) => {
    const chunks = chunksOf(await write(new Uint8Array(2 * chunk + 5).fill(3)));
    const file = concatBytes(...change(chunks));
    await expect(readSnapshot(file, "snapshot.2", place)).rejects.toMatchObject({
      code: "vault-damaged",
    });
  });

  test("in chunks of a mebibyte, as they were written once, is read as well", async () => {
    const content = new Uint8Array(2 * mebibyte + 5).map((_, index) => index % 249);
    const [header, , ...small] = chunksOf(await write(content));
    const parts = [encodeCbor({ sequence: 7, imageBytes: content.length })];
    for (let at = 0; at < content.length; at += mebibyte) {
      parts.push(content.subarray(at, at + mebibyte));
    }
    expect(small.length).toBeGreaterThan(parts.length);
    const file = [header!];
    let tag: Uint8Array = new Uint8Array(16);
    for (const [index, part] of parts.entries()) {
      const last = index === parts.length - 1;
      const request = { generation: 2, index, last, plain: concatBytes(tag, part) };
      const { sealed } = await worker.call("vault.sealSnapshotChunk", request);
      file.push(uint32Bytes(sealed.length), sealed);
      tag = sealed.slice(-16);
    }
    const reading = await readSnapshot(concatBytes(...file), "snapshot.2", place);
    expect(contentOf(reading.image).equals(content)).toBe(true);
  });

  test("stops being written when nobody wants it any more", async () => {
    const image = fileOf(new Uint8Array(10 * chunk)).image();
    let steps = 0;
    const writing = writeSnapshot(memoryFile(), place, { sequence: 7, image }, () => {
      steps += 1;
      if (steps === 4) throw new Error("enough");
    });
    await expect(writing).rejects.toThrow("enough");
  });

  test("says nothing about the file when the worker has stopped", async () => {
    const file = await write(new Uint8Array(10));
    const lost: SnapshotPlace = {
      ...place,
      worker: { ...worker, call: () => Promise.reject(new Error("stopped")) },
    };
    await expect(readSnapshot(file, "snapshot.2", lost)).rejects.toThrow("stopped");
  });
});
