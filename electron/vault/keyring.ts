import { crc32 } from "node:zlib";
import * as v from "valibot";
import {
  AppError,
  bytesSchema,
  concatBytes,
  countSchema,
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  idFromBytes,
  idToBytes,
  parse,
  type PassphraseSlot,
  type VaultId,
} from "#protocol";
import { checkPrologue, encodePrologue, prologueBytes, uint32At, uint32Bytes } from "./headers.ts";
import { keyringName } from "./names.ts";

/** The vault key lies in the operating system's keychain. */
export interface KeychainSlot {
  readonly kind: "keychain";
  /** What kept it then, to be able to say that it is another one now. */
  readonly backend: string;
  readonly account: string;
  /** Tells the vault's key from any other. See `vault.keyCheck` of the worker. */
  readonly keyCheck: Uint8Array;
}

/** One way to the vault key. Later kinds (recovery code, organisation) come beside these. */
export type KeySlot = KeychainSlot | PassphraseSlot;

/** The file `keyring`: how to come by the vault key, and what it opens. Replaced whole. */
export interface Keyring {
  readonly vaultId: VaultId;
  readonly slots: readonly KeySlot[];
  /** Of the worker: root keys under the vault key. */
  readonly sealedKeyring: Uint8Array;
}

const maxKeyringBytes = 16 * 1024 * 1024;
const checksumBytes = 4;
const maxSlots = 16;

const textSchema = v.pipe(v.string(), v.maxLength(1000));

const slotSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("keychain"),
    backend: textSchema,
    account: textSchema,
    keyCheck: bytesSchema(64),
  }),
  v.strictObject({
    kind: v.literal("passphrase"),
    salt: bytesSchema(64),
    passes: countSchema,
    memoryBytes: countSchema,
    sealedVaultKey: bytesSchema(256),
  }),
]);

const keyringSchema = v.strictObject({
  vaultId: exactBytesSchema(16),
  slots: v.pipe(v.array(slotSchema), v.minLength(1), v.maxLength(maxSlots)),
  sealedKeyring: bytesSchema(maxKeyringBytes),
});

/** Prologue, CRC-32 of the body, body: canonical CBOR. */
export function encodeKeyring(keyring: Keyring): Uint8Array {
  const body = encodeCbor({
    vaultId: idToBytes(keyring.vaultId),
    slots: keyring.slots,
    sealedKeyring: keyring.sealedKeyring,
  });
  return concatBytes(encodePrologue("keyring"), uint32Bytes(crc32(body)), body);
}

/** @throws AppError `vault-newer-format` or `vault-damaged` */
export function decodeKeyring(file: Uint8Array): Keyring {
  const body = file.subarray(prologueBytes + checksumBytes);
  if (
    !checkPrologue("keyring", file) ||
    file.length < prologueBytes + checksumBytes ||
    uint32At(file, prologueBytes) !== crc32(body)
  ) {
    throw damagedKeyring();
  }
  try {
    const { vaultId, slots, sealedKeyring } = parse(
      keyringSchema,
      decodeCbor(body, maxKeyringBytes),
    );
    return { vaultId: idFromBytes<VaultId>(vaultId), slots, sealedKeyring };
  } catch (cause) {
    throw damagedKeyring(cause);
  }
}

/** The keyring can't be believed, so nothing can be opened. */
export function damagedKeyring(cause?: unknown): AppError {
  return new AppError("vault-damaged", { cause, data: { file: keyringName, frame: 0 } });
}
