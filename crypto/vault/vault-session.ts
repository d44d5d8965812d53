import {
  AppError,
  frameBinding,
  type BodyItem,
  type ConversationId,
  type FrameKey,
  type FramePlace,
  type KeychainEntries,
  type KeychainKeys,
  type KeyringChange,
  type KeyringFacts,
  type KeyringRecord,
  type VaultId,
} from "#protocol";
import { wipe, xaes256Gcm, type Primitives, type SecretBytes } from "../primitives/index.ts";
import { createBox, deriveKey, openWith, sealWith, type Box } from "./box.ts";
import {
  keychainKeyOf,
  prepareKeyring,
  wipeKeyring,
  wipePrepared,
  wipePresent,
  type PreparedKeyring,
} from "./exchange.ts";
import { createMessageKeys } from "./message-keys.ts";
import { openPassphraseKey } from "./slots/passphrase.ts";
import { slotOf, type SlotMaking } from "./slots/slots.ts";
import { compareEntries, keychainKeysOf, type UnlockedKeyring } from "./unlock.ts";

/** Where a chunk stands in a snapshot; `last` keeps a snapshot from being cut short unseen. */
export interface SnapshotPlace {
  readonly generation: number;
  readonly index: number;
  readonly last: boolean;
}

interface GenerationBoxes {
  readonly frames: Box;
  readonly snapshots: Box;
}

/** A keyring that waits to be written. Secret: `keychainKey`, which its caller wipes, and `recoveryCode`. */
export interface NextKeyring {
  readonly record: KeyringRecord;
  /** See `vault.prepareKeyring`. */
  readonly keychainKey: Uint8Array | null;
  readonly recoveryCode: string | null;
}

