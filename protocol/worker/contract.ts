import type { ErrorCode, WireError } from "../errors.ts";
import type {
  ConversationId,
  DeviceId,
  KeyPackageRef,
  MessageId,
  NetworkId,
  RendezvousId,
  UserId,
} from "../ids.ts";
import type { RecordKindName, RecordValue, SignedRecord, UserRecord } from "../records.ts";
import type { CommitPlace } from "../rejection.ts";
import type { RoomState } from "../room-state.ts";
import type { SuiteName } from "../suites.ts";
import type {
  BodyItem,
  CodeVerdict,
  Deadline,
  GroupChange,
  GroupMember,
  GroupSummary,
  GroupWrites,
  OpenedEntry,
  PersonRecords,
  StoredGroupPiece,
  TrustedPerson,
} from "./data.ts";
import type { LinkChannel, LinkStep } from "./linking.ts";
import type { Method, Nothing } from "./method.ts";
import type { MissingMethods } from "./missing-methods.ts";
import type { VaultMethods } from "./vault-methods.ts";

/*
 * What the main process asks of the crypto worker. Keys enter at unlock and leave never, but for the vault key at its birth and
 * when a slot opens it; everything named `sealed…` is AEAD ciphertext that only the worker of an unlocked vault can open.
 *
 * Order of things for every change: the worker answers with `writes`; the main process commits them to the vault in one
 * transaction with everything else that belongs to the event; only then it sends or shows. If that transaction fails the worker
 * is restarted and all groups are loaded again from the vault, so the worker's memory never runs ahead of the disk for good.
 */

/** Every request, by name. */
export interface WorkerMethods extends VaultMethods, MissingMethods {
  /** Runs the known-answer tests. Anything else fails `not-ready` before it. Errors: `crypto-self-test-failed`. */
  readonly start: Method<
    Nothing,
    {
      readonly libsodium: string;
      readonly tests: number;
      /** The name of the suite that new conversations get where the network's policy names none. */
      readonly suite: string;
    }
  >;

  // Identity and records.
  readonly "identity.create": Method<
    Nothing,
    {
      readonly userId: UserId;
      readonly deviceId: DeviceId;
      readonly accountKey: Uint8Array;
      readonly signatureKey: Uint8Array;
      readonly sealedIdentity: Uint8Array;
    }
  >;
  /** Loads what `identity.create` sealed; signing and groups need it. `networkId` goes into the MLS credential. */
  readonly "identity.load": Method<
    { readonly sealedIdentity: Uint8Array; readonly networkId: NetworkId },
    Nothing
  >;
  readonly "network.create": Method<
    Nothing,
    {
      readonly networkId: NetworkId;
      readonly networkKey: Uint8Array;
      readonly sealedNetworkKey: Uint8Array;
    }
  >;
  readonly "network.load": Method<{ readonly sealedNetworkKey: Uint8Array }, Nothing>;
  /** Signs a record: `issuerCertificate`, `policy` and `suspension` with the network key, `device` and `revocation` with the account key. */
  readonly "record.sign": Method<
    {
      readonly [Kind in RecordKindName]: { readonly kind: Kind; readonly value: RecordValue<Kind> };
    }["issuerCertificate" | "policy" | "suspension" | "device" | "revocation"],
    { readonly record: SignedRecord }
  >;
  /** Checks a signature over a record and parses it. Errors: `signature-invalid`, `record-invalid`. */
  readonly "record.verify": Method<
    {
      readonly kind: RecordKindName;
      readonly record: SignedRecord;
      readonly publicKey: Uint8Array;
    },
    { readonly value: RecordValue<RecordKindName> }
  >;
  /** The network id of a network key: base64url of the first 16 bytes of SHA-256. */
  readonly "network.idOf": Method<
    { readonly networkKey: Uint8Array },
    { readonly networkId: NetworkId }
  >;
  /** Signs the sign-in challenge with this device's MLS signature key. */
  readonly "session.sign": Method<
    { readonly challenge: Uint8Array; readonly vaultSequence: number },
    { readonly signature: Uint8Array }
  >;

