import type { ErrorCode, KeySlotKind } from "#protocol";
import type { KeychainState, KeyDestruction, SlotRequest, VaultFacts } from "./types.ts";

/** The keys of an open vault: its keyring, the keychain entries that open it, and every change of both. */
export interface VaultKeys {
  readonly rolledBack: boolean;
  readonly keychainState: KeychainState;
  readonly keychainProblem: ErrorCode | null;
  /** Of the file. */
  readonly bytes: number;
  /** @returns a disposer */
  onKeysChanged(listener: () => void): () => void;
  /** Called once when it is not known which keyring is on the disk: the vault must not be written any more. @returns a disposer */
  onFailure(listener: (code: ErrorCode) => void): () => void;
  destroyKeys(request: KeyDestruction): Promise<void>;
  setSlot(slot: SlotRequest): Promise<{ readonly recoveryCode: string | null }>;
  removeSlot(kind: KeySlotKind): Promise<void>;
  renewKeychain(): Promise<void>;
  /**
   * The vault's files are at this generation: destroys the keys of earlier ones, makes the next one's. Resolves at once when the keyring is there
   * already, so that a compaction may ask for it once more before it begins.
   */
  moveTo(generation: number): Promise<void>;
  facts(): Promise<Pick<VaultFacts, "keyring" | "keyringBytes" | "slots" | "lastDestructionMs">>;
  /** From now on everything is refused with this: the vault has become read-only, or its worker was lost. */
  stop(code: ErrorCode): void;
  /** Waits for what is under way, but not long for a keychain. */
  close(): Promise<void>;
}
