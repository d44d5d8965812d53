import type { WebSocket } from "@fastify/websocket";
import { EventEmitter } from "node:events";
import {
  decodeRecord,
  inviteTokenBytes,
  policySuite,
  suiteNames,
  type ConversationId,
  type DeviceId,
  type MessageId,
  type Ordered,
  type Policy,
  type SignedRecord,
  type SuiteName,
} from "#protocol";
import { signRecord } from "../../crypto/identity/records.ts";
import { networkIdOf, type Identity } from "../../crypto/identity/identity.ts";
import type { Primitives, SignatureKeyPair } from "../../crypto/primitives/index.ts";
import type { DeviceCaller, RelayContext, VisitorCaller } from "../../relay/domain/context.ts";
import { createHandlers, type RelayHandlers } from "../../relay/domain/handlers.ts";
import { inboxEntries, inboxEntrySlot } from "../../relay/domain/layout.ts";
import { currentClaimCode, loadIssuer, prepareRelay } from "../../relay/domain/network.ts";
import { createSweeper } from "../../relay/domain/sweeper.ts";
import { Connections } from "../../relay/link/connections.ts";
import { createDispatch } from "../../relay/link/dispatcher.ts";
import { defaultLimits } from "../../relay/link/limits.ts";
import { silentLog, type Log } from "../../relay/log.ts";
import { readerOf } from "../../relay/storage/transaction.ts";
import { createUnits } from "../../relay/storage/units.ts";
import { createMemoryStorage } from "./memory-storage.ts";
import type { Timeline } from "./timeline.ts";

const dayMs = 86_400_000;
const daySeconds = 86_400;
/** How an entry begins by which a conversation goes over to another suite: `crypto/mls/codec.ts`. */
const cborArrayOfTwo = 0x82;
/** The wire format of a commit from outside; all others are PrivateMessages. RFC 9420 §6, §12.4.3.2. */
const publicMessage = 1;

/** What the relay has ordered, as it tells nobody else: the truth that everybody's view is held against. */
export type LogItem =
  | {
      readonly kind: "message";
      readonly sequence: number;
      readonly messageId: MessageId;
      readonly by: DeviceId;
    }
  | {
      readonly kind: "commit";
      readonly sequence: number;
      readonly atMs: number;
      readonly by: DeviceId;
      /** Its device joined anew by it. */
      readonly fromOutside: boolean;
      readonly epoch: number;
      readonly add: readonly DeviceId[];
      readonly remove: readonly DeviceId[];
    };

/** One conversation's log. */
export interface TrueLog {
  readonly creator: DeviceId;
  readonly items: LogItem[];
  epoch: number;
}

/** The relay's end of a socket that leads nowhere but to the other end. */
export class RelayEnd extends EventEmitter {
  readonly #toClient: (frame: Uint8Array) => void;
  readonly #hangUp: () => void;

  constructor(toClient: (frame: Uint8Array) => void, hangUp: () => void) {
    super();
    this.#toClient = toClient;
    this.#hangUp = hangUp;
  }

  send(frame: Uint8Array, _options: unknown, done: () => void): void {
    this.#toClient(frame.slice());
    done();
  }
  close(): void {
    this.#hangUp();
  }
  terminate(): void {
    this.#hangUp();
  }
  ping(): void {
    this.emit("pong");
  }
  pause(): void {
    // It never has so much to do.
  }
  resume(): void {
    // As above.
  }
}

/** The relay's real domain and connections, on a storage in memory and a {@link Timeline}. */
export class SimulatedRelay {
  readonly logs = new Map<ConversationId, TrueLog>();
  /** Called when a commit was ordered. */
  onCommit: (conversationId: ConversationId, by: DeviceId, sequence: number) => void = () =>
    undefined;
  commits = 0;
  /** How many of the commits took a conversation over to another suite. */
  reinits = 0;
  /** The suite that the policy names which the relay has. */
  suite: SuiteName = suiteNames.default;
  readonly context: RelayContext;
  readonly handlers: RelayHandlers;
  readonly #connections: Connections;