  // Trust: who the worker lets into a group.
  /** The network whose records are believed: the issuer certificate must be signed by the network key. Errors: `relay-identity-changed`. */
  readonly "directory.setNetwork": Method<
    {
      readonly networkKey: Uint8Array;
      readonly issuerCertificate: SignedRecord;
      readonly issuerKey: Uint8Array;
    },
    { readonly networkId: NetworkId }
  >;
  /**
   * Checks user records against the issuer, device records and revocations against the account key and suspensions against the network key, and
   * remembers the good ones. A revocation is never forgotten; of suspensions the latest counts.
   */
  readonly "directory.trust": Method<
    {
      readonly entries: readonly PersonRecords[];
    },
    {
      /** In the order given; null where the user record was refused. */
      readonly people: readonly (TrustedPerson | null)[];
      /** Of those that were refused: the ones that the issuer has signed, newer than what is known, for another account key. */
      readonly otherKeys: readonly { readonly index: number; readonly user: UserRecord }[];
    }
  >;
  /**
   * Takes another account key for a known person, as an issuer's record names it: what the former keys have signed are no longer their devices.
   * `records.former` says which. Null: it isn't the issuer's, is older than what is known, or is about this person, whose key never changes.
   */
  readonly "directory.acceptKey": Method<
    { readonly records: PersonRecords },
    { readonly person: TrustedPerson | null }
  >;
  /** The safety number between this person and another, and the code that this person shows them: crypto/identity/safety-number.ts. */
  readonly "safetyNumber.compute": Method<
    { readonly userId: UserId; readonly accountKey: Uint8Array },
    { readonly digits: string; readonly code: string }
  >;
  /** What a code says that was read from a picture. */
  readonly "safetyNumber.compare": Method<
    { readonly userId: UserId; readonly accountKey: Uint8Array; readonly code: string },
    { readonly verdict: CodeVerdict }
  >;

