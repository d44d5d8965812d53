import { AppError, type BodyItem, type ConversationId, type VaultId } from "#protocol";
import { xaes256Gcm, type RandomSource, type SecretBytes } from "../primitives/index.ts";
import { createBox, deriveKey, openWith, sealWith, type Box } from "./box.ts";
import { createDerivedMessageKeys, type MessageKeys } from "./message-keys.ts";

/** Where a frame stands in the vault's log. */
export interface FramePlace {
  readonly generation: number;
  readonly sequence: number;
  /** The last 16 bytes of the frame before; empty for the first frame of a generation. */
  readonly previousTag: Uint8Array;
}

/** Where a chunk stands in a snapshot; `last` keeps a snapshot from being cut short unseen. */
export interface SnapshotPlace {
  readonly generation: number;
  readonly index: number;
  readonly last: boolean;
}

/** An unlocked vault: its keys, each for one purpose. Secret: {@link VaultSession.wipe} locks it. */
export interface VaultSession {
  readonly vaultId: VaultId;
  sealFrame(place: FramePlace, plain: Uint8Array): Uint8Array;
  openFrame(place: FramePlace, sealed: Uint8Array): Uint8Array | undefined;
  sealSnapshotChunk(place: SnapshotPlace, plain: Uint8Array): Uint8Array;
  openSnapshotChunk(place: SnapshotPlace, sealed: Uint8Array): Uint8Array | undefined;
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
  wipe(): void;
}

/** The tag that the next frame names: the last 16 bytes. */
export function frameTag(sealed: Uint8Array): Uint8Array {
  return sealed.slice(-xaes256Gcm.tagBytes);
}

/** @param rootKey - wiped once the keys are derived */
export function createVaultSession(
  vaultId: VaultId,
  rootKey: SecretBytes,
  random: RandomSource,
): VaultSession {
  const keyFor = (purpose: string): SecretBytes =>
    rootKey.use((root) => deriveKey(root, [purpose, vaultId]));
  const boxFor = (purpose: string): Box => createBox(keyFor(purpose), random);
  const [frames, snapshots, pieces, secrets] = [
    boxFor("frame"),
    boxFor("snapshot"),
    boxFor("piece"),
    boxFor("secret"),
  ];
  const messageKeys: MessageKeys = createDerivedMessageKeys(keyFor("body"));
  rootKey.wipe();

  return {
    vaultId,
    sealFrame: ({ generation, sequence, previousTag }, plain) =>
      frames.seal(["frame", generation, sequence, previousTag], plain),
    openFrame: ({ generation, sequence, previousTag }, sealed) =>
      frames.open(["frame", generation, sequence, previousTag], sealed),
    sealSnapshotChunk: ({ generation, index, last }, plain) =>
      snapshots.seal(["snapshot", generation, index, last], plain),
    openSnapshotChunk: ({ generation, index, last }, sealed) =>
      snapshots.open(["snapshot", generation, index, last], sealed),
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
    wipe() {
      for (const box of [frames, snapshots, pieces, secrets]) box.wipe();
      messageKeys.wipe();
    },
  };
}
