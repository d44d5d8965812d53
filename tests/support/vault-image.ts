import { AppError, type BodyItem, type KeychainEntries, type KeyringRecord } from "#protocol";
import type { Primitives } from "../../crypto/primitives/index.ts";
import { openKeyring } from "../../crypto/vault/keyring.ts";
import { createMessageKeys } from "../../crypto/vault/message-keys.ts";
import { unlockKeyring } from "../../crypto/vault/unlock.ts";
import { decodeKeyring } from "../../electron/vault/keyring.ts";

/*
 * What somebody has who copies a vault's folder, or gets at a keychain: everything that is tried with it to open what has ended.
 */

/** A vault's files by path, and the keychain's entries by account. */
export interface VaultImage {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/** The keyring's file, as it lies there. */
export function keyringOf({ files }: Pick<VaultImage, "files">): KeyringRecord {
  const file = [...files].find(([path]) => path.endsWith("/keyring"))?.[1];
  if (file === undefined) throw new Error("no keyring");
  return decodeKeyring(file);
}

/** What the keychain has for the vault. */
export function entriesOf({ entries }: Pick<VaultImage, "entries">): KeychainEntries {
  const found = (place: string) =>
    [...entries].find(([account]) => account.endsWith(place))?.[1] ?? null;
  return [found("/0"), found("/1")];
}

/** Copies of a keychain's entries in every order, with gaps, and passed off as keys of other revisions. */
function guesses(entries: KeychainEntries, revision: number): readonly KeychainEntries[] {
  const claimed = [revision - 1, revision, revision + 1, revision + 2];
  const keys = entries.flatMap((entry) =>
    entry === null ? [] : [entry, ...claimed.map((at) => claiming(entry, at))],
  );
  const all = [null, ...keys];
  return all.flatMap((first) => all.map((second): KeychainEntries => [first, second]));
}

function claiming(key: Uint8Array, revision: number): Uint8Array {
  const copy = Uint8Array.from(key);
  new DataView(copy.buffer).setUint32(2, revision);
  return copy;
}

/**
 * Tries a keyring with all that can be made of a keychain's entries.
 *
 * @returns how often it opened
 */
export function tryAll(
  primitives: Primitives,
  record: KeyringRecord,
  entries: KeychainEntries,
): number {
  let opened = 0;
  const attempt = (open: () => unknown) => {
    try {
      open();
      opened += 1;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  };
  for (const guess of guesses(entries, record.revision)) {
    attempt(() => unlockKeyring(primitives, record, { kind: "keychain", entries: guess }));
    for (const key of guess) {
      // Past all checks, straight at the seal; and with the key in the place of the other slots' secrets.
      if (key === null) continue;
      attempt(() => openKeyring(record, key, primitives.random));
      attempt(() => unlockKeyring(primitives, record, { kind: "organisation", privateKey: key }));
    }
  }
  return opened;
}

/** The key of a body, as the vault derives it from an unlocked keyring. @throws Error when its leaf is gone */
export function bodyKeyOf(primitives: Primitives, image: VaultImage, item: BodyItem): Uint8Array {
  const record = keyringOf(image);
  const vaultKey = entriesOf(image)[record.revision % 2 === 0 ? 0 : 1];
  if (vaultKey === null) throw new Error("no key");
  const { tree } = openKeyring(record, vaultKey, primitives.random);
  const key = createMessageKeys(tree).withKey(item, (lent) => lent.slice());
  if (key === undefined) throw new Error("no such leaf");
  return key;
}

/** Files in which the bytes are found: as they are, in hexadecimal digits or in base64. */
export function filesWith(
  { files }: Pick<VaultImage, "files">,
  needle: Uint8Array,
): readonly string[] {
  const forms = [
    Buffer.from(needle),
    Buffer.from(Buffer.from(needle).toString("hex")),
    Buffer.from(Buffer.from(needle).toString("base64url")),
  ];
  return [...files]
    .filter(([, bytes]) => forms.some((form) => Buffer.from(bytes).includes(form)))
    .map(([path]) => path);
}
