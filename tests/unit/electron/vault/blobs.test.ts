import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError, idFromBytes, type BlobId } from "#protocol";
import { createBlobs } from "../../../../electron/vault/blobs.ts";
import { nodeFiles } from "../../../../electron/vault/index.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";

let directory: string;
let refused: AppError | null;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sotto-blobs-"));
  refused = null;
});
afterEach(() => rm(directory, { recursive: true }));

const idOf = (n: number): BlobId => idFromBytes<BlobId>(new Uint8Array(16).fill(n));
const blobsOn = (files = nodeFiles) => createBlobs(files, directory, () => refused);

async function put(n: number, bytes: Uint8Array): Promise<void> {
  const file = await blobsOn().create(idOf(n));
  await file.write(bytes, 0);
  await file.sync();
  await file.close();
}

test("come back as they were written, piece by piece", async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251);
  await put(1, bytes);
  const file = await blobsOn().open(idOf(1));
  expect(await file.sizeBytes()).toBe(bytes.length);
  const piece = new Uint8Array(1000);
  expect(await file.read(piece, 70_000)).toBe(1000);
  expect(piece).toEqual(bytes.subarray(70_000, 71_000));
  await file.close();
});

test("are never written over", async () => {
  await put(1, new Uint8Array(10));
  await expect(blobsOn().create(idOf(1))).rejects.toMatchObject({ code: "vault-write-failed" });
});

test("are removed, and what isn't there is no failure", async () => {
  for (const n of [1, 2, 3]) await put(n, new Uint8Array(10));
  await blobsOn().remove([idOf(1), idOf(3), idOf(9)]);
  expect(await readdir(directory)).toEqual([`blob.${idOf(2)}`]);
});

test("one that can't be removed is said, and keeps no other from going", async () => {
  for (const n of [1, 2, 3]) await put(n, new Uint8Array(10));
  const files = createFaultyFiles();
  files.decide = ({ operation, name }) =>
    operation === "remove" && name === `blob.${idOf(2)}` ? { code: "EPERM" } : null;
  const removing = blobsOn(files).remove([idOf(1), idOf(2), idOf(3)]);
  await expect(removing).rejects.toMatchObject({ code: "vault-write-failed" });
  expect(await readdir(directory)).toEqual([`blob.${idOf(2)}`]);
});

test("stay as they are in a vault that can't be written", async () => {
  await put(1, new Uint8Array(10));
  refused = new AppError("vault-read-only");
  await expect(blobsOn().create(idOf(2))).rejects.toMatchObject({ code: "vault-read-only" });
  await expect(blobsOn().remove([idOf(1)])).rejects.toMatchObject({ code: "vault-read-only" });
  expect(await readdir(directory)).toEqual([`blob.${idOf(1)}`]);
});
