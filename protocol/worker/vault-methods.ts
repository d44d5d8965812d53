import type {
  BodyItem,
  FrameKey,
  KeychainEntries,
  KeychainKeys,
  KeychainPlace,
  KeyringChange,
  KeyringFacts,
  KeyringRecord,
  VaultSecret,
} from "./data.ts";
import type { Method, Nothing } from "./method.ts";

/**
 * Vault. The keyring holds, under the vault key: the root key (pieces, secrets), a key per generation (frames, snapshots) and the key tree
 * (bodies). Each rewrite of it goes under the next vault key ("exchange", docs/adr/0014): prepare, write the file, settle, then the keychain.
 */
export interface VaultMethods {
  /**
   * A new vault, locked: its first keyring, and what the keychain is to hold (null without `keychain`; entry 0 and entry 1 of
   * {@link KeychainKeys}). To `keychain.account` a slash and the new vault's id are added. Errors: `passphrase-weak`.
   */
  readonly "vault.create": Method<
    { readonly keychain: KeychainPlace | null; readonly passphrase: string | null },
    { readonly record: KeyringRecord; readonly keychainKeys: KeychainKeys | null }
  >;
  /**
   * Opens a keyring with a secret of one of its slots. Argon2id for a passphrase: about a second.
   * Errors: `vault-key-missing`, `vault-key-wrong`, `vault-rolled-back` (the keychain is ahead of this keyring), `passphrase-wrong`,
   * `recovery-code-wrong`, `vault-damaged`, `vault-newer-format`; `argument-invalid` when there is no such slot.
   */
  readonly "vault.unlock": Method<
    { readonly record: KeyringRecord; readonly secret: VaultSecret },
    Nothing
  >;
  /** Wipes every key and all groups. */
  readonly "vault.lock": Method<Nothing, Nothing>;
  /**
   * How the keychain's entries stand to the unlocked keyring. `behind`: an exchange was cut short, or an entry is missing or foreign, so that
   * {@link VaultMethods["vault.keychainKeys"]} are to be written; `ahead`: entries belong to a later keyring, so this one was rolled back.
   * `none`: the vault has no keychain slot.
   */
  readonly "vault.compareKeychain": Method<
    { readonly entries: KeychainEntries },
    { readonly state: "in-step" | "behind" | "ahead" | "none" }
  >;
  /** What the keychain is to hold at this moment; for a keychain slot that must be written anew. */
  readonly "vault.keychainKeys": Method<Nothing, { readonly keychainKeys: KeychainKeys }>;
  /**
   * Makes the next keyring, under the next vault key. Nothing is forgotten yet: until `vault.settleKeyring` the worker goes on with the
   * keyring it has. One at a time.
   *
   * `keychainKey`: null without a keychain slot; else, once the record is on the disk, to be written over the entry of the vault key that
   * is thereby destroyed: entry `(record.revision + 1) % 2`.
   * `recoveryCode`: of a new recovery slot, shown once.
   * Errors: `passphrase-weak`, `passphrase-wrong`, `not-ready`, `argument-invalid` (a slot of this kind is there already, or isn't there; the last one).
   */
  readonly "vault.prepareKeyring": Method<
    { readonly changes: readonly KeyringChange[] },
    {
      readonly record: KeyringRecord;
      readonly keychainKey: Uint8Array | null;
      readonly recoveryCode: string | null;
    }
  >;
  /** The record was written (`true`), or surely was not. Destroys the keys that it no longer holds. */
  readonly "vault.settleKeyring": Method<{ readonly written: boolean }, Nothing>;
  /** What the unlocked keyring holds, in numbers. */
  readonly "vault.keyringFacts": Method<Nothing, KeyringFacts>;
  /** Whether this is the passphrase of the vault's slot. Argon2id: about a second. Errors: `argument-invalid` without such a slot. */
  readonly "vault.checkPassphrase": Method<
    { readonly passphrase: string },
    { readonly isRight: boolean }
  >;
  /** Keys for frames that are yet to be written (docs/adr/0028). Errors: `argument-invalid` for a generation whose key isn't held. */
  readonly "vault.frameKeys": Method<
    { readonly generation: number; readonly count: number },
    { readonly frameKeys: readonly FrameKey[] }
  >;
  /** Opens a run of frames in order, up to the first one that is damaged. */
  readonly "vault.openFrames": Method<
    {
      readonly generation: number;
      readonly firstSequence: number;
      readonly previousTag: Uint8Array;
      readonly frames: readonly Uint8Array[];
    },
    { readonly plains: readonly Uint8Array[]; readonly damagedAt: number | null }
  >;
  /** Seals one chunk of a snapshot. */
  readonly "vault.sealSnapshotChunk": Method<
    {
      readonly generation: number;
      readonly index: number;
      readonly last: boolean;
      readonly plain: Uint8Array;
    },
    { readonly sealed: Uint8Array }
  >;
  /** Errors: `vault-damaged`. */
  readonly "vault.openSnapshotChunk": Method<
    {
      readonly generation: number;
      readonly index: number;
      readonly last: boolean;
      readonly sealed: Uint8Array;
    },
    { readonly plain: Uint8Array }
  >;

  // Bodies. The key of each comes from its leaf of the key tree (crypto/vault/key-tree.ts).
  /** Errors: `not-found` when a leaf has been destroyed. */
  readonly "body.seal": Method<
    { readonly items: readonly (BodyItem & { readonly plain: Uint8Array })[] },
    { readonly sealed: readonly Uint8Array[] }
  >;
  /** null where a body can't be opened. */
  readonly "body.open": Method<
    { readonly items: readonly (BodyItem & { readonly sealed: Uint8Array })[] },
    { readonly plains: readonly (Uint8Array | null)[] }
  >;
}
