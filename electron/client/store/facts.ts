import {
  decodeCbor,
  encodeCbor,
  type DeviceId,
  type LockSettings,
  type NetworkId,
  type OwnAccountNotice,
  type SettingsView,
  type SignedRecord,
  type SuiteName,
  type UserId,
} from "#protocol";
import type { HistoryProgress } from "../linking/history-sink.ts";
import type { StoredChannel } from "../linking/channels.ts";
import type { Statement, Vault } from "../../vault/index.ts";
import { statement } from "./statement.ts";
import { bytes } from "./columns.ts";

/** The account of this vault, and how far its making has come. */
export interface StoredAccount {
  readonly step: "unfinished" | "ready";
  readonly networkId: NetworkId;
  readonly networkKey: Uint8Array;
  readonly networkName: string;
  readonly relayUrl: string;
  readonly hosted: boolean;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly accountKey: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly displayName: string;
  readonly deviceName: string;
  readonly platform: string;
  /** Signed once, so that a repeated request is the same request. */
  readonly device: SignedRecord;
  /** What makes the network, while that isn't done. */
  readonly claim: { readonly claimCode: string; readonly policy: SignedRecord } | null;
  /** What redeems the invite; null until a claim has given one, and once it is used. */
  readonly token: Uint8Array | null;
}

/** Single values in the vault, by name. */
export interface Facts {
  readonly account: StoredAccount;
  readonly identity: Uint8Array;
  readonly networkKey: Uint8Array;
  readonly issuer: { readonly certificate: SignedRecord; readonly key: Uint8Array };
  readonly policy: SignedRecord;
  readonly directoryVersion: number;
  readonly inboxCursor: number;
  /** The largest time ever seen, milliseconds. */
  readonly floorMs: number;
  /** The latest time by which things could be destroyed, milliseconds. See `TimeKeeper.certain`. */
  readonly certainMs: number;
  /** Buckets of the key tree before this hour are gone. */
  readonly droppedBefore: number;
  readonly settings: SettingsView;
  /** The suite of all key packages that the relay has; null: it may have some of another one; never written: the default one. */
  readonly keyPackageSuite: SuiteName | null;
  /** What this person should read about their own account and the directory. */
  readonly ownNotices: readonly OwnAccountNotice[];
  /** Digests of the latest records from the directory of which it was told that they were refused. */
  readonly objectionsTold: readonly Uint8Array[];
  /** The version of the directory of which it was last told that the relay knows only an older one. */
  readonly behindTold: number;
  /** Set from the use of the last-resort key package until another one has taken its place. */
  readonly lastResortUsed: true;
  /** All one-time key packages that the relay has were made later than this, milliseconds. */
  readonly keyPackagesSinceMs: number;
  /** When this person wants the app to lock by itself. */
  readonly lock: LockSettings;
  /** What is added to the vault's sequence number when the relay is told: after a roll-back it was told higher ones before. */
  readonly sequenceOffset: number;
  /** Channels to devices that were linked, for as long as something comes over. */
  readonly linkChannels: readonly StoredChannel[];
  /** A device that is being added, and can't have the account yet. */
  readonly linkPending: DeviceId;
  /** What of the other device's messages has come over to this one. */
  readonly historyProgress: HistoryProgress;
  /** Where the orders of this device's own items begin; never written: 1. */
  readonly firstOrder: number;
  /** The vault was rolled back, and not everything has been made anew. */
  readonly rollback: Rollback;
}

/** What is still to be made anew after a roll-back, beside the conversations marked so. */
export interface Rollback {
  readonly keyPackages: boolean;
}

const maxFactBytes = 1024 * 1024;

/** A fact, or undefined when it was never written. */
export function readFact<Name extends keyof Facts>(
  vault: Vault,
  name: Name,
): Facts[Name] | undefined {
  const [row] = vault.read("fact", [name]);
  // Only `putFact` writes here, and the vault gives back what was written or fails.
  return row === undefined
    ? undefined
    : (decodeCbor(bytes(row, "value"), maxFactBytes) as Facts[Name]);
}

/** Writes a fact. */
export function putFact<Name extends keyof Facts>(name: Name, value: Facts[Name]): Statement {
  return statement("fact.put", name, encodeCbor(value));
}
