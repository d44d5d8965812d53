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
  timestampMsSchema,
  type KeyringRecord,
  type KeySlot,
  type VaultId,
} from "#protocol";
import { checkPrologue, encodePrologue, prologueBytes, uint32At, uint32Bytes } from "./headers.ts";
import { keyringName } from "./names.ts";
import type { SlotFacts } from "./types.ts";

/*
 * The file `keyring`: prologue, CRC-32 of the body, body. The body is canonical CBOR of a record: the slots, each a way to the vault key, and
 * what that key opens. It is replaced whole, at each exchange (docs/adr/0014).
 */

const maxKeyringBytes = 16 * 1024 * 1024;
const checksumBytes = 4;

const textSchema = v.pipe(v.string(), v.maxLength(4096));
const saltSchema = bytesSchema(64);

/** X-Wing: public key and encapsulated key, bytes. Source: draft-connolly-cfrg-xwing-kem. */
const sealedVaultKey = {
  publicKey: exactBytesSchema(1216),
  kemOutput: exactBytesSchema(1120),
  ciphertext: bytesSchema(256),
};

const slotSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("keychain"),
    account: textSchema,
    backend: textSchema,
    application: textSchema,
    user: textSchema,
    path: textSchema,
    keyCheck: bytesSchema(64),
  }),
  v.strictObject({
    kind: v.literal("passphrase"),
    createdAtMs: timestampMsSchema,
    salt: saltSchema,
    passes: countSchema,
    memoryBytes: countSchema,
    sealedPrivateKey: bytesSchema(256),
    ...sealedVaultKey,
  }),
  v.strictObject({
    kind: v.literal("recovery-code"),
    createdAtMs: timestampMsSchema,
    salt: saltSchema,
    ...sealedVaultKey,
  }),
  v.strictObject({
    kind: v.literal("organisation"),
    createdAtMs: timestampMsSchema,
    ...sealedVaultKey,
  }),
]);

const recordSchema = v.strictObject({
  vaultId: exactBytesSchema(16),
  revision: v.pipe(countSchema, v.minValue(1), v.maxValue(2 ** 48 - 1)),
  slots: v.pipe(
    v.array(slotSchema),
    v.minLength(1),
    v.check(
      (slots) => new Set(slots.map(({ kind }) => kind)).size === slots.length,
      "two slots of a kind",
    ),
  ),
  sealedKeyring: bytesSchema(maxKeyringBytes),
});

/** @returns the whole file */
export function encodeKeyring(record: KeyringRecord): Uint8Array {
  const body = encodeCbor({ ...record, vaultId: idToBytes(record.vaultId) });
  return concatBytes(encodePrologue("keyring"), uint32Bytes(crc32(body)), body);
}

/** @throws AppError `vault-older-format`, `vault-newer-format` or `vault-damaged` */
export function decodeKeyring(file: Uint8Array): KeyringRecord {
  const body = file.subarray(prologueBytes + checksumBytes);
  if (
    !checkPrologue("keyring", file) ||
    file.length < prologueBytes + checksumBytes ||
    uint32At(file, prologueBytes) !== crc32(body)
  ) {
    throw damagedKeyring();
  }
  try {
    const record = parse(recordSchema, decodeCbor(body, maxKeyringBytes));
    return { ...record, vaultId: idFromBytes<VaultId>(record.vaultId) };
  } catch (cause) {
    throw damagedKeyring(cause);
  }
}

/** The keyring can't be believed, so nothing can be opened. */
export function damagedKeyring(cause?: unknown): AppError {
  return new AppError("vault-damaged", { cause, data: { file: keyringName, frame: 0 } });
}

/** What of a slot is no ciphertext and no key. */
export function slotFacts(slot: KeySlot): SlotFacts {
  switch (slot.kind) {
    case "keychain": {
      const { kind, account, backend, application, user, path } = slot;
      return { kind, account, backend, application, user, path };
    }
    case "passphrase": {
      const { kind, createdAtMs, passes, memoryBytes } = slot;
      return { kind, createdAtMs, passes, memoryBytes };
    }
    case "recovery-code":
      return { kind: slot.kind, createdAtMs: slot.createdAtMs };
    case "organisation":
      return { kind: slot.kind, createdAtMs: slot.createdAtMs, publicKey: slot.publicKey };
  }
}

/** The record's slot of a kind. */
export function slotOf<Kind extends KeySlot["kind"]>(
  record: KeyringRecord,
  kind: Kind,
): Extract<KeySlot, { readonly kind: Kind }> | undefined {
  return record.slots.find(
    (slot): slot is Extract<KeySlot, { readonly kind: Kind }> => slot.kind === kind,
  );
}
