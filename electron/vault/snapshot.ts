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

/*
 * A snapshot after its header is a row of chunks:   length 4 | sealed
 *
 * Sealed is: tag of the chunk before 16 (zeros in the first) | content. The content of chunk 0 is a description, of the others at most
 * 1 MiB of the database's image. The worker binds generation, index and end; the tags bind the chunks to each other, so that those of two
 * attempts at the same generation can't be mixed.
 */

const chunkBytes = 1024 * 1024;
const maxDescriptionBytes = 1024;
const noTag = new Uint8Array(tagBytes);

const descriptionSchema = v.strictObject({ sequence: countSchema, imageBytes: countSchema });

/** A database at a point of its vault's history. */
export interface Snapshot {
  readonly sequence: number;
  readonly image: Uint8Array;
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

/** Writes a snapshot into an empty file. Not yet synced. */
export async function writeSnapshot(
  file: VaultFile,
  place: SnapshotPlace,
  { sequence, image }: Snapshot,
): Promise<SnapshotFacts> {
  const { generation, vaultId, worker } = place;
  const header = encodeGenerationHeader("snapshot", vaultId, generation);
  await file.write(header, 0);
  let at = header.length;
  let tag: Uint8Array = noTag;
  const chunks = Math.ceil(image.length / chunkBytes);
  for (let index = 0; index <= chunks; index++) {
    const content =
      index === 0
        ? encodeCbor({ sequence, imageBytes: image.length })
        : image.subarray((index - 1) * chunkBytes, index * chunkBytes);
    const { sealed } = await worker.call("vault.sealSnapshotChunk", {
      generation,
      index,
      last: index === chunks,
      plain: concatBytes(tag, content),
    });
    const framed = concatBytes(uint32Bytes(sealed.length), sealed);
    await file.write(framed, at);
    at += framed.length;
    tag = tagOf(sealed);
  }
  return { tag, sizeBytes: at };
}

/** What {@link readSnapshot} gives. */
export interface SnapshotReading extends Snapshot, SnapshotFacts {
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
  const first = await openChunk(bytes, name, place, { at: generationHeaderBytes, index: 0 });
  const { sequence, imageBytes } = describe(first.content, name);
  const image = new Uint8Array(imageBytes);
  const chunks = Math.ceil(imageBytes / chunkBytes);
  let { endBytes, tag } = first;
  let filled = 0;
  for (let index = 1; index <= chunks; index++) {
    const chunk = await openChunk(bytes, name, place, { at: endBytes, index, previousTag: tag });
    if (filled + chunk.content.length > imageBytes) throw damagedChunk(name, index);
    image.set(chunk.content, filled);
    filled += chunk.content.length;
    ({ endBytes, tag } = chunk);
  }
  if (filled !== imageBytes || endBytes !== bytes.length) throw damagedChunk(name, chunks);
  return { sequence, image, tag, sizeBytes: bytes.length, isHeaderDamaged };
}

interface ChunkPlace {
  readonly at: number;
  readonly index: number;
  readonly previousTag?: Uint8Array;
}

interface OpenedChunk {
  readonly content: Uint8Array;
  readonly tag: Uint8Array;
  readonly endBytes: number;
}

async function openChunk(
  bytes: Uint8Array,
  name: string,
  { generation, worker }: SnapshotPlace,
  { at, index, previousTag = noTag }: ChunkPlace,
): Promise<OpenedChunk> {
  const begin = at + 4;
  const sizeBytes = begin <= bytes.length ? uint32At(bytes, at) : 0;
  const endBytes = begin + sizeBytes;
  if (sizeBytes < tagBytes || sizeBytes > maxSealedBytes || endBytes > bytes.length) {
    throw damagedChunk(name, index);
  }
  const sealed = bytes.subarray(begin, endBytes);
  let plain: Uint8Array;
  try {
    ({ plain } = await worker.call("vault.openSnapshotChunk", {
      generation,
      index,
      last: endBytes === bytes.length,
      sealed,
    }));
  } catch (error) {
    // Of a worker that stopped nothing can be said about the file.
    const isDamage = error instanceof AppError && error.code === "vault-damaged";
    throw isDamage ? damagedChunk(name, index) : error;
  }
  if (!equalBytes(plain.subarray(0, tagBytes), previousTag)) throw damagedChunk(name, index);
  return { content: plain.subarray(tagBytes), tag: tagOf(sealed), endBytes };
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
