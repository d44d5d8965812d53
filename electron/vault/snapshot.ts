import { crc32 } from "node:zlib";
import * as v from "valibot";
import {
  AppError,
  concatBytes,
  countSchema,
  decodeCbor,
  encodeCbor,
  equalBytes,
  parse,
  type CryptoWorker,
  type VaultId,
} from "#protocol";
import type { VaultFile } from "./files.ts";
import { maxSealedBytes, tagBytes, tagOf } from "./frames.ts";
import {
  checkGenerationHeader,
  encodeGenerationHeader,
  generationHeaderBytes,
  uint32At,
  uint32Bytes,
} from "./headers.ts";
import { MemoryFile, type FileImage } from "./memory-file.ts";

/*
 * A snapshot after its header is a row of chunks:   length 4 | sealed
 *
 * Sealed is: tag of the chunk before 16 (zeros in the first) | content. The content of chunk 0 is a description, of the others a piece of
 * the database's image, at most 1 MiB; this app writes less at once, since what comes to the worker meanwhile waits for one chunk. The worker binds generation, index and end; the tags bind the chunks to each other, so that those of two
 * attempts at the same generation can't be mixed.
 */

const chunkBytes = 256 * 1024;
const maxChunkBytes = 1024 * 1024;
/** So much is left to the system at most: what waits for the disk when a commit syncs its own few bytes is what that commit waits for. */
const unsyncedBytes = 512 * 1024;
/** Chunks that the worker has at once, so that neither side waits for the other. */
const chunksAtOnce = 8;
const maxDescriptionBytes = 1024;
const noTag = new Uint8Array(tagBytes);

const descriptionSchema = v.strictObject({ sequence: countSchema, imageBytes: countSchema });

/** A database at a point of its vault's history. */
export interface Snapshot {
  readonly sequence: number;
  readonly image: FileImage;
}

/** Which vault and generation a snapshot belongs to, and what seals it. */
export interface SnapshotPlace {
  readonly vaultId: VaultId;
  readonly generation: number;
  readonly worker: CryptoWorker;
}

/** What a log must know of the snapshot it continues. */
export interface SnapshotFacts {
  /** Of its last chunk: names this very snapshot. */
  readonly tag: Uint8Array;
  readonly sizeBytes: number;
}

/** What {@link writeSnapshot} wrote. */
export interface WrittenSnapshot extends SnapshotFacts {
  /** CRC-32 of the file. */
  readonly checksum: number;
}

/**
 * Writes a snapshot into an empty file, in small steps: what comes to the worker or the disk meanwhile waits for one of them at most. Its end is not yet
 * synced.
 *
 * @param checkpoint - called before each step; stops the writing by throwing
 */
export async function writeSnapshot(
  file: VaultFile,
  place: SnapshotPlace,
  { sequence, image }: Snapshot,
  checkpoint: () => void = () => undefined,
): Promise<WrittenSnapshot> {
  const { generation, vaultId, worker } = place;
  const chunks = Math.ceil(image.sizeBytes / chunkBytes);
  // One for all chunks, and nothing of a chunk is kept: megabytes that wait for the garbage collector make it stop the world.
  const room = new Uint8Array(tagBytes + chunkBytes);
  let at = 0;
  let checksum = 0;
  let syncedBytes = 0;
  let tag: Uint8Array = noTag;
  const plainOf = (index: number) => {
    const description = encodeCbor({ sequence, imageBytes: image.sizeBytes });
    if (index === 0) return concatBytes(tag, description);
    const position = (index - 1) * chunkBytes;
    const plain = room.subarray(0, tagBytes + Math.min(chunkBytes, image.sizeBytes - position));
    plain.set(tag);
    image.read(position, plain.subarray(tagBytes));
    return plain;
  };
  const write = async (bytes: Uint8Array) => {
    await file.write(bytes, at);
    at += bytes.length;
    checksum = crc32(bytes, checksum);
  };
  await write(encodeGenerationHeader("snapshot", vaultId, generation));
  for (let index = 0; index <= chunks; index++) {
    checkpoint();
    const request = { generation, index, last: index === chunks, plain: plainOf(index) };
    const { sealed } = await worker.call("vault.sealSnapshotChunk", request);
    await write(uint32Bytes(sealed.length));
    await write(sealed);
    tag = tagOf(sealed);
    release(sealed);
    if (at - syncedBytes >= unsyncedBytes) {
      await file.sync();
      syncedBytes = at;
    }
  }
  return { tag, sizeBytes: at, checksum };
}

