import { emptyPskIndex, type CiphersuiteImpl, type ClientState, type PrivateMessage } from "ts-mls";
import type { AuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { applyProposals, nextEpochContext } from "ts-mls/clientState.js";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { decryptWithLabel } from "ts-mls/crypto/hpke.js";
import { deriveSecret } from "ts-mls/crypto/kdf.js";
import { encodeGroupContext, type GroupContext } from "ts-mls/groupContext.js";
import { initializeEpoch } from "ts-mls/keySchedule.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { decryptSenderData, privateContentAADEncoder } from "ts-mls/privateMessage.js";
import { createSecretTree, ratchetToGeneration } from "ts-mls/secretTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import { leafWidth, toLeafIndex } from "ts-mls/treemath.js";
import { applyUpdatePath, type UpdatePath } from "ts-mls/updatePath.js";
import type { ConversationId } from "#protocol";
import { createTrustGate } from "../../crypto/mls/client-config.ts";
import { readPieces } from "../../crypto/mls/pieces.ts";
import { privateMessageOf, type MlsDevice } from "./mls-device.ts";

/**
 * An attacker's seat: a full copy of what a device has of a group, taken from its stored rows, with every private key. It forgets nothing, asks no rules and checks
 * no signature of what it reads. Who sits with a member follows the group from here; who sits with somebody who was removed tries to.
 */
export class Seat {
  readonly #impl: CiphersuiteImpl;
  /** Of its leaf, of the path above it, of key packages that wait, and of the group for who comes back. */
  readonly #keys: Uint8Array[] = [];
  /** Every epoch that it had, or has come to, or only believes to have come to. */
  readonly #epochs: ClientState[] = [];

  private constructor(impl: CiphersuiteImpl) {
    this.#impl = impl;
  }

  static async take(device: MlsDevice, id: ConversationId): Promise<Seat> {
    const { world, own, keyPackages } = device;
    const seat = new Seat(world.impl);
    const copies = new Map([...device.rows.get(id)!].map(([name, row]) => [name, row.slice()]));
    const { clientConfig } = createTrustGate(world.trust);
    const { state, pending } = readPieces(copies, () => own.signaturePrivateKey, clientConfig);
    await seat.#add(state);
    if (pending?.kind === "commit") await seat.#add(pending.next);
    for (const { initPrivateKey, hpkePrivateKey } of keyPackages) {
      seat.#keys.push(initPrivateKey.slice(), hpkePrivateKey.slice());
    }
    return seat;
  }

  /**
   * Works on a commit, also on the one that removes it, and derives what may come next: with a commit secret of zeros, as is right where there is no path, and with
   * what each of its keys opens of the path. It doesn't ask whether the confirmation tag agrees. Source: RFC 9420 §7.5, §8, §12.4.2.
   */
  async attack(bytes: Uint8Array): Promise<void> {
    const message = privateMessageOf(bytes);
    for (const state of [...this.#epochs]) {
      const opened = await orNull(() => unprotect(this.#impl, state, message));
      if (opened === null) continue;
      const after = await afterCommit(this.#impl, state, opened);
      const zeros = new Uint8Array(this.#impl.kdf.size);
      const secrets = after.path === undefined ? [] : await this.#openPath(after.path, after.tried);
      for (const secret of [zeros, ...secrets]) await this.#add(await after.with(secret));
    }
  }

  /** Whether any of its epochs opens an entry, whichever one that claims to be of. */
  async opens(bytes: Uint8Array): Promise<boolean> {
    const message = privateMessageOf(bytes);
    for (const state of this.#epochs) {
      if ((await orNull(() => decrypt(this.#impl, state, message))) !== null) return true;
    }
    return false;
  }

  async #add(state: ClientState): Promise<void> {
    const { hpke } = this.#impl;
    const external = await hpke.deriveKeyPair(state.keySchedule.externalSecret);
    this.#epochs.push(state);
    this.#keys.push(
      ...Object.values(state.privatePath.privateKeys),
      await hpke.exportPrivateKey(external.privateKey),
    );
  }

  /** Tries every key on every ciphertext. @returns the commit secrets that come of it */
  async #openPath({ nodes }: UpdatePath, context: GroupContext): Promise<readonly Uint8Array[]> {
    const { hpke, kdf } = this.#impl;
    const commitSecrets: Uint8Array[] = [];
    for (const key of [...this.#keys]) {
      const privateKey = await hpke.importPrivateKey(key);
      for (const [at, { encryptedPathSecret }] of nodes.entries()) {
        for (const { kemOutput, ciphertext } of encryptedPathSecret) {
          let secret = await orNull(() =>
            decryptWithLabel(
              privateKey,
              "UpdatePathNode",
              encodeGroupContext(context),
              kemOutput,
              ciphertext,
              hpke,
            ),
          );
          if (secret === null) continue;
          // From here up to the root, whose next one is the commit's.
          for (let level = at; level < nodes.length; level += 1) {
            const pair = await hpke.deriveKeyPair(await deriveSecret(secret, "node", kdf));
            this.#keys.push(await hpke.exportPrivateKey(pair.privateKey));
            secret = await deriveSecret(secret, "path", kdf);
          }
          commitSecrets.push(secret);
        }
      }
    }
    return commitSecrets;
  }
}

/** What follows from a commit but for its secret. */
export async function afterCommit(
  impl: CiphersuiteImpl,
  state: ClientState,
  { content, auth, wireformat }: AuthenticatedContent,
): Promise<{
  readonly path: UpdatePath | undefined;
  /** The context that its path is encrypted in. Source: RFC 9420 §12.4.1. */
  readonly tried: GroupContext;
  readonly with: (commitSecret: Uint8Array) => Promise<ClientState>;
}> {
  if (content.contentType !== "commit" || content.sender.senderType !== "member") {
    throw new Error("not a member's commit");
  }
  const { path, proposals } = content.commit;
  const leaf = toLeafIndex(content.sender.leafIndex);
  const applied = await applyProposals(state, proposals, leaf, emptyPskIndex, false, impl);
  const { kind } = applied.additionalResult;
  if (kind !== "memberCommit") throw new Error(kind);
  const { extensions } = applied.additionalResult;
  const tree =
    path === undefined ? applied.tree : await applyUpdatePath(applied.tree, leaf, path, impl.hash);
  const treeHash = await treeHashRoot(tree, impl.hash);
  const before = { ...state.groupContext, ...(extensions.length > 0 && { extensions }) };
  const groupContext = await nextEpochContext(
    before,
    wireformat,
    content,
    auth.signature,
    treeHash,
    state.confirmationTag,
    impl.hash,
  );
  return {
    path,
    tried: { ...before, treeHash, epoch: before.epoch + 1n },
    with: async (commitSecret) => {
      const { initSecret } = state.keySchedule;
      const { keySchedule, encryptionSecret } = await initializeEpoch(
        initSecret,
        commitSecret,
        groupContext,
        applied.pskSecret,
        impl.kdf,
      );
      const secretTree = await createSecretTree(leafWidth(tree.length), encryptionSecret, impl.kdf);
      const confirmationTag =
        auth.contentType === "commit" ? auth.confirmationTag : state.confirmationTag;
      const rest = { groupContext, keySchedule, secretTree, confirmationTag };
      return { ...state, ...rest, ratchetTree: tree, unappliedProposals: {} };
    },
  };
}

async function unprotect(impl: CiphersuiteImpl, state: ClientState, message: PrivateMessage) {
  const { keySchedule, secretTree, ratchetTree, groupContext, clientConfig } = state;
  const { content } = await unprotectPrivateMessage(
    keySchedule.senderDataSecret,
    message,
    secretTree,
    ratchetTree,
    groupContext,
    clientConfig.keyRetentionConfig,
    impl,
  );
  return content;
}

/** Opens a message and looks at nothing in it. Source: RFC 9420 §6.3. */
async function decrypt(
  impl: CiphersuiteImpl,
  { keySchedule, secretTree, clientConfig }: ClientState,
  message: PrivateMessage,
): Promise<Uint8Array> {
  const senderData = await decryptSenderData(message, keySchedule.senderDataSecret, impl);
  if (senderData === undefined) throw new Error("no sender");
  const { key, nonce } = await ratchetToGeneration(
    secretTree,
    senderData,
    message.contentType,
    clientConfig.keyRetentionConfig,
    impl,
  );
  const associated = encode(privateContentAADEncoder)(message);
  return impl.hpke.decryptAead(key, nonce, associated, message.ciphertext);
}

async function orNull<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}
