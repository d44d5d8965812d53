import { AppError, concatBytes, type KeyLeaf } from "#protocol";
import { hmac, wipe, type RandomSource } from "../primitives/index.ts";

/*
 * The keys of stored bodies, each of which can be destroyed by itself (docs/adr/0013).
 *
 * One binary tree: 24 levels of hours, then 24 levels of leaves within an hour. Every place of it has a seed of 32 bytes; the seeds of
 * a place's two children are the halves of an HMAC of its own, so that a seed gives everything below it and nothing else. Kept are
 * only seeds from which nothing destroyed follows: at first the root's, and once a leaf is punctured, those of the siblings along its path.
 *
 * Source: Goldreich, Goldwasser, Micali, "How to construct random functions" (1986), as a puncturable function.
 */

/** A seed of the tree, bytes. */
export const seedBytes = 32;

/** Hours and leaves are both below 2^24. */
const placesPerBucket = 2 ** 24;
const hours = 2 ** 24;
const places = hours * placesPerBucket;

/** How many levels lie below the root. */
export const treeDepth = 48;

const label = new TextEncoder().encode("Sotto 1.0 key tree");

/** A seed that stands for everything below its place; a place with something destroyed below it; null: all of it destroyed. */
type Node = Uint8Array | Branch | null;

interface Branch {
  readonly left: Node;
  readonly right: Node;
}

/** Places from `from` up to, not with, `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is to be destroyed. */
export interface Puncture {
  readonly leaves: readonly KeyLeaf[];
  /** Every bucket before this hour; null: none. */
  readonly hoursBefore: number | null;
}

/** A tree after a puncture. Secret: whoever settles on one of the two trees wipes the seeds that only the other one has. */
export interface PuncturedTree {
  readonly tree: KeyTree;
  /** Seeds of the tree before that are no longer in this one. */
  readonly gone: readonly Uint8Array[];
  /** Seeds of this tree that weren't in the one before. */
  readonly made: readonly Uint8Array[];
}

/** The kept seed above a leaf. */
export interface CoveringSeed {
  readonly seed: Uint8Array;
  /** Its level; the root's is 0. */
  readonly depth: number;
}

/** Which of all leaves this is; undefined for an hour or an index out of range. */
export function placeOf({ hour, leaf }: KeyLeaf): number | undefined {
  const isThere = isBelow(hour, hours) && isBelow(leaf, placesPerBucket);
  return isThere ? hour * placesPerBucket + leaf : undefined;
}

/** The seeds of a place's two children. Secret: the result. */
export function childSeeds(seed: Uint8Array): readonly [left: Uint8Array, right: Uint8Array] {
  const both = hmac("SHA-512", seed, label);
  const children = [both.slice(0, seedBytes), both.slice(seedBytes)] as const;
  wipe(both);
  return children;
}

/** Immutable: {@link KeyTree.puncture} gives another tree, which shares what it can. Secret: {@link KeyTree.wipe}. */
export class KeyTree {
  readonly #root: Node;

  private constructor(root: Node) {
    this.#root = root;
  }

  /** A tree with every key. */
  static create(random: RandomSource): KeyTree {
    return new KeyTree(random(seedBytes));
  }

  /** @returns undefined when the leaf was destroyed, or never was one */
  covering(leaf: KeyLeaf): CoveringSeed | undefined {
    const place = placeOf(leaf);
    if (place === undefined) return undefined;
    let node = this.#root;
    for (let depth = 0; node !== null; depth++) {
      if (node instanceof Uint8Array) return { seed: node, depth };
      node = turnsRight(place, depth) ? node.right : node.left;
    }
    return undefined;
  }

