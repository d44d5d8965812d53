import type { CiphersuiteName, ClientConfig, ClientState, GroupState } from "ts-mls";
import { decodeGroupStateWithoutTree, encodeGroupStateWithoutTree } from "ts-mls/clientState.js";
import { nodeWidth } from "ts-mls/treemath.js";
import * as v from "valibot";
import { AppError, decodeCbor, encodeCbor, parse } from "#protocol";
import { wipe } from "../primitives/index.ts";
import { groupChangeSchema } from "./change-schema.ts";
import type { GroupMemory, PendingCommit } from "./memory.ts";
import { decodeStored, type PieceMap, type PieceReader } from "./piece-rows.ts";
import { changedSecrets, readSecrets } from "./secret-pieces.ts";
import { changedTree, readTree } from "./tree-pieces.ts";

/*
 * A group's state as rows (docs/adr/0026), each written only when it changes:
 *
 * - `epoch`: what every commit changes and no message does: group context, key schedule, private keys of the path;
 * - `tree/<node>`: the ratchet tree, see tree-pieces.ts;
 * - `secrets/<node>`: the secret tree, see secret-pieces.ts;
 * - `pending`: our commit under way; `pending/epoch`, `pending/secrets/<node>` and, where they differ, `pending/tree/<node>`: the
 *   state that it leads to.
 *
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

const maxPendingBytes = 1024 * 1024;
const noBytes = new Uint8Array(0);
const pendingPrefix = "pending/";

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
  const [state, nextState] = [before?.state ?? null, after?.state ?? null];
  const rows = new Map([
    ...changedEpoch(state, nextState),
    ...changedTree(state?.ratchetTree ?? [], nextState?.ratchetTree ?? []),
    ...changedSecrets(state?.secretTree ?? null, nextState?.secretTree ?? null),
  ]);
  const [pending, nextPending] = [before?.pending ?? null, after?.pending ?? null];
  if (pending !== nextPending) {
    for (const [name, plain] of pendingRows(before)) {
      // Of what is stored the names alone are wanted.
      wipe(plain ?? undefined);
      rows.set(name, null);
    }
    for (const [name, plain] of pendingRows(after)) rows.set(name, plain);
  }
  return [...rows].map(([name, plain]) => ({ name, plain }));
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
    const state = revived(readState(piece, { treeRow: piece, base: [] }));
    if (!pieces.has("pending")) return { state, pending: null };
    const stored = parse(pendingSchema, decodeCbor(piece("pending"), maxPendingBytes));
    if ("rejoin" in stored) return { state, pending: { kind: "rejoin", change: stored.rejoin } };
    const changed = new Set(stored.tree);
    const pendingPiece: PieceReader = (name) => piece(`${pendingPrefix}${name}`);
    const next = readState(pendingPiece, {
      treeRow: (name) => (changed.has(name) ? pendingPiece(name) : undefined),
      base: state.ratchetTree,
    });
    const { change } = stored;
    return { state, pending: { kind: "commit", next: revived(next), change, consumed: [] } };
  } catch (cause) {
    wipe(...pieces.values());
    throw cause instanceof AppError && cause.code === "vault-damaged"
      ? cause
      : new AppError("vault-damaged", { cause, data: { reason: "group state" } });
  }
}

function readState(
  piece: PieceReader,
  tree: {
    readonly treeRow: (name: string) => Uint8Array | undefined;
    readonly base: ClientState["ratchetTree"];
  },
): GroupState {
  const epochPart = decodeStored(decodeGroupStateWithoutTree([]), piece("epoch"));
  const { leafWidth } = epochPart.secretTree;
  return {
    ...epochPart,
    ratchetTree: readTree(nodeWidth(leafWidth), tree.treeRow, tree.base),
    secretTree: readSecrets(leafWidth, piece),
  };
}

function changedEpoch(before: ClientState | null, after: ClientState | null): PieceMap {
  if (after === null) return new Map([["epoch", null]]);
  if (before !== null && sameEpochPart(before, after)) return new Map();
  return new Map([["epoch", encodeEpochPart(after)]]);
}

function sameEpochPart(left: ClientState, right: ClientState): boolean {
  return (
    left.groupContext === right.groupContext &&
    left.keySchedule === right.keySchedule &&
    left.privatePath === right.privatePath &&
    left.unappliedProposals === right.unappliedProposals &&
    left.confirmationTag === right.confirmationTag &&
    left.groupActiveState === right.groupActiveState
  );
}

/** Of the trees it holds the width alone. */
function encodeEpochPart(state: ClientState): Uint8Array {
  const { leafWidth } = state.secretTree;
  return encodeGroupStateWithoutTree({
    ...state,
    secretTree: { leafWidth, root: { kind: "secret", secret: noBytes } },
    signaturePrivateKey: noBytes,
    historicalReceiverData: new Map(),
  });
}

const pendingSchema = v.union([
  v.strictObject({ change: groupChangeSchema, tree: v.array(v.string()) }),
  v.strictObject({ rejoin: groupChangeSchema }),
]);

/** All rows of a commit under way: `tree` names those in which its ratchet tree differs from the present one. */
function pendingRows(memory: GroupMemory | null): ReadonlyMap<string, Uint8Array | null> {
  const pending = memory?.pending ?? null;
  if (memory === null || pending === null) return new Map();
  if (pending.kind === "rejoin") {
    return new Map([["pending", encodeCbor({ rejoin: pending.change })]]);
  }
  const tree = changedTree(memory.state.ratchetTree, pending.next.ratchetTree);
  for (const [name, plain] of tree) if (plain === null) tree.delete(name);
  const rows = [
    ...changedEpoch(null, pending.next),
    ...tree,
    ...changedSecrets(null, pending.next.secretTree),
  ].map(([name, plain]) => [`${pendingPrefix}${name}`, plain] as const);
  const head = encodeCbor({ change: pending.change, tree: [...tree.keys()] });
  return new Map([["pending", head], ...rows]);
}