  private constructor(context: RelayContext) {
    this.context = context;
    const handlers = createHandlers(context);
    this.handlers = {
      ...handlers,
      "network.claim": async (params, caller) => {
        const claimed = await handlers["network.claim"](params, caller);
        this.suite = suiteIn(params.policy);
        return claimed;
      },
      "policy.set": async (params, caller) => {
        const done = await handlers["policy.set"](params, caller);
        this.suite = suiteIn(params.policy);
        return done;
      },
      "group.create": async (params, caller) => {
        const done = await handlers["group.create"](params, caller);
        const { conversationId } = params;
        if (!this.logs.has(conversationId)) {
          this.logs.set(conversationId, { creator: caller.deviceId, items: [], epoch: 0 });
        }
        return done;
      },
      "group.commit": async (params, caller) => {
        const ordered = await handlers["group.commit"](params, caller);
        this.#noteCommit(params, caller, ordered);
        return ordered;
      },
      "group.append": async (params, caller) => {
        const ordered = await handlers["group.append"](params, caller);
        const { conversationId, messageId } = params;
        if (ordered.kind === "accepted") {
          const { sequence } = ordered;
          const by = caller.deviceId;
          this.#note(conversationId, { kind: "message", sequence, messageId, by });
        }
        return ordered;
      },
      // Fewer key packages than outside: making them would take most of the time.
      "session.signIn": async (params, caller) => {
        const session = await handlers["session.signIn"](params, caller);
        return { ...session, keyPackagesLeft: statedLeft(session.keyPackagesLeft) };
      },
      "keyPackages.publish": async (params, caller) => {
        const { keyPackagesLeft } = await handlers["keyPackages.publish"](params, caller);
        return { keyPackagesLeft: statedLeft(keyPackagesLeft) };
      },
    };
    const many = { burst: 1e9, perSecond: 1e9 };
    this.#connections = new Connections(context, createDispatch(this.handlers, context.log), {
      ...defaultLimits,
      maxRequests: 100_000,
      keepAliveMs: dayMs,
      visitorRate: many,
      deviceRate: many,
    });
  }

  /** @param onError - told what went wrong in the relay itself */
  static async start(
    timeline: Timeline,
    random: (sizeBytes: number) => Uint8Array,
    onError: (what: string, error: unknown) => void,
  ): Promise<SimulatedRelay> {
    const log: Log = { ...silentLog, error: onError };
    const storage = createMemoryStorage();
    const sweeper = createSweeper(() => context);
    const context: RelayContext = {
      storage,
      units: createUnits(storage),
      reader: readerOf(storage),
      clock: {
        nowMs: () => timeline.now(),
        setTimer: (action, delayMs) => timeline.at(delayMs, action),
      },
      random,
      log,
      wakeAt: (atMs) => {
        sweeper.wakeAt(atMs);
      },
    };
    await prepareRelay(context);
    await sweeper.start();
    return new SimulatedRelay(context);
  }

  /** @returns the relay's end, to which the client's frames go as "message" and its hanging up as "close" */
  open(toClient: (frame: Uint8Array) => void, hangUp: () => void): RelayEnd {
    const end = new RelayEnd(toClient, hangUp);
    // As much of a WebSocket as the relay uses.
    this.#connections.open(end as unknown as WebSocket);
    return end;
  }

  /** Whether a device's inbox holds anything behind a sequence. */
  async hasMail(deviceId: DeviceId, afterSequence: number): Promise<boolean> {
    const prefix = inboxEntries(deviceId);
    const after = inboxEntrySlot(deviceId, afterSequence).key;
    return (await this.context.reader.listKeys({ prefix, after, limit: 1 })).length > 0;
  }

  #noteCommit(
    params: Parameters<RelayHandlers["group.commit"]>[0],
    { deviceId: by }: DeviceCaller,
    ordered: Ordered,
  ): void {
    if (ordered.kind !== "accepted") return;
    const { conversationId, epoch, add, remove, bytes } = params;
    const { sequence, receivedAtMs: atMs } = ordered;
    const fromOutside = isPublicMessage(bytes);
    const commit = { kind: "commit", sequence, atMs, by, fromOutside, epoch, add, remove } as const;
    if (!this.#note(conversationId, commit)) return;
    this.commits += 1;
    if (bytes[0] === cborArrayOfTwo) this.reinits += 1;
    this.logs.get(conversationId)!.epoch = epoch + 1;
    this.onCommit(conversationId, by, sequence);
  }

  /** @returns whether it is new: the same request may be repeated */
  #note(conversationId: ConversationId, item: LogItem): boolean {
    const items = this.logs.get(conversationId)!.items;
    if (items.some(({ sequence }) => sequence === item.sequence)) return false;
    items.push(item);
    return true;
  }
}

