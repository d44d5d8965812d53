import * as v from "valibot";
import {
  AppError,
  bytesSchema,
  countSchema,
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  parse,
  type KeyringRecord,
} from "#protocol";
import { digest, SecretBytes, wipe, type RandomSource } from "../primitives/index.ts";
import { createBox, deriveKey, type Box, type BoxPlace } from "./box.ts";
import { KeyTree } from "./key-tree.ts";

/** The root key and the keys of generations, bytes. */
const keyBytes = 32;
/** Of half a million seeds; a tree is a thousandth of that. */
const maxKeyringBytes = 16 * 1024 * 1024;
const format = 2;
const firstGeneration = 1;

/** Everything that a keyring seals. Secret: its owner wipes it with {@link wipeKeys}. */
export interface KeyringKeys {
  /** Pieces of groups and private keys are sealed under what follows from it. */
  readonly rootKey: SecretBytes;
  /** Frames and snapshots of a generation are sealed under its key. */
  readonly generations: ReadonlyMap<number, SecretBytes>;
  /** Bodies are sealed under what follows from its leaves. */
  readonly tree: KeyTree;
}

/** What the sealed part of a keyring is bound to: all the rest of the record. */
export type KeyringPlace = Omit<KeyringRecord, "sealedKeyring">;

const keyringSchema = v.strictObject({
  format: v.literal(format),
  rootKey: exactBytesSchema(keyBytes),
  generations: v.array(v.strictTuple([countSchema, exactBytesSchema(keyBytes)])),
  tree: bytesSchema(maxKeyringBytes),
});

/** The keys of a new vault. */
export function createKeys(random: RandomSource): KeyringKeys {
  return {
    rootKey: new SecretBytes(random(keyBytes)),
    generations: keepGenerations(new Map(), firstGeneration, random),
    tree: KeyTree.create(random),
  };
}

/** The keys of a generation and the next one; those that aren't there yet are made. */
export function keepGenerations(
  known: ReadonlyMap<number, SecretBytes>,
  current: number,
  random: RandomSource,
): ReadonlyMap<number, SecretBytes> {
  return new Map(
    [current, current + 1].map((generation) => [
      generation,
      known.get(generation) ?? new SecretBytes(random(keyBytes)),
    ]),
  );
}

/** Wipes all keys of a keyring. */
export function wipeKeys({ rootKey, generations, tree }: KeyringKeys): void {
  rootKey.wipe();
  for (const key of generations.values()) key.wipe();
  tree.wipe();
}

/** Seals keys for a place, under its vault key. */
export function sealKeyring(
  place: KeyringPlace,
  vaultKey: Uint8Array,
  { rootKey, generations, tree }: KeyringKeys,
  random: RandomSource,
): Uint8Array {
  const encodedTree = tree.encode();
  const raw = [...generations].map(([generation, key]) => key.use((k) => [generation, k] as const));
  const plain = rootKey.use((root) =>
    encodeCbor({ format, rootKey: root, generations: raw, tree: encodedTree }),
  );
  const box = keyringBox(place, vaultKey, random);
  const sealed = box.seal(boundTo(place), plain);
  box.wipe();
  wipe(plain, encodedTree);
  return sealed;
}

/**
 * Opens a keyring.
 *
 * @param vaultKey - known to be the one of this record
 * @throws AppError `vault-damaged`, also when anything else of the record was changed; `vault-newer-format`
 */
export function openKeyring(
  record: KeyringRecord,
  vaultKey: Uint8Array,
  random: RandomSource,
): KeyringKeys {
  const box = keyringBox(record, vaultKey, random);
  const plain = box.open(boundTo(record), record.sealedKeyring);
  box.wipe();
  if (plain === undefined) throw new AppError("vault-damaged", { data: { part: "keyring" } });
  const decoded = decodeCbor(plain, maxKeyringBytes);
  wipe(plain);
  try {
    return keysIn(decoded);
  } catch (error) {
    wipeAll(decoded);
    throw error;
  }
}

/** @param decoded - its bytes become the keys' own, except where this throws */
function keysIn(decoded: unknown): KeyringKeys {
  if (formatOf(decoded) > format) throw new AppError("vault-newer-format");
  const { rootKey, generations, tree } = parse(keyringSchema, decoded, "vault-damaged");
  const decodedTree = KeyTree.decode(tree);
  wipe(tree);
  return {
    rootKey: new SecretBytes(rootKey),
    generations: new Map(
      generations.map(([generation, key]) => [generation, new SecretBytes(key)]),
    ),
    tree: decodedTree,
  };
}

/** Wipes all bytes in what was decoded, whatever its shape. */
function wipeAll(decoded: unknown): void {
  if (decoded instanceof Uint8Array) wipe(decoded);
  else if (typeof decoded === "object" && decoded !== null) {
    Object.values(decoded).forEach(wipeAll);
  }
}

function keyringBox({ vaultId }: KeyringPlace, vaultKey: Uint8Array, random: RandomSource): Box {
  return createBox(deriveKey(vaultKey, ["keyring", vaultId]), random);
}

function boundTo({ vaultId, revision, slots }: KeyringPlace): BoxPlace {
  return ["keyring", vaultId, revision, digest("SHA-256", encodeCbor(slots))];
}

function formatOf(decoded: unknown): number {
  const result = v.safeParse(v.object({ format: v.number() }), decoded);
  return result.success ? result.output.format : format;
}