/** An unlocked vault: its keys, each for one purpose. Secret: {@link VaultSession.wipe} locks it. */
export interface VaultSession {
  readonly vaultId: VaultId;
  /**
   * Keys for as many frames, each for one. Secret: the result, which its caller wipes.
   *
   * @throws AppError `argument-invalid` for a generation whose key isn't held
   */
  frameKeys(generation: number, count: number): readonly FrameKey[];
  openFrame(place: FramePlace, sealed: Uint8Array): Uint8Array | undefined;
  /** @throws AppError `argument-invalid` for a generation whose key isn't held */
  sealSnapshotChunk(place: SnapshotPlace, plain: Uint8Array): Uint8Array;
  openSnapshotChunk(place: SnapshotPlace, sealed: Uint8Array): Uint8Array | undefined;
  /** @throws AppError `not-found` when the leaf was destroyed */
  sealBody(item: BodyItem, plain: Uint8Array): Uint8Array;
  openBody(item: BodyItem, sealed: Uint8Array): Uint8Array | undefined;
  sealPiece(conversationId: ConversationId, name: string, plain: Uint8Array): Uint8Array;
  openPiece(
    conversationId: ConversationId,
    name: string,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
  /** For private keys: identity, network key, key packages. */
  sealSecret(purpose: string, plain: Uint8Array): Uint8Array;
  openSecret(purpose: string, sealed: Uint8Array): Uint8Array | undefined;

  /** In step, it takes the keychain's next key for its own. */
  compareKeychain(entries: KeychainEntries): "in-step" | "behind" | "ahead" | "none";
  /** Secret: the result; its caller wipes it. */
  keychainKeys(): KeychainKeys;
  /** @throws AppError with the codes of `vault.prepareKeyring`; `not-ready` while another one waits */
  prepareKeyring(making: SlotMaking, changes: readonly KeyringChange[]): NextKeyring;
  /** @throws AppError `not-ready` when none waits */
  settleKeyring(written: boolean): void;
  facts(): KeyringFacts;
  /** @throws AppError `argument-invalid` without a passphrase slot */
  isPassphrase(passphrase: string): boolean;
  wipe(): void;
}

/** The tag that the next frame names: the last 16 bytes. */
export function frameTag(sealed: Uint8Array): Uint8Array {
  return sealed.slice(-xaes256Gcm.tagBytes);
}

/** @param unlocked - taken over */
export function createVaultSession(
  primitives: Primitives,
  unlocked: UnlockedKeyring,
): VaultSession {
  const { random } = primitives;
  const { vaultId } = unlocked;
  let present = unlocked;
  let prepared: PreparedKeyring | null = null;
  const boxFor = (parent: SecretBytes, purpose: string): Box =>
    createBox(
      parent.use((key) => deriveKey(key, [purpose, vaultId])),
      random,
    );
  const pieces = boxFor(present.keys.rootKey, "piece");
  const secrets = boxFor(present.keys.rootKey, "secret");
  const messageKeys = createMessageKeys(present.keys.tree);
  const boxes = new Map<number, GenerationBoxes>();

  /** undefined for a generation whose key isn't held, or no longer. */
  function boxesOf(generation: number): GenerationBoxes | undefined {
    const key = present.keys.generations.get(generation);
    if (key === undefined) return undefined;
    const known = boxes.get(generation);
    if (known !== undefined) return known;
    const made = { frames: boxFor(key, "frame"), snapshots: boxFor(key, "snapshot") };
    boxes.set(generation, made);
    return made;
  }

  function requireBoxes(generation: number): GenerationBoxes {
    const found = boxesOf(generation);
    if (found !== undefined) return found;
    throw new AppError("argument-invalid", {
      data: { reason: "no key of generation", generation },
    });
  }

  function dropBoxes(isDropped: (generation: number) => boolean): void {
    for (const [generation, { frames, snapshots }] of boxes) {
      if (!isDropped(generation)) continue;
      frames.wipe();
      snapshots.wipe();
      boxes.delete(generation);
    }
  }

  return {
    vaultId,
    frameKeys(generation, count) {
      const { frames } = requireBoxes(generation);
      return Array.from({ length: count }, () => frames.giveKey());
    },
    openFrame: (place, sealed) =>
      boxesOf(place.generation)?.frames.open(frameBinding(place), sealed),
    sealSnapshotChunk: ({ generation, index, last }, plain) =>
      requireBoxes(generation).snapshots.seal(["snapshot", generation, index, last], plain),
    openSnapshotChunk: ({ generation, index, last }, sealed) =>
      boxesOf(generation)?.snapshots.open(["snapshot", generation, index, last], sealed),
    sealBody(item, plain) {
      const sealed = messageKeys.withKey(item, (key) =>
        sealWith(key, random, ["body", item.messageId], plain),
      );
      if (sealed === undefined) throw new AppError("not-found", { data: { reason: "ended" } });
      return sealed;
    },
    openBody: (item, sealed) =>
      messageKeys.withKey(item, (key) => openWith(key, ["body", item.messageId], sealed)),
    sealPiece: (conversationId, name, plain) => pieces.seal(["piece", conversationId, name], plain),
    openPiece: (conversationId, name, sealed) =>
      pieces.open(["piece", conversationId, name], sealed),
    sealSecret: (purpose, plain) => secrets.seal(["secret", purpose], plain),
    openSecret: (purpose, sealed) => secrets.open(["secret", purpose], sealed),

    compareKeychain(entries) {
      if (!present.slots.some(({ kind }) => kind === "keychain")) return "none";
      const comparison = compareEntries(present, entries);
      if (comparison.state === "in-step") {
        // A keyring that waits is sealed under the next key as it was.
        const { nextVaultKey: known } = present;
        const isFree = prepared === null;
        if (isFree) present = { ...present, nextVaultKey: comparison.nextVaultKey };
        (isFree ? known : comparison.nextVaultKey).wipe();
      }
      return comparison.state;
    },
    keychainKeys: () => keychainKeysOf(present),
    prepareKeyring(making, changes) {
      if (prepared !== null) throw notReady("another keyring waits");
      prepared = prepareKeyring(making, present, changes);
      const { record, next, recoveryCode } = prepared;
      return { record, keychainKey: keychainKeyOf(next), recoveryCode };
    },
    settleKeyring(written) {
      if (prepared === null) throw notReady("no keyring waits");
      if (written) {
        const { next } = prepared;
        wipePresent(present, prepared);
        present = next;
        messageKeys.replaceTree(next.keys.tree);
        dropBoxes((generation) => !next.keys.generations.has(generation));
      } else {
        wipePrepared(present, prepared);
      }
      prepared = null;
    },
    facts() {
      const { revision, keys, sealedBytes } = present;
      const { nodes, droppedBefore } = keys.tree;
      return {
        revision,
        generations: [...keys.generations.keys()],
        nodes,
        droppedBefore,
        sealedBytes,
      };
    },
    isPassphrase(passphrase) {
      const slot = slotOf(present.slots, "passphrase");
      const privateKey = openPassphraseKey(primitives, { vaultId, slot, passphrase });
      wipe(privateKey);
      return privateKey !== undefined;
    },
    wipe() {
      for (const box of [pieces, secrets]) box.wipe();
      dropBoxes(() => true);
      messageKeys.wipe();
      if (prepared !== null) wipePrepared(present, prepared);
      prepared = null;
      wipeKeyring(present);
    },
  };
}

function notReady(reason: string): AppError {
  return new AppError("not-ready", { data: { reason } });
}
