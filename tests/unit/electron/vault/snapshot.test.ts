import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { concatBytes, type VaultId } from "#protocol";
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
const vaultId = "AAAAAAAAAAAAAAAAAAAAAA" as VaultId;

let worker: InlineCryptoWorker;
let place: SnapshotPlace;
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
  const { vaultKey } = await worker.call("vault.generateKey", {});
  const { sealedKeyring } = await worker.call("vault.createKeyring", { vaultId, vaultKey });
  await worker.call("vault.unlock", { vaultId, vaultKey, sealedKeyring });
  place = { vaultId, generation: 2, worker };
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
    writeDurably: unused,
    sizeBytes: unused,
    sync: unused,
    truncate: unused,
    close: unused,
  };
}

async function write(image: Uint8Array, sequence = 7): Promise<Uint8Array> {
  const file = memoryFile();
  const { sizeBytes } = await writeSnapshot(file, place, { sequence, image });
  expect(file.bytes()).toHaveLength(sizeBytes);
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
  test.each([0, 1, 4096, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte])(
    "of %i bytes comes back whole",
    async (size) => {
      const image = new Uint8Array(size).map((_, index) => index % 251);
      const file = await write(image);
      expect(chunksOf(file)).toHaveLength(2 + Math.ceil(size / mebibyte));
      const reading = await readSnapshot(file, "snapshot.2", place);
      expect(reading).toMatchObject({
        sequence: 7,
        isHeaderDamaged: false,
        sizeBytes: file.length,
      });
      expect(Buffer.from(reading.image).equals(image)).toBe(true);
      expect(reading.tag).toEqual(file.subarray(-16));
    },
  );

  test("takes no chunk of another attempt at the same generation, though it opens", async () => {
    const ours = chunksOf(await write(new Uint8Array(3 * mebibyte).fill(1)));
    const other = chunksOf(await write(new Uint8Array(3 * mebibyte).fill(2)));
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
    const chunks = chunksOf(await write(new Uint8Array(2 * mebibyte + 5).fill(3)));
    const file = concatBytes(...change(chunks));
    await expect(readSnapshot(file, "snapshot.2", place)).rejects.toMatchObject({
      code: "vault-damaged",
    });
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