  // Groups.
  readonly "keyPackages.generate": Method<
    { readonly suite: SuiteName; readonly count: number; readonly lastResort: boolean },
    {
      readonly keyPackages: readonly {
        readonly ref: KeyPackageRef;
        readonly bytes: Uint8Array;
        readonly sealedPrivate: Uint8Array;
      }[];
    }
  >;
  /** Whose key packages they say they are; null: they are none. That it is true, `group.prepareCommit` makes sure. */
  readonly "keyPackages.owners": Method<
    { readonly keyPackages: readonly Uint8Array[] },
    { readonly owners: readonly (GroupMember | null)[] }
  >;
  /** Brings a stored group back. Errors: `vault-damaged`. */
  readonly "group.load": Method<
    { readonly conversationId: ConversationId; readonly pieces: readonly StoredGroupPiece[] },
    {
      readonly summary: GroupSummary;
      /** Whether a commit of ours was under way whose outcome must be read from the log. */
      readonly pendingCommitEpoch: number | null;
    }
  >;
  /** Forgets a group in memory. */
  readonly "group.unload": Method<{ readonly conversationId: ConversationId }, Nothing>;
  readonly "group.create": Method<
    {
      readonly suite: SuiteName;
      readonly conversationId: ConversationId;
      readonly roomState: RoomState;
    },
    {
      readonly summary: GroupSummary;
      readonly groupInfo: Uint8Array;
      readonly writes: GroupWrites;
    }
  >;
  /** Which key packages a Welcome was made for. */
  readonly "group.welcomeTargets": Method<
    { readonly welcome: Uint8Array },
    { readonly refs: readonly KeyPackageRef[] }
  >;
  readonly "group.join": Method<
    {
      readonly welcome: Uint8Array;
      readonly ref: KeyPackageRef;
      readonly sealedPrivate: Uint8Array;
      readonly conversationId: ConversationId;
    },
    | {
        readonly kind: "joined";
        /** Who signed the Welcome. */
        readonly inviter: GroupMember;
        readonly summary: GroupSummary;
        readonly writes: GroupWrites;
      }
    | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
    | { readonly kind: "refused"; readonly code: ErrorCode }
  >;
  /**
   * Makes a commit. The group stays at its epoch, and `writes` keeps the prepared next state, until `group.settleCommit`.
   * Errors: `not-allowed`, `commit-refused`.
   */
  readonly "group.prepareCommit": Method<
    {
      readonly conversationId: ConversationId;
      readonly addKeyPackages: readonly Uint8Array[];
      readonly removeDevices: readonly DeviceId[];
      readonly roomState: RoomState | null;
      /** Goes along in clear, signed: the mark of the epoch that it ends. Left out: nothing. */
      readonly authenticatedData?: Uint8Array;
    },
    {
      readonly epoch: number;
      readonly bytes: Uint8Array;
      readonly welcome: Uint8Array | null;
      readonly groupInfo: Uint8Array;
      readonly added: readonly GroupMember[];
      readonly removed: readonly GroupMember[];
      readonly writes: GroupWrites;
    }
  >;
  /**
   * Makes the log entry that takes a conversation over to `suite`, which must be the one that the network's policy names: the commit that ends its
   * group, and the Welcome to the one that goes on in its place. `keyPackages`: one of each other device in it. Then as
   * `group.prepareCommit`. Errors: `commit-refused`, also when somebody is left behind; `key-packages-exhausted`, `device-unknown`.
   */
  readonly "group.prepareReinit": Method<
    {
      readonly conversationId: ConversationId;
      readonly suite: SuiteName;
      readonly keyPackages: readonly Uint8Array[];
      readonly authenticatedData: Uint8Array;
    },
    {
      readonly epoch: number;
      readonly bytes: Uint8Array;
      readonly groupInfo: Uint8Array;
      readonly writes: GroupWrites;
    }
  >;
  /** Takes what `group.open` has called a `reinit`. It is refused unless it leads to `suite`, the one that the network's policy named then. */
  readonly "group.openReinit": Method<
    {
      readonly conversationId: ConversationId;
      readonly bytes: Uint8Array;
      readonly receivedAtMs: number;
      readonly suite: SuiteName;
      readonly ref: KeyPackageRef;
      readonly sealedPrivate: Uint8Array;
    },
    Exclude<OpenedEntry, { readonly kind: "application" | "leave-proposed" | "reinit" | "removed" }>
  >;
  /**
   * Joins a group anew by an external commit that takes the place of this device's old leaf (RFC 9420 §12.4.3.2, "resync"), after its state was lost
   * or rolled back; whatever is loaded of the group is forgotten. `group.settleCommit` tells how it ended, and an entry of another
   * device for the same epoch makes it void. `roomState` and members come from the GroupInfo, whose signer must be a trusted device; whether
   * this device knows it to be of the conversation is for the caller to judge. `people`: everybody who is in the group then.
   * Errors: `commit-refused`, `device-unknown`, `members-unvouched`.
   */
  readonly "group.prepareRejoin": Method<
    { readonly conversationId: ConversationId; readonly groupInfo: Uint8Array },
    {
      readonly epoch: number;
      readonly bytes: Uint8Array;
      readonly groupInfo: Uint8Array;
      readonly signer: GroupMember;
      readonly people: readonly UserId[];
      readonly suite: string;
      readonly writes: GroupWrites;
    }
  >;
  /** The relay has ordered our commit (`accepted`) or another one of the same epoch. */
  readonly "group.settleCommit": Method<
    { readonly conversationId: ConversationId; readonly accepted: boolean },
    {
      readonly summary: GroupSummary;
      /** null when it lost. */
      readonly change: GroupChange | null;
      readonly writes: GroupWrites;
    }
  >;
  /**
   * Asks the others to take this person's devices out: nobody can commit their own removal (RFC 9420 §12.2). The entries go to the
   * group log in order, like application messages, and come out of `group.open` as `leave-proposed`.
   */
  readonly "group.proposeLeave": Method<
    { readonly conversationId: ConversationId },
    {
      readonly epoch: number;
      readonly entries: readonly Uint8Array[];
      readonly writes: GroupWrites;
    }
  >;
  /**
   * Encrypts an application message for the current epoch, padded (Padmé).
   * Errors: `epoch-unknown` while somebody's wish to leave waits for its commit.
   */
  readonly "group.seal": Method<
    {
      readonly conversationId: ConversationId;
      readonly content: Uint8Array;
      readonly authenticatedData: Uint8Array;
    },
    {
      readonly epoch: number;
      /** Its place among this device's of the epoch: by it others say that they miss it. */
      readonly generation: number;
      readonly bytes: Uint8Array;
      readonly writes: GroupWrites;
    }
  >;
  /** Signs that this device can't take a commit, with the device key. */
  readonly "rejection.sign": Method<
    { readonly place: CommitPlace },
    { readonly signature: Uint8Array }
  >;
  /** Which devices have signed that they can't take a commit, of those whose records are believed. */
  readonly "rejection.check": Method<
    {
      readonly place: CommitPlace;
      readonly rejections: readonly {
        readonly deviceId: DeviceId;
        readonly signature: Uint8Array;
      }[];
    },
    { readonly devices: readonly DeviceId[] }
  >;
  /**
   * Takes a log entry of another device. Never feed our own back. `receivedAtMs` is when the relay had it; left out: now. A commit that is refused
   * with `not-allowed` may be allowed by a suspension or revocation that `directory.trust` hasn't been told of.
   */
  readonly "group.open": Method<
    {
      readonly conversationId: ConversationId;
      readonly bytes: Uint8Array;
      readonly receivedAtMs?: number;
    },
    OpenedEntry
  >;

