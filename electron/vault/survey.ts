import { join } from "node:path";
import { AppError, type ErrorCode, type VaultId } from "#protocol";
import { fileErrorCode } from "./file-errors.ts";
import type { VaultFiles } from "./files.ts";
import { frameAt, frameEnd } from "./frames.ts";
import { checkGenerationHeader, generationHeaderBytes, uint32At } from "./headers.ts";
import { readKeyring } from "./inspect-vault.ts";
import { slotFacts } from "./keyring.ts";
import { keyringName, lockName, logName, snapshotName, sortNames } from "./names.ts";
import { nodeFiles } from "./node-files.ts";
import type { SlotFacts } from "./types.ts";

/** All that can be told of a vault's directory without a key. Never content. */
export interface VaultSurvey {
  readonly directory: string;
  readonly keyring: KeyringSurvey;
  /** The latest first. */
  readonly generations: readonly GenerationSurvey[];
  readonly otherFiles: readonly FileSurvey[];
  readonly isInUse: boolean;
}

export type KeyringSurvey =
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly code: ErrorCode }
  | {
      readonly kind: "readable";
      readonly vaultId: VaultId;
      readonly bytes: number;
      readonly sealedBytes: number;
      readonly revision: number;
      readonly slots: readonly SlotFacts[];
    };

/** A snapshot and the log that continues it. */
export interface GenerationSurvey {
  readonly generation: number;
  /** Whether the vault is at this one; the others are left over, or not finished. */
  readonly isPresent: boolean;
  readonly snapshot: PartsSurvey | null;
  readonly log: PartsSurvey | null;
}

/** A file of sealed parts: a log's frames, or a snapshot's chunks. By their lengths alone: whether they open, only the key tells. */
export interface PartsSurvey extends FileSurvey {
  readonly header: "whole" | "damaged" | "unknown" | ErrorCode;
  readonly parts: number;
  readonly partBytes: number;
  readonly longestBytes: number;
  /** What comes behind the last part; a log grows by zeros. */
  readonly rest: { readonly bytes: number; readonly isZero: boolean };
}

/** A file. */
export interface FileSurvey {
  readonly name: string;
  /** null: it can't be read. */
  readonly bytes: number | null;
}

/**
 * Looks at everything in a vault's directory, and changes nothing.
 *
 * @throws AppError `vault-missing` when there is no such directory
 */
export async function surveyVault(
  directory: string,
  files: VaultFiles = nodeFiles,
): Promise<VaultSurvey> {
  const names = await listNames(files, directory);
  const { logs, snapshots } = sortNames(names);
  const keyring = await surveyKeyring(files, directory);
  const vaultId = keyring.kind === "readable" ? keyring.vaultId : null;
  const present = logs.at(-1) ?? snapshots.at(-1);
  const generations: GenerationSurvey[] = [];
  for (const generation of [...new Set([...logs, ...snapshots])].sort((a, b) => b - a)) {
    const survey = (kind: "log" | "snapshot") =>
      surveyParts(files, directory, { kind, vaultId, generation });
    generations.push({
      generation,
      isPresent: generation === present,
      snapshot: snapshots.includes(generation) ? await survey("snapshot") : null,
      log: logs.includes(generation) ? await survey("log") : null,
    });
  }
  const known = new Set([
    keyringName,
    lockName,
    ...logs.map(logName),
    ...snapshots.map(snapshotName),
  ]);
  const otherFiles: FileSurvey[] = [];
  for (const name of names.filter((candidate) => !known.has(candidate)).sort()) {
    const bytes = (await readOrNull(files, join(directory, name)))?.length ?? null;
    otherFiles.push({ name, bytes });
  }
  return { directory, keyring, generations, otherFiles, isInUse: names.includes(lockName) };
}

async function listNames(files: VaultFiles, directory: string): Promise<readonly string[]> {
  try {
    return await files.list(directory);
  } catch (cause) {
    const reason = fileErrorCode(cause) ?? "unknown";
    throw new AppError("vault-missing", { cause, data: { reason } });
  }
}

async function surveyKeyring(files: VaultFiles, directory: string): Promise<KeyringSurvey> {
  try {
    const { vaultId, revision, slots, sealedKeyring } = await readKeyring(files, directory);
    const file = await files.read(join(directory, keyringName));
    return {
      kind: "readable",
      vaultId,
      bytes: file.length,
      sealedBytes: sealedKeyring.length,
      revision,
      slots: slots.map(slotFacts),
    };
  } catch (error) {
    const code = error instanceof AppError ? error.code : "vault-damaged";
    return code === "vault-missing" ? { kind: "none" } : { kind: "unreadable", code };
  }
}

interface PartsPlace {
  readonly kind: "log" | "snapshot";
  readonly vaultId: VaultId | null;
  readonly generation: number;
}

async function surveyParts(
  files: VaultFiles,
  directory: string,
  place: PartsPlace,
): Promise<PartsSurvey> {
  const name = place.kind === "log" ? logName(place.generation) : snapshotName(place.generation);
  const file = await readOrNull(files, join(directory, name));
  const found = partsOf(place.kind, file ?? new Uint8Array());
  return {
    name,
    bytes: file?.length ?? null,
    header: file === null ? "unknown" : headerOf(file, place),
    ...found,
  };
}

function headerOf(file: Uint8Array, { kind, vaultId, generation }: PartsPlace) {
  if (vaultId === null) return "unknown";
  try {
    return checkGenerationHeader(file, { kind, vaultId, generation }) ? "whole" : "damaged";
  } catch (error) {
    return error instanceof AppError ? error.code : "unknown";
  }
}

function partsOf(kind: PartsPlace["kind"], file: Uint8Array) {
  const sizes: number[] = [];
  let end = Math.min(generationHeaderBytes, file.length);
  for (let next = partAt(kind, file, end); next !== null; next = partAt(kind, file, end)) {
    sizes.push(next.sealedBytes);
    ({ end } = next);
  }
  const rest = file.subarray(end);
  return {
    parts: sizes.length,
    partBytes: sizes.reduce((sum, size) => sum + size, 0),
    longestBytes: sizes.reduce((longest, size) => Math.max(longest, size), 0),
    rest: { bytes: rest.length, isZero: rest.every((byte) => byte === 0) },
  };
}

function partAt(kind: PartsPlace["kind"], file: Uint8Array, at: number) {
  if (kind === "log") {
    const frame = frameAt(file, at);
    return frame === null ? null : { sealedBytes: frame.sealed.length, end: frameEnd(frame) };
  }
  // A chunk has no number: its length, then as many bytes.
  if (file.length - at < 4) return null;
  const sealedBytes = uint32At(file, at);
  const end = at + 4 + sealedBytes;
  return sealedBytes === 0 || end > file.length ? null : { sealedBytes, end };
}

async function readOrNull(files: VaultFiles, path: string): Promise<Uint8Array | null> {
  try {
    return await files.read(path);
  } catch {
    return null;
  }
}