/** An MLSMessage begins with its version and its wire format, two bytes each. */
function isPublicMessage(bytes: Uint8Array): boolean {
  return bytes[0] !== cborArrayOfTwo && bytes[3] === publicMessage;
}

function suiteIn(policy: SignedRecord): SuiteName {
  return policySuite(decodeRecord("policy", policy.payload));
}

/** A refill makes 20 where it would make 100, and only once nearly none are left. */
export function statedLeft(left: number): number {
  return left < 4 ? 49 : 95 + left;
}

/** Somebody who isn't signed in, and never will be. */
export const visitor: VisitorCaller = {
  challenge: new Uint8Array(32),
  signIn: () => Promise.resolve(),
};

/** What the network's administrator holds, and what the relay serves. */
export interface SimulatedNetwork {
  readonly policy: SignedRecord;
  readonly issuer: { readonly certificate: SignedRecord; readonly key: Uint8Array };
  readonly key: SignatureKeyPair;
  readonly administratorToken: Uint8Array;
  readonly networkId: ReturnType<typeof networkIdOf>;
}

/** Claims a relay for a new network. */
export async function claimRelay(
  { context, handlers }: SimulatedRelay,
  { ed25519 }: Primitives,
  suite: SuiteName,
): Promise<SimulatedNetwork> {
  const key = ed25519.generateKeyPair();
  const networkId = networkIdOf(key.publicKey);
  const nowMs = context.clock.nowMs();
  const value: Policy = {
    networkId,
    networkName: "Harbour",
    version: 1,
    issuedAtMs: nowMs,
    maxExpirationSeconds: 365 * daySeconds,
    defaultExpirationSeconds: 200 * daySeconds,
    membersMayInvite: true,
    suite,
  };
  const policy = signRecord(ed25519, "policy", value, key.privateKey);
  const { publicKey: issuerKey } = await loadIssuer(context);
  const lifetime = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 3650 * dayMs };
  const issued = { networkId, issuerKey, ...lifetime };
  const certificate = signRecord(ed25519, "issuerCertificate", issued, key.privateKey);
  const { administratorToken } = await handlers["network.claim"](
    {
      claimCode: (await currentClaimCode(context)) ?? "",
      networkKey: key.publicKey,
      issuerCertificate: certificate,
      policy,
    },
    visitor,
  );
  if (administratorToken.length !== inviteTokenBytes) throw new Error("no token");
  return { policy, issuer: { certificate, key: issuerKey }, key, administratorToken, networkId };
}

/** A device's record, as its person signs it. */
export function signDevice(
  { ed25519 }: Primitives,
  { networkId }: SimulatedNetwork,
  identity: Identity,
  device: { readonly deviceName: string; readonly createdAtMs: number },
): SignedRecord {
  const { userId, deviceId, account, signature } = identity;
  const signatureKey = signature.publicKey;
  const value = { networkId, userId, deviceId, platform: "linux", signatureKey, ...device };
  return signRecord(ed25519, "device", value, account.privateKey);
}
