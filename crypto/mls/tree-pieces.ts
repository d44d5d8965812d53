import type { RatchetTree } from "ts-mls";
import { decodeOptional, optionalEncoder } from "ts-mls/codec/optional.js";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { decodeVarLenType, varLenTypeEncoder } from "ts-mls/codec/variableLength.js";
import { decodeNode, nodeEncoder } from "ts-mls/ratchetTree.js";
import { AppError } from "#protocol";
import { decodeStored, levelOf, type PieceMap } from "./piece-rows.ts";

/*
 * The ratchet tree in rows: `tree/<node index>` holds a parent at an odd level (or the root's place) and its two children. A
 * commit changes the nodes between a leaf and the root, so it writes a row for every two levels. A row of blank nodes is stored too:
 * one that is missing is damage.
 */

const encodeRow = encode(varLenTypeEncoder(optionalEncoder(nodeEncoder)));
const decodeRow = decodeVarLenType(decodeOptional(decodeNode));

/** A row's nodes: the left child, its parent, the right child; those inside a tree of `nodeWidth` nodes. */
function placesOf(parent: number, nodeWidth: number): readonly number[] {
  const half = 1 << (levelOf(parent) - 1);
  return [parent - half, parent, parent + half].filter((index) => index < nodeWidth);
}

/** The rows of a tree, by the node that each is named after. */
function* rowsOf(nodeWidth: number): Generator<{ parent: number; places: readonly number[] }> {
  for (let half = 1; half - 1 < nodeWidth; half *= 4) {
    for (let parent = 2 * half - 1; parent - half < nodeWidth; parent += 4 * half) {
      yield { parent, places: placesOf(parent, nodeWidth) };
    }
  }
}

function nameOf(parent: number): string {
  return `tree/${String(parent)}`;
}

/** The rows in which `after` differs from `before`. */
export function changedTree(before: RatchetTree, after: RatchetTree): PieceMap {
  const rows: PieceMap = new Map();
  if (before === after) return rows;
  for (const { parent, places } of rowsOf(Math.max(before.length, after.length))) {
    const nodesOf = (tree: RatchetTree): RatchetTree =>
      places.filter((place) => place < tree.length).map((place) => tree[place]);
    if (places.every((place) => before[place] === after[place])) {
      if (before.length === after.length) continue;
      if (nodesOf(before).length === nodesOf(after).length) continue;
    }
    const wanted = nodesOf(after);
    rows.set(nameOf(parent), wanted.length === 0 ? null : encodeRow(wanted));
  }
  return rows;
}

/**
 * @param row - undefined: as in `base`
 * @param base - a tree whose nodes are shared with this one; an empty one for none
 * @throws AppError `vault-damaged`
 */
export function readTree(
  nodeWidth: number,
  row: (name: string) => Uint8Array | undefined,
  base: RatchetTree,
): RatchetTree {
  const tree = new Array<RatchetTree[number]>(nodeWidth).fill(undefined);
  for (const { parent, places } of rowsOf(nodeWidth)) {
    const stored = row(nameOf(parent));
    const nodes =
      stored === undefined
        ? places.filter((place) => place < base.length).map((place) => base[place])
        : decodeStored(decodeRow, stored);
    if (nodes.length !== places.length) {
      throw new AppError("vault-damaged", { data: { reason: "rows of another tree" } });
    }
    places.forEach((place, at) => (tree[place] = nodes[at]));
  }
  return tree;
}