  // Linking a device (docs/adr/0025). The owner shows a code, the joiner enters it; what they say goes over a rendezvous of the relay.
  /** A new code, for the person to carry to the other computer; a code that was shown before ends. */
  readonly "link.begin": Method<
    Nothing,
    { readonly rendezvousId: RendezvousId; readonly code: string }
  >;
  /** `message`: the first one to be sent. `seat`: this guest's token. Errors: `link-code-malformed`. */
  readonly "link.enter": Method<
    { readonly code: string },
    {
      readonly rendezvousId: RendezvousId;
      readonly seat: Uint8Array;
      readonly message: Uint8Array;
    }
  >;
  /** Takes the other side's next message, each once and in order. Errors: `link-refused` and `link-ended`, after which it is over. */
  readonly "link.take": Method<
    { readonly rendezvousId: RendezvousId; readonly message: Uint8Array },
    LinkStep
  >;
  /** The joiner's person has said that the symbols match: a device key is made here, and offered. */
  readonly "link.offerDevice": Method<
    { readonly rendezvousId: RendezvousId; readonly deviceName: string; readonly platform: string },
    { readonly message: Uint8Array }
  >;
  /**
   * The owner's person has said that the symbols match, and the offered device is in the directory: gives it the account key.
   * `facts`: what else it should know, at most 40 KiB. Errors: `not-ready` before a device was offered.
   */
  readonly "link.giveAccount": Method<
    { readonly rendezvousId: RendezvousId; readonly facts: Uint8Array },
    { readonly message: Uint8Array; readonly channel: LinkChannel }
  >;
  readonly "link.say": Method<
    { readonly rendezvousId: RendezvousId; readonly word: "declined" | "done" },
    { readonly message: Uint8Array }
  >;
  /** Forgets a linking. */
  readonly "link.end": Method<{ readonly rendezvousId: RendezvousId }, Nothing>;
  /** Seals what goes over the lasting channel. */
  readonly "link.sealMessage": Method<
    { readonly sealedChannel: Uint8Array; readonly plain: Uint8Array },
    { readonly sealed: Uint8Array }
  >;
  /** null for what the other device hasn't sealed. */
  readonly "link.openMessage": Method<
    { readonly sealedChannel: Uint8Array; readonly sealed: Uint8Array },
    { readonly plain: Uint8Array | null }
  >;
  /** Opens bodies of this vault and seals them for the other device; null where the key is gone. */
  readonly "link.exportBodies": Method<
    {
      readonly sealedChannel: Uint8Array;
      readonly items: readonly (BodyItem & { readonly sealed: Uint8Array })[];
    },
    { readonly boxed: readonly (Uint8Array | null)[] }
  >;
  /** The other way round: opens what the other device has sealed, and seals it for this vault. */
  readonly "link.importBodies": Method<
    {
      readonly sealedChannel: Uint8Array;
      readonly items: readonly (BodyItem & { readonly boxed: Uint8Array })[];
    },
    { readonly sealed: readonly (Uint8Array | null)[] }
  >;