/** Gives back the memory of bytes that nobody uses any more. */
function release({ buffer, byteLength }: Uint8Array): void {
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isAlone) buffer.transfer(0);
}

/** What {@link readSnapshot} gives. */
export interface SnapshotReading extends SnapshotFacts {
  readonly sequence: number;
  readonly image: MemoryFile;
  /** Whether the header alone is damaged: what it says is known without it. */
  readonly isHeaderDamaged: boolean;
}

/** @throws AppError `vault-newer-format`, or `vault-damaged` with the chunk that can't be believed */
export async function readSnapshot(
  bytes: Uint8Array,
  name: string,
  place: SnapshotPlace,
): Promise<SnapshotReading> {
  const { vaultId, generation } = place;
  const isHeaderDamaged = !checkGenerationHeader(bytes, { kind: "snapshot", vaultId, generation });
  const opened = openChunks(bytes, name, place);
  const next = async (index: number) => {
    const { value } = await opened.next();
    if (value === undefined) throw damagedChunk(name, index);
    return value;
  };
  let last = await next(0);
  const { sequence, imageBytes } = describe(last.content, name);
  const image = new MemoryFile();
  while (image.sizeBytes < imageBytes) {
    last = await next(last.index + 1);
    const { length } = last.content;
    const isPossible =
      length > 0 && length <= maxChunkBytes && image.sizeBytes + length <= imageBytes;
    if (!isPossible) throw damagedChunk(name, last.index);
    image.adopt(last.content);
  }
  if (last.endBytes !== bytes.length) throw damagedChunk(name, last.index);
  return { sequence, image, tag: tagOf(last.sealed), sizeBytes: bytes.length, isHeaderDamaged };
}

/** A chunk as it lies in a file. */
interface SealedChunk {
  readonly sealed: Uint8Array;
  readonly index: number;
  readonly endBytes: number;
  readonly previousTag: Uint8Array;
}

interface OpenedChunk extends SealedChunk {
  readonly content: Uint8Array;
}

/** Opens a snapshot's chunks in order, some of them ahead of the one that is asked for. */
async function* openChunks(
  bytes: Uint8Array,
  name: string,
  place: SnapshotPlace,
): AsyncGenerator<OpenedChunk, undefined> {
  const ahead: Promise<OpenedChunk>[] = [];
  for (const chunk of sealedChunks(bytes)) {
    const opening = openChunk(chunk, name, { ...place, last: chunk.endBytes === bytes.length });
    // Heard of when it is its turn, if that ever comes.
    opening.catch(() => undefined);
    ahead.push(opening);
    const first = ahead.length === chunksAtOnce ? ahead.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const opening of ahead) yield await opening;
}

/** The chunks of a file, up to its end or to what can't be one. */
function* sealedChunks(bytes: Uint8Array): Generator<SealedChunk> {
  let previousTag: Uint8Array = noTag;
  let at = generationHeaderBytes;
  for (let index = 0; at + 4 <= bytes.length; index++) {
    const begin = at + 4;
    const endBytes = begin + uint32At(bytes, at);
    const sizeBytes = endBytes - begin;
    if (sizeBytes < tagBytes || sizeBytes > maxSealedBytes || endBytes > bytes.length) return;
    const sealed = bytes.subarray(begin, endBytes);
    yield { sealed, index, endBytes, previousTag };
    previousTag = tagOf(sealed);
    at = endBytes;
  }
}

async function openChunk(
  chunk: SealedChunk,
  name: string,
  { generation, last, worker }: SnapshotPlace & { readonly last: boolean },
): Promise<OpenedChunk> {
  const { index, sealed } = chunk;
  let plain: Uint8Array;
  try {
    ({ plain } = await worker.call("vault.openSnapshotChunk", { generation, index, last, sealed }));
  } catch (error) {
    // Of a worker that stopped nothing can be said about the file.
    const isDamage = error instanceof AppError && error.code === "vault-damaged";
    throw isDamage ? damagedChunk(name, index) : error;
  }
  if (!equalBytes(plain.subarray(0, tagBytes), chunk.previousTag)) throw damagedChunk(name, index);
  return { ...chunk, content: plain.subarray(tagBytes) };
}

function describe(content: Uint8Array, name: string): v.InferOutput<typeof descriptionSchema> {
  try {
    return parse(descriptionSchema, decodeCbor(content, maxDescriptionBytes));
  } catch {
    throw damagedChunk(name, 0);
  }
}

function damagedChunk(name: string, index: number): AppError {
  return new AppError("vault-damaged", { data: { file: name, frame: index } });
}
