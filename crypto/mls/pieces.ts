import {
  decodeGroupState,
  encodeGroupState,
  type CiphersuiteName,
  type ClientConfig,
  type ClientState,
  type Decoder,
  type GenerationSecret,
  type GroupState,
  type SecretTree,
  type SecretTreeNode,
} from "ts-mls";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { decodeSecretTree, secretTreeEncoder } from "ts-mls/secretTree.js";
import * as v from "valibot";
import { AppError, decodeCbor, encodeCbor, parse } from "#protocol";
import { wipe } from "../primitives/index.ts";
import { groupChangeSchema } from "./change-schema.ts";
import type { GroupMemory, PendingCommit } from "./memory.ts";

/*
 * A group's state as rows. `epoch` holds what a commit changes; `ratchets/<n>` the sending and receiving ratchets of eight
 * leaves each, so that a message writes one small row whatever the group's size; `pending` our commit under way.
 * The device's signature key is not among them: it is the same in every group of a suite and comes from the identity.
 */

/** A row in clear; null: to be deleted. Secret: `plain`; whoever seals it wipes it. */
export interface PlainPiece {
  readonly name: string;
  readonly plain: Uint8Array | null;
}

/** What {@link readPieces} finds. */
export interface ReadGroup {
  readonly state: ClientState;
  readonly pending: PendingCommit | null;
}

const leavesPerChunk = 8;
const maxPendingBytes = 32 * 1024 * 1024;
const noBytes = new Uint8Array(0);

const noRatchet: GenerationSecret = { secret: noBytes, generation: 0, unusedGenerations: {} };
/** Stands at the parents' places of a secret tree, which no message is keyed from. */
const noNode: SecretTreeNode = { handshake: noRatchet, application: noRatchet };

/**
 * The rows in which `after` differs from `before`.
 *
 * @param before - what is stored; null: nothing yet
 * @param after - null: the group goes
 */
export function changedPieces(
  before: GroupMemory | null,
  after: GroupMemory | null,
): readonly PlainPiece[] {
  const pieces: PlainPiece[] = [];
  if (after !== null && (before === null || !sameEpochPart(before.state, after.state))) {
    pieces.push({ name: "epoch", plain: encodeEpochPart(after.state) });
  }
  if (after === null) pieces.push({ name: "epoch", plain: null });
  pieces.push(...changedRatchets(before?.state.secretTree ?? [], after?.state.secretTree ?? []));
  const [pendingBefore, pendingAfter] = [before?.pending ?? null, after?.pending ?? null];
  if (pendingBefore !== pendingAfter) {
    pieces.push({
      name: "pending",
      plain: pendingAfter === null ? null : encodePending(pendingAfter),
    });
  }
  return pieces;
}

/**
 * Puts a group together from all its rows.
 *
 * @param pieces - taken over: the secrets of the group are windows into them, wiped one by one as they are used up
 * @param signaturePrivateKeyOf - the device's key in groups of a suite
 * @throws AppError `vault-damaged` when one is missing or isn't what it should be
 */
export function readPieces(
  pieces: ReadonlyMap<string, Uint8Array>,
  signaturePrivateKeyOf: (suite: CiphersuiteName) => Uint8Array,
  clientConfig: ClientConfig,
): ReadGroup {
  const piece = (name: string): Uint8Array => {
    const plain = pieces.get(name);
    if (plain === undefined) throw new AppError("vault-damaged", { data: { missingPiece: name } });
    return plain;
  };
  const revived = (state: GroupState): ClientState => ({
    ...state,
    signaturePrivateKey: signaturePrivateKeyOf(state.groupContext.cipherSuite),
    clientConfig,
  });
  try {
    const epochPart = decodeStored(decodeGroupState, piece("epoch"));
    const secretTree: SecretTreeNode[] = [];
    for (let chunk = 0; secretTree.length < epochPart.ratchetTree.length; chunk++) {
      for (const node of decodeStored(decodeSecretTree, piece(chunkName(chunk)))) {
        if (secretTree.length > 0) secretTree.push(noNode);
        secretTree.push(node);
      }
    }
    const state = revived({ ...epochPart, secretTree });
    const plain = pieces.get("pending");
    const pending = plain === undefined ? null : decodePending(plain, revived);
    // Its state was copied out of it.
    wipe(plain);
    return { state, pending };
  } catch (cause) {
    wipe(...pieces.values());
    throw cause instanceof AppError && cause.code === "vault-damaged"
      ? cause
      : new AppError("vault-damaged", { cause, data: { reason: "group state" } });
  }
}