  // Sweeps.
  /**
   * Starts the deadline heap. Answers with what has ended already, to be destroyed before anything is shown.
   * `floorMs`: the largest time ever seen; time never runs behind it.
   */
  readonly "sweep.begin": Method<
    { readonly floorMs: number; readonly deadlines: readonly Deadline[] },
    { readonly due: readonly MessageId[]; readonly nowMs: number }
  >;
  /** Adds or moves deadlines. What is due at once comes as an event. */
  readonly "sweep.schedule": Method<{ readonly deadlines: readonly Deadline[] }, Nothing>;
  readonly "sweep.cancel": Method<{ readonly messageIds: readonly MessageId[] }, Nothing>;
  /**
   * The relay's clock, seen just now. A little ahead, it is followed; where both clocks agree, time begins anew from it, even behind the
   * floor; far away (more than ten minutes), it says nothing.
   */
  readonly "sweep.observeTime": Method<
    { readonly relayTimeMs: number },
    { readonly nowMs: number }
  >;
}

/** The name of a worker request. */
export type WorkerMethodName = keyof WorkerMethods;
/** What a worker request takes. */
export type WorkerParams<Name extends WorkerMethodName> = WorkerMethods[Name]["params"];
/** What a worker request gives. */
export type WorkerResult<Name extends WorkerMethodName> = WorkerMethods[Name]["result"];

/** What the worker says by itself. */
export interface WorkerEvents {
  /** These messages have reached their end; `nowMs` is the floor to be stored with their destruction. */
  readonly "sweep.due": { readonly messageIds: readonly MessageId[]; readonly nowMs: number };
}

/** The name of a worker event. */
export type WorkerEventName = keyof WorkerEvents;

/** To the worker, over its port. */
export interface WorkerRequest {
  readonly id: number;
  readonly method: WorkerMethodName;
  readonly params: unknown;
}

/** From the worker, over its port. */
export type WorkerMessage =
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: WireError }
  | { readonly kind: "event"; readonly name: WorkerEventName; readonly body: unknown };

/** The worker as its clients see it; two hosts: `worker_threads` and Electron's `utilityProcess`. */
export interface CryptoWorker {
  /** @throws AppError with the worker's code, or `worker-stopped` */
  call<Name extends WorkerMethodName>(
    method: Name,
    params: WorkerParams<Name>,
  ): Promise<WorkerResult<Name>>;
  /** @returns a disposer */
  on<Name extends WorkerEventName>(
    name: Name,
    listener: (body: WorkerEvents[Name]) => void,
  ): () => void;
  /** Called when the worker has died and was started again, with empty memory. @returns a disposer */
  onRestart(listener: () => void): () => void;
  /** Ends the worker for good. */
  dispose(): Promise<void>;
}
