import type { SecretTree, SecretTreeNode } from "ts-mls";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { decodeSecretTreeNode, secretTreeNodeEncoder } from "ts-mls/secretTree.js";
import { left, right, root, type NodeIndex } from "ts-mls/treemath.js";
import { AppError } from "#protocol";
import { decodeStored, levelOf, type PieceMap, type PieceReader } from "./piece-rows.ts";

/*
 * The secret tree in rows. It is expanded only where messages went (RFC 9420 §9), and only what is still needed is in it. The
 * row `secrets/<node index>` holds three levels of an expanded subtree; what is expanded below them has a row of its own,
 * and a leaf's ratchets always have. So an epoch begins with one secret, a sender's first message writes a row for every three
 * levels, and each further one the ratchets of one leaf.
 */

const levelsPerRow = 3;

/** Stands in a row for a subtree that has its own; a secret is never empty. */
const elsewhere: SecretTreeNode = { kind: "secret", secret: new Uint8Array(0) };

interface Place {
  readonly index: NodeIndex;
  readonly isRoot: boolean;
}

type Side = "left" | "right";

/** The nodes at one place of two trees. */
type Pair = readonly [SecretTreeNode | undefined, SecretTreeNode | undefined];

/** The rows in which `after` differs from `before`. */
export function changedSecrets(before: SecretTree | null, after: SecretTree | null): PieceMap {
  const rows: PieceMap = new Map();
  if (before?.leafWidth === after?.leafWidth) visit(before, after, rows);
  else {
    visit(before, null, rows);
    visit(null, after, rows);
  }
  return rows;
}

/** @throws AppError `vault-damaged` */
export function readSecrets(leafWidth: number, row: PieceReader): SecretTree {
  const joined = (node: SecretTreeNode, place: Place, isTop: boolean): SecretTreeNode => {
    if (node.kind === "parent") {
      const child = (side: Side): SecretTreeNode =>
        joined(node[side], below(place.index, side), false);
      return { kind: "parent", left: child("left"), right: child("right") };
    }
    if (node.kind === "leaf" || node.secret.length > 0) return node;
    if (!isTop && beginsRow(place)) return readRow(place);
    throw new AppError("vault-damaged", { data: { reason: "no secret" } });
  };
  const readRow = (place: Place): SecretTreeNode =>
    joined(decodeStored(decodeSecretTreeNode, row(nameOf(place.index))), place, true);
  return { leafWidth, root: readRow(rootOf(leafWidth)) };
}

function rootOf(leafWidth: number): Place {
  return { index: root(leafWidth), isRoot: true };
}

function below(index: NodeIndex, side: Side): Place {
  return { index: side === "left" ? left(index) : right(index), isRoot: false };
}

function nameOf(index: number): string {
  return `secrets/${String(index)}`;
}

function beginsRow({ index, isRoot }: Place): boolean {
  return isRoot || levelOf(index) % levelsPerRow === 0;
}

function hasRow(node: SecretTreeNode | undefined, place: Place): boolean {
  if (node === undefined || !beginsRow(place)) return false;
  return place.isRoot || node.kind !== "secret";
}

function visit(before: SecretTree | null, after: SecretTree | null, rows: PieceMap): void {
  const leafWidth = after?.leafWidth ?? before?.leafWidth;
  if (leafWidth !== undefined) visitNode([before?.root, after?.root], rootOf(leafWidth), rows);
}

function visitNode([before, after]: Pair, place: Place, rows: PieceMap): void {
  if (before === after) return;
  if (after !== undefined && hasRow(after, place)) {
    const isStored = hasRow(before, place) && sameRow([before, after], place, true);
    if (!isStored) rows.set(nameOf(place.index), encodeRow(after, place));
  } else if (hasRow(before, place)) {
    rows.set(nameOf(place.index), null);
  }
  for (const side of ["left", "right"] as const) {
    const pair: Pair = [childOf(before, side), childOf(after, side)];
    if (pair[0] !== pair[1]) visitNode(pair, below(place.index, side), rows);
  }
}

function childOf(node: SecretTreeNode | undefined, side: Side): SecretTreeNode | undefined {
  return node?.kind === "parent" ? node[side] : undefined;
}

/** Whether the row that begins at the top of both holds the same; what lies in rows of its own doesn't count. */
function sameRow([before, after]: Pair, place: Place, isTop: boolean): boolean {
  if (before === after) return true;
  if (!isTop && hasRow(before, place) && hasRow(after, place)) return true;
  if (before?.kind !== "parent" || after?.kind !== "parent") return false;
  return (["left", "right"] as const).every((side) =>
    sameRow([before[side], after[side]], below(place.index, side), false),
  );
}

function encodeRow(node: SecretTreeNode, place: Place): Uint8Array {
  return encode(secretTreeNodeEncoder)(ownPart(node, place, true));
}

function ownPart(node: SecretTreeNode, place: Place, isTop: boolean): SecretTreeNode {
  if (!isTop && hasRow(node, place)) return elsewhere;
  if (node.kind !== "parent") return node;
  return {
    kind: "parent",
    left: ownPart(node.left, below(place.index, "left"), false),
    right: ownPart(node.right, below(place.index, "right"), false),
  };
}