function sameEpochPart(left: ClientState, right: ClientState): boolean {
  return (
    left.groupContext === right.groupContext &&
    left.keySchedule === right.keySchedule &&
    left.ratchetTree === right.ratchetTree &&
    left.privatePath === right.privatePath &&
    left.unappliedProposals === right.unappliedProposals &&
    left.confirmationTag === right.confirmationTag &&
    left.groupActiveState === right.groupActiveState
  );
}

function encodeEpochPart(state: ClientState): Uint8Array {
  return encodeGroupState({
    ...state,
    secretTree: [],
    signaturePrivateKey: noBytes,
    historicalReceiverData: new Map(),
  });
}

/** Sealed rows are ours, so they needn't be the only encoding; but they end where they should. */
function decodeStored<Value>(decode: Decoder<Value>, bytes: Uint8Array): Value {
  const decoded = decode(bytes, 0);
  if (decoded?.[1] !== bytes.length) {
    throw new AppError("vault-damaged", { data: { reason: "a row of group state" } });
  }
  return decoded[0];
}

function chunkName(chunk: number): string {
  return `ratchets/${String(chunk)}`;
}

/** The ratchets of one chunk's leaves: every other node of the tree is a parent. */
function chunkOf(tree: SecretTree, chunk: number): SecretTree {
  const firstNode = 2 * leavesPerChunk * chunk;
  return tree
    .slice(firstNode, firstNode + 2 * leavesPerChunk)
    .filter((_, place) => place % 2 === 0);
}

function changedRatchets(before: SecretTree, after: SecretTree): readonly PlainPiece[] {
  if (before === after) return [];
  const nodes = Math.max(before.length, after.length);
  const pieces: PlainPiece[] = [];
  for (let chunk = 0; 2 * leavesPerChunk * chunk < nodes; chunk++) {
    const [stored, wanted] = [chunkOf(before, chunk), chunkOf(after, chunk)];
    if (wanted.length === 0) {
      pieces.push({ name: chunkName(chunk), plain: null });
    } else if (
      wanted.length !== stored.length ||
      wanted.some((node, place) => node !== stored[place])
    ) {
      pieces.push({ name: chunkName(chunk), plain: encode(secretTreeEncoder)(wanted) });
    }
  }
  return pieces;
}

const pendingSchema = v.union([
  v.strictObject({ next: v.instance(Uint8Array), change: groupChangeSchema }),
  v.strictObject({ rejoin: groupChangeSchema }),
]);

function encodePending(pending: PendingCommit): Uint8Array {
  if (pending.kind === "rejoin") return encodeCbor({ rejoin: pending.change });
  const { next, change } = pending;
  const state = encodeGroupState({ ...next, signaturePrivateKey: noBytes });
  const encoded = encodeCbor({ next: state, change });
  wipe(state);
  return encoded;
}

function decodePending(
  bytes: Uint8Array,
  revived: (state: GroupState) => ClientState,
): PendingCommit {
  const stored = parse(pendingSchema, decodeCbor(bytes, maxPendingBytes));
  if ("rejoin" in stored) return { kind: "rejoin", change: stored.rejoin };
  const next = revived(decodeStored(decodeGroupState, stored.next));
  return { kind: "commit", next, change: stored.change, consumed: [] };
}
