import { crc32 } from "node:zlib";
import { AppError, concatBytes, equalBytes, idToBytes, type VaultId } from "#protocol";

/*
 * How the files begin. All numbers are big-endian.
 *
 *   prologue, the same in every format for ever:   magic 8 | format version 4 | CRC-32 of these 12 bytes 4
 *   `log.<n>` and `snapshot.<n>` go on with:       vault id 16 | generation 4 | CRC-32 of everything before 4
 *
 * The checksums protect nothing against people (the frames are authenticated); they tell a damaged header from a newer format and from
 * another vault's file.
 */

/** The format of each file that this app writes, and the only one it reads. */
const formatVersions: Readonly<Record<FileKind, number>> = { keyring: 2, log: 1, snapshot: 1 };
export const prologueBytes = 16;
export const generationHeaderBytes = 40;

/** Where a vault's file is read, this says what it is. */
export type FileKind = "keyring" | "log" | "snapshot";

const magics: Readonly<Record<FileKind, Uint8Array>> = {
  keyring: new TextEncoder().encode("SOTTOKEY"),
  log: new TextEncoder().encode("SOTTOLOG"),
  snapshot: new TextEncoder().encode("SOTTOSNP"),
};

/** A number as 4 bytes. */
export function uint32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The number in the 4 bytes at `at`. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}

function withChecksum(...parts: readonly Uint8Array[]): Uint8Array {
  const covered = concatBytes(...parts);
  return concatBytes(covered, uint32Bytes(crc32(covered)));
}

function endsWithChecksum(bytes: Uint8Array): boolean {
  const covered = bytes.length - 4;
  return covered >= 0 && uint32At(bytes, covered) === crc32(bytes.subarray(0, covered));
}

/** The first {@link prologueBytes} bytes of a file. */
export function encodePrologue(kind: FileKind): Uint8Array {
  return withChecksum(magics[kind], uint32Bytes(formatVersions[kind]));
}

/**
 * @returns whether the prologue is whole
 * @throws AppError `vault-newer-format` or `vault-older-format` when it is, and says so
 */
export function checkPrologue(kind: FileKind, file: Uint8Array): boolean {
  const prologue = file.subarray(0, prologueBytes);
  const magic = magics[kind];
  if (prologue.length < prologueBytes || !endsWithChecksum(prologue)) return false;
  if (!equalBytes(prologue.subarray(0, magic.length), magic)) return false;
  const version = uint32At(prologue, magic.length);
  const known = formatVersions[kind];
  if (version === known) return true;
  const code = version > known ? "vault-newer-format" : "vault-older-format";
  throw new AppError(code, { data: { version, known } });
}

/** The first {@link generationHeaderBytes} bytes of a log or snapshot. */
export function encodeGenerationHeader(
  kind: "log" | "snapshot",
  vaultId: VaultId,
  generation: number,
): Uint8Array {
  return withChecksum(encodePrologue(kind), idToBytes(vaultId), uint32Bytes(generation));
}

/**
 * @returns whether the file begins as the log or snapshot of this vault and generation should
 * @throws AppError `vault-newer-format`
 */
export function checkGenerationHeader(
  file: Uint8Array,
  expected: {
    readonly kind: "log" | "snapshot";
    readonly vaultId: VaultId;
    readonly generation: number;
  },
): boolean {
  return (
    checkPrologue(expected.kind, file) &&
    equalBytes(
      file.subarray(0, generationHeaderBytes),
      encodeGenerationHeader(expected.kind, expected.vaultId, expected.generation),
    )
  );
}
