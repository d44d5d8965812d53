import {
  decodeCbor,
  equalBytes,
  type PersonRecords,
  type TrustState,
  type UserId,
} from "#protocol";
import type { Row, Vault } from "../../vault/index.ts";
import { bytes, number, text } from "./columns.ts";

/** How a person's key was verified. */
export type VerifiedHow = "digits" | "code";

/** That somebody has compared a person's account key. */
export interface Verification {
  readonly accountKey: Uint8Array;
  readonly verifiedAtMs: number;
  readonly how: VerifiedHow;
}

/** Another account key of a person who was verified, until somebody decides. */
export interface PendingKey {
  readonly accountKey: Uint8Array;
  readonly issuedAtMs: number;
  /** Of the records in the directory. */
  readonly version: number;
  readonly records: PersonRecords;
}

const maxRecordsBytes = 256 * 1024;

function verificationOf(row: Row): Verification {
  return {
    accountKey: bytes(row, "account_key"),
    verifiedAtMs: number(row, "verified_ms"),
    how: text(row, "how") as VerifiedHow,
  };
}

/** Reads of the vault about whose keys were verified, and whose have changed since. */
export class Trusted {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  verification(userId: UserId): Verification | undefined {
    const [row] = this.#vault.read("verification", [userId]);
    return row === undefined ? undefined : verificationOf(row);
  }

  pendingKey(userId: UserId): PendingKey | undefined {
    const [row] = this.#vault.read("pendingKey", [userId]);
    if (row === undefined) return undefined;
    return {
      accountKey: bytes(row, "account_key"),
      issuedAtMs: number(row, "issued_ms"),
      version: number(row, "version"),
      // Only `KeyChanges` writes these, and the vault gives back what was written or fails.
      records: decodeCbor(bytes(row, "entry"), maxRecordsBytes) as PersonRecords,
    };
  }

  /** Everybody whose other key waits for a decision. */
  pending(): ReadonlySet<UserId> {
    return new Set(
      this.#vault.read("pendingKeys", []).map((row) => text(row, "user_id") as UserId),
    );
  }

  /** A person's records as they are kept. */
  records(userId: UserId): PersonRecords | undefined {
    const [row] = this.#vault.read("directoryEntry", [userId]);
    return row === undefined
      ? undefined
      : (decodeCbor(bytes(row, "entry"), maxRecordsBytes) as PersonRecords);
  }

  /**
   * How people stand, as of now: a function, because a list asks it of everybody.
   *
   * @param keyOf - the account key that is known for a person
   */
  states(keyOf: (userId: UserId) => Uint8Array | undefined): (userId: UserId) => TrustState {
    const pending = this.pending();
    const verified = new Map(
      this.#vault
        .read("verifications", [])
        .map((row) => [text(row, "user_id") as UserId, verificationOf(row)]),
    );
    return (userId) => {
      if (pending.has(userId)) return "changed";
      const key = keyOf(userId);
      const compared = verified.get(userId)?.accountKey;
      const same = key !== undefined && compared !== undefined && equalBytes(key, compared);
      return same ? "verified" : "unverified";
    };
  }
}