  /**
   * The tree without these leaves and buckets. Nothing is wiped yet; what was destroyed before stays destroyed.
   *
   * @throws AppError `argument-invalid` for a leaf or an hour out of range
   */
  puncture(puncture: Puncture): PuncturedTree {
    const ledger: Ledger = { gone: [], made: new Set() };
    const root = without(this.#root, { from: 0, to: places }, spansOf(puncture), ledger);
    return { tree: new KeyTree(root), gone: ledger.gone, made: [...ledger.made] };
  }

  /** How many seeds are kept. */
  get nodes(): number {
    let count = 0;
    visitSeeds(this.#root, () => count++);
    return count;
  }

  /** The first hour that still has a key: every bucket before it is gone. */
  get droppedBefore(): number {
    return Math.floor(firstPlace(this.#root, { from: 0, to: places }) / placesPerBucket);
  }

  /**
   * The one encoding of this tree: its shape in preorder, two bits a node, filled up to whole bytes with zeros, and then the seeds
   * in the same order. Secret: the result.
   */
  encode(): Uint8Array {
    const shape: Code[] = [];
    const seeds: Uint8Array[] = [];
    writeNode(this.#root, shape, seeds);
    return concatBytes(packShape(shape), ...seeds);
  }

  /**
   * Reads a tree. The seeds are copied.
   *
   * @throws AppError `vault-damaged` for anything that {@link KeyTree.encode} doesn't give
   */
  static decode(bytes: Uint8Array): KeyTree {
    const shape = readShape(bytes);
    let seedAt = Math.ceil(shape.length / codesPerByte);
    const seeds = shape.filter((code) => code === seedCode).length;
    if (bytes.length !== seedAt + seeds * seedBytes) throw malformed("length");
    let codeAt = 0;
    const readNode = (): Node => {
      const code = shape[codeAt++];
      if (code === branchCode) return { left: readNode(), right: readNode() };
      if (code !== seedCode) return null;
      const seed = bytes.slice(seedAt, seedAt + seedBytes);
      seedAt += seedBytes;
      return seed;
    };
    return new KeyTree(readNode());
  }

  /** Wipes every seed. */
  wipe(): void {
    visitSeeds(this.#root, (seed) => {
      wipe(seed);
    });
  }
}

function isBelow(value: number, bound: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < bound;
}

/** Whether the path to a leaf turns right below a level. */
export function turnsRight(place: number, depth: number): boolean {
  // Places don't fit into the 32 bits of JavaScript's shifts; divisions by powers of two are exact.
  return Math.floor(place / 2 ** (treeDepth - 1 - depth)) % 2 === 1;
}

/** In order, apart from each other. */
function spansOf({ leaves, hoursBefore }: Puncture): readonly Span[] {
  const spans = leaves.map((leaf): Span => {
    const from = placeOf(leaf);
    if (from === undefined) throw outOfRange(leaf.hour);
    return { from, to: from + 1 };
  });
  if (hoursBefore !== null) {
    if (!isBelow(hoursBefore, hours + 1)) throw outOfRange(hoursBefore);
    // A span with nothing in it is in no subtree either, and would be looked for below the leaves.
    if (hoursBefore > 0) spans.push({ from: 0, to: hoursBefore * placesPerBucket });
  }
  spans.sort((a, b) => (a.from === b.from ? b.to - a.to : a.from - b.from));
  const apart: Span[] = [];
  for (const span of spans) {
    const last = apart.at(-1);
    // Neighbours become one, so that a bucket's messages that end together cost a few derivations, not each its own.
    if (last === undefined || span.from > last.to) apart.push(span);
    else if (span.to > last.to) apart[apart.length - 1] = { from: last.from, to: span.to };
  }
  return apart;
}

function outOfRange(hour: number): AppError {
  return new AppError("argument-invalid", { data: { reason: "no such leaf", hour } });
}

/** What a puncture does to seeds. One that it both makes and uses up is wiped on the spot. */
interface Ledger {
  readonly gone: Uint8Array[];
  readonly made: Set<Uint8Array>;
}

function useUp(seed: Uint8Array, { gone, made }: Ledger): void {
  if (made.delete(seed)) wipe(seed);
  else gone.push(seed);
}

/**
 * A node without some of the places below it.
 *
 * @param spans - in order, apart from each other, each with places of `below`
 */
function without(node: Node, below: Span, spans: readonly Span[], ledger: Ledger): Node {
  const [first] = spans;
  if (node === null || first === undefined) return node;
  if (first.from <= below.from && first.to >= below.to) {
    visitSeeds(node, (seed) => {
      useUp(seed, ledger);
    });
    return null;
  }
  const { left, right } = node instanceof Uint8Array ? split(node, ledger) : node;
  const middle = middleOf(below);
  const inLeft = spans.filter(({ from }) => from < middle);
  const inRight = spans.filter(({ to }) => to > middle);
  const kept: Branch = {
    left: without(left, { from: below.from, to: middle }, inLeft, ledger),
    right: without(right, { from: middle, to: below.to }, inRight, ledger),
  };
  // A subtree of which nothing is left takes no room, and one in which nothing was left to destroy stays the same.
  if (kept.left === null && kept.right === null) return null;
  return kept.left === left && kept.right === right && !(node instanceof Uint8Array) ? node : kept;
}

function split(seed: Uint8Array, ledger: Ledger): Branch {
  const [left, right] = childSeeds(seed);
  ledger.made.add(left).add(right);
  useUp(seed, ledger);
  return { left, right };
}

function middleOf({ from, to }: Span): number {
  return from + (to - from) / 2;
}

function visitSeeds(node: Node, visit: (seed: Uint8Array) => void): void {
  if (node === null) return;
  if (node instanceof Uint8Array) {
    visit(node);
    return;
  }
  visitSeeds(node.left, visit);
  visitSeeds(node.right, visit);
}

function firstPlace(node: Node, below: Span): number {
  if (node === null) return below.to;
  if (node instanceof Uint8Array) return below.from;
  const middle = middleOf(below);
  return node.left === null
    ? firstPlace(node.right, { from: middle, to: below.to })
    : firstPlace(node.left, { from: below.from, to: middle });
}

// The shape: what stands at each place, in preorder.
const goneCode = 0;
const seedCode = 1;
const branchCode = 2;
type Code = typeof goneCode | typeof seedCode | typeof branchCode;
const codesPerByte = 4;

/** The first code of a byte stands highest. */
function codeShift(at: number): number {
  return 2 * (codesPerByte - 1 - (at % codesPerByte));
}

function writeNode(node: Node, shape: Code[], seeds: Uint8Array[]): void {
  if (node === null) {
    shape.push(goneCode);
  } else if (node instanceof Uint8Array) {
    shape.push(seedCode);
    seeds.push(node);
  } else {
    shape.push(branchCode);
    writeNode(node.left, shape, seeds);
    writeNode(node.right, shape, seeds);
  }
}

function packShape(shape: readonly Code[]): Uint8Array {
  const packed = new Uint8Array(Math.ceil(shape.length / codesPerByte));
  for (const [at, code] of shape.entries()) {
    const byte = Math.floor(at / codesPerByte);
    packed[byte] = (packed[byte] ?? 0) | (code << codeShift(at));
  }
  return packed;
}

/** @throws AppError `vault-damaged` unless it is the shape of a tree that punctures lead to */
function readShape(bytes: Uint8Array): readonly Code[] {
  const shape: Code[] = [];
  const bitsAt = (at: number): number | undefined => {
    const byte = bytes[Math.floor(at / codesPerByte)];
    return byte === undefined ? undefined : (byte >> codeShift(at)) & 3;
  };
  const readPlace = (depth: number): Code => {
    const code = bitsAt(shape.length);
    switch (code) {
      case goneCode:
      case seedCode:
        shape.push(code);
        return code;
      case branchCode: {
        if (depth === treeDepth) throw malformed("depth");
        shape.push(code);
        const [left, right] = [readPlace(depth + 1), readPlace(depth + 1)];
        // Nothing below, or everything: neither is a branch.
        if (left === right && left !== branchCode) throw malformed("branch");
        return code;
      }
      default:
        throw malformed("shape");
    }
  };
  readPlace(0);
  for (let at = shape.length; at % codesPerByte !== 0; at++) {
    if (bitsAt(at) !== 0) throw malformed("padding");
  }
  return shape;
}

function malformed(keyTree: string): AppError {
  return new AppError("vault-damaged", { data: { keyTree } });
}
