import type {
  CryptoWorker,
  ErrorCode,
  KeychainPlace,
  KeyLeaf,
  KeyringFacts,
  KeySlotKind,
  NewKeySlot,
  VaultId,
  VaultSecret,
} from "#protocol";
import type { Keychain } from "../keychain/index.ts";
import type { Clock } from "../link/index.ts";
import type { VaultBlobs } from "./blobs.ts";
import type { SqlOptions } from "./database.ts";
import type { VaultFiles } from "./files.ts";

/** What a column or parameter holds. Numbers are finite, and safe integers if whole; text is well-formed Unicode. */
export type SqlValue = string | number | Uint8Array | null;

/** A row of a result, by column name. */
export type Row = Readonly<Record<string, SqlValue>>;

/**
 * Everything that is ever said to a vault's database. Each text is one SQL statement (a migration may be several) and
 * deterministic: no `random()`, no current time, since starting again runs it again.
 */
export interface VaultCatalogue {
  /** Equal to `migrations.length`. */
  readonly schemaVersion: number;
  /** `migrations[i]` brings the schema from version i to i + 1. */
  readonly migrations: readonly string[];
  /** Writes, by name, with parameters ?1 ?2 … */
  readonly statements: Readonly<Record<string, string>>;
  /** Reads, by name, with parameters ?1 ?2 … */
  readonly queries: Readonly<Record<string, string>>;
}

/** A write of the catalogue with its parameters. */
export interface Statement {
  readonly name: string;
  readonly params: readonly SqlValue[];
}

/** Where a vault's files stop making sense. */
export interface VaultDamage {
  /** The file's name inside the vault's directory. */
  readonly file: string;
  /** The first frame of a log (from 1) or chunk of a snapshot (from 0) that can't be believed; 0 in a log: its header. */
  readonly frame: number;
}

/**
 * An account's storage on this device, open.
 *
 * Memory never runs ahead of the disk: reads show a transaction from the moment its promise resolves, and never one whose
 * write is still under way or has failed.
 *
 * When the crypto worker restarts it has lost the vault's keys: transactions are then refused with `worker-stopped` (reads go on),
 * and whoever composed the app closes the vault and opens it again.
 */
export interface Vault {
  readonly vaultId: VaultId;
  /** Grows by one per committed transaction, over generations and restarts. */
  readonly sequence: number;
  /** Why nothing can be written: `vault-damaged`, `vault-read-only`, `disk-full` or `vault-write-failed`; null: it can. */
  readonly readOnly: ErrorCode | null;
  /** What the vault was opened up to, when {@link readOnly} is `vault-damaged`. */
  readonly damage: VaultDamage | null;
  /** Called once when the vault stops taking writes. @returns a disposer */
  onReadOnly(listener: (code: ErrorCode) => void): () => void;
  /**
   * Runs a query of the catalogue in memory.
   *
   * @throws AppError `argument-invalid` for an unknown name or a parameter that is no {@link SqlValue}
   */
  read(query: string, params?: readonly SqlValue[]): readonly Row[];
  /**
   * Runs statements as one transaction: all or nothing, in the order of the calls, on disk when it resolves.
   *
   * @throws AppError `argument-invalid` or `internal` when this transaction can't be run (nothing is written, the others are unharmed);
   * `disk-full` or `vault-write-failed` when writing failed, which makes the vault read-only for good; `vault-read-only` when it was that
   * before; `worker-stopped` when the crypto worker went away, with nothing written
   */
  transact(statements: readonly Statement[]): Promise<void>;
  /**
   * Writes a new snapshot and starts a new log, so that nothing of earlier content is left in the vault's files.
   *
   * @throws AppError as {@link transact}; a compaction that fails before its end leaves the vault as it was, and writable
   */
  compact(): Promise<void>;
  /**
   * The keychain holds the keys of a later keyring: this folder was put back from an older copy. Nothing may be sealed for others before every
   * conversation was joined anew. The keychain is left alone until {@link renewKeychain}, which is to be called when this has been stored.
   */
  readonly rolledBack: boolean;
  readonly keychainState: KeychainState;
  /** Why the keychain is `behind` or `unavailable`, when it said so. */
  readonly keychainProblem: ErrorCode | null;
  /** Called after each change of slots, {@link keychainState} or {@link rolledBack}. @returns a disposer */
  onKeysChanged(listener: () => void): () => void;
  /**
   * Destroys keys for good. What is asked for while an exchange is under way shares the next one. When it resolves, the keyring without the
   * keys is on the disk, and the keychain was told to forget the one before (if it refused, {@link keychainState} says `behind`).
   *
   * @param request - leaves, and the hour before which whole buckets go
   * @throws AppError `keychain-*`, `disk-full` or `vault-write-failed` when nothing was done and it can be tried again; as {@link transact}
   * when it can't
   */
  destroyKeys(request: KeyDestruction): Promise<void>;
  /**
   * Makes a slot, in place of one of the same kind.
   *
   * @returns the code of a new recovery slot, to be shown once
   * @throws AppError `passphrase-weak`, `keychain-*`, or as {@link destroyKeys}
   */
  setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }>;
  /** @throws AppError `argument-invalid` for the last slot or one that isn't there, or as {@link destroyKeys} */
  removeSlot(kind: KeySlotKind): Promise<void>;
  /** Brings the keychain in step. @throws AppError `keychain-*`; `argument-invalid` without a keychain slot */
  renewKeychain(): Promise<void>;
  /** Encrypted attachments. */
  readonly blobs: VaultBlobs;
  /** What is kept, in numbers. */
  facts(): Promise<VaultFacts>;
  /**
   * Drops the database in memory at once, whatever is under way: a transaction that reaches the disk is still acknowledged, and no other one is
   * begun. From now on everything but {@link close} fails with `not-ready`.
   */
  forget(): void;
  /** Waits for what is under way, then gives up the files and the lock. Later calls do nothing. */
  close(): Promise<void>;
}

/** How the keychain stands to the keyring; `behind`: it holds a key that should be gone, or lacks one. `none`: the vault has no such slot. */
export type KeychainState = "in-step" | "behind" | "unavailable" | "none";

/** Keys to be destroyed. */
export interface KeyDestruction {
  readonly leaves: readonly KeyLeaf[];
  /** All buckets before this hour; null: none. */
  readonly hoursBefore: number | null;
}

/** A slot to be made; where the keychain keeps its key, the vault knows. */
export type SlotRequest =
  { readonly kind: "keychain" } | Exclude<NewKeySlot, { readonly kind: "keychain" }>;

/** What of a slot may be shown. */
export type SlotFacts =
  | ({ readonly kind: "keychain" } & KeychainPlace)
  | {
      readonly kind: "passphrase";
      readonly createdAtMs: number;
      readonly passes: number;
      readonly memoryBytes: number;
    }
  | { readonly kind: "recovery-code"; readonly createdAtMs: number }
  | {
      readonly kind: "organisation";
      readonly createdAtMs: number;
      readonly publicKey: Uint8Array;
    };

/** What the files of an open vault hold. */
export interface VaultFacts {
  readonly generation: number;
  readonly snapshotBytes: number;
  readonly logBytes: number;
  readonly logFrames: number;
  readonly keyringBytes: number;
  readonly keyring: KeyringFacts;
  readonly slots: readonly SlotFacts[];
  /** null: not since the vault was opened. */
  readonly lastDestructionMs: number | null;
  /** null: not since the vault was opened. */
  readonly lastCompactionMs: number | null;
  readonly isCompacting: boolean;
}

/** What a directory holds, as far as it can be told without a key. */
export type VaultInspection =
  | { readonly kind: "none" }
  | {
      readonly kind: "present";
      readonly vaultId: VaultId;
      readonly revision: number;
      readonly slots: readonly KeySlotKind[];
      readonly slotFacts: readonly SlotFacts[];
    }
  | { readonly kind: "unreadable"; readonly code: ErrorCode };

/** What opens a vault. */
export type VaultUnlock =
  { readonly kind: "keychain" } | Exclude<VaultSecret, { readonly kind: "keychain" }>;

/** What both {@link createVault} and {@link openVault} need. */
export interface VaultOptions extends SqlOptions {
  /** The vault's own directory; made if it is missing. */
  readonly directory: string;
  /** Started (`start` has answered). */
  readonly worker: CryptoWorker;
  /** When creating: gets a slot unless null. When opening: kept in step, whatever slot is used. */
  readonly keychain: Keychain | null;
  readonly catalogue: VaultCatalogue;
  readonly clock: Clock;
  /** Shown in the keychain entries' account name beside the vault's id. */
  readonly profile?: string;
  /** The application's id, kept with a keychain slot; left out: `app.sotto.desktop`. */
  readonly application?: string;
  /** The operating system's user, kept with a keychain slot; left out: who runs this process. */
  readonly user?: string;
  /** Left out: the disk. */
  readonly files?: VaultFiles;
  /** When the log is long enough to be compacted. */
  readonly compaction?: CompactionLimits;
}

/** What {@link createVault} needs. */
export interface NewVaultOptions extends VaultOptions {
  /** Gets a slot unless null. */
  readonly passphrase: string | null;
}

/** What {@link openVault} needs. */
export interface OpenVaultOptions extends VaultOptions {
  readonly unlockWith: VaultUnlock;
}

/** A log is compacted when it is larger than `logBytes`, or than `snapshotRatio` times its snapshot once it has `minimumLogBytes`. */
export interface CompactionLimits {
  readonly logBytes: number;
  readonly minimumLogBytes: number;
  readonly snapshotRatio: number;
}
