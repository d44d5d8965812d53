import { expect, test } from "vitest";
import { decodeMlsMessage, type GroupContext, type MLSMessage, type PrivateMessage } from "ts-mls";
import { encodeCommit } from "ts-mls/commit.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import {
  protectApplicationData,
  protectProposal,
  unprotectPrivateMessage,
} from "ts-mls/messageProtection.js";
import { protectProposalPublic, unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { decodeProposal, encodeProposal } from "ts-mls/proposal.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js";
import type { CiphersuiteImpl, FramedContent } from "ts-mls";
import { toHex } from "#protocol";
import { paddingConfig } from "../../../crypto/mls/client-config.ts";
import { describeVectors, fromHex } from "../../support/vectors.ts";
import {
  decodeAll,
  groupContextOf,
  privateKeyFromHex,
  runnable,
  type SuiteVector,
} from "./support.ts";

interface ProtectionVector extends SuiteVector {
  readonly group_id: string;
  readonly epoch: number;
  readonly tree_hash: string;
  readonly confirmed_transcript_hash: string;
  readonly signature_priv: string;
  readonly signature_pub: string;
  readonly encryption_secret: string;
  readonly sender_data_secret: string;
  readonly membership_key: string;
  readonly proposal: string;
  readonly proposal_priv: string;
  readonly proposal_pub: string;
  readonly commit: string;
  readonly commit_priv: string;
  readonly commit_pub: string;
  readonly application: string;
  readonly application_priv: string;
}

interface WelcomeVector extends SuiteVector {
  readonly init_priv: string;
  readonly key_package: string;
  readonly signer_pub: string;
  readonly welcome: string;
}

const retention = {
  retainKeysForGenerations: 0,
  retainKeysForEpochs: 0,
  maximumForwardRatchetSteps: 5000,
};
/** The sender of all messages in these vectors. */
const senderLeaf = 1;

function innerBytes(content: FramedContent): string {
  switch (content.contentType) {
    case "application":
      return toHex(content.applicationData);
    case "proposal":
      return toHex(encodeProposal(content.proposal));
    case "commit":
      return toHex(encodeCommit(content.commit));
  }
}

/** The two-member group that a vector describes, at the start of its epoch. */
async function groupOf(vector: ProtectionVector, impl: CiphersuiteImpl) {
  const context: GroupContext = groupContextOf(impl, {
    groupId: fromHex(vector.group_id),
    epoch: BigInt(vector.epoch),
    treeHash: fromHex(vector.tree_hash),
    confirmedTranscriptHash: fromHex(vector.confirmed_transcript_hash),
  });
  const secretTree = await createSecretTree(2, fromHex(vector.encryption_secret), impl.kdf);
  const membershipKey = fromHex(vector.membership_key);
  const senderDataSecret = fromHex(vector.sender_data_secret);
  const publicKey = fromHex(vector.signature_pub);

  async function openPrivate(message: PrivateMessage): Promise<string> {
    const { content } = await unprotectPrivateMessage(
      senderDataSecret,
      message,
      secretTree,
      [],
      context,
      retention,
      impl,
      publicKey,
    );
    return innerBytes(content.content);
  }

  async function open(message: MLSMessage): Promise<string> {
    if (message.wireformat === "mls_private_message") return openPrivate(message.privateMessage);
    if (message.wireformat !== "mls_public_message") throw new Error("not a framed message");
    const { content } = await unprotectPublicMessage(
      membershipKey,
      context,
      [],
      message.publicMessage,
      impl,
      publicKey,
    );
    return innerBytes(content);
  }

  return { context, secretTree, membershipKey, senderDataSecret, open, openPrivate };
}

describeVectors("mls/message-protection.json", (vectors) => {
  const runnables = runnable(vectors as readonly ProtectionVector[]);
  const messageOf = (hex: string): MLSMessage => decodeAll(decodeMlsMessage, fromHex(hex));

  test.each(runnables)("messages of others open ($title)", async ({ vector, impl }) => {
    const { open } = await groupOf(vector, impl);
    expect(await open(messageOf(vector.proposal_pub))).toBe(vector.proposal);
    expect(await open(messageOf(vector.proposal_priv))).toBe(vector.proposal);
    expect(await open(messageOf(vector.commit_pub))).toBe(vector.commit);
    expect(await open(messageOf(vector.commit_priv))).toBe(vector.commit);
    expect(await open(messageOf(vector.application_priv))).toBe(vector.application);
  });

  test.each(runnables)("our own open again ($title)", async ({ vector, impl }) => {
    const group = await groupOf(vector, impl);
    const signKey = privateKeyFromHex(vector.signature_priv, impl);
    const aad = new Uint8Array([1, 2, 3]);
    const application = await protectApplicationData(
      signKey,
      group.senderDataSecret,
      fromHex(vector.application),
      aad,
      group.context,
      group.secretTree,
      senderLeaf,
      paddingConfig,
      impl,
    );
    expect(await group.openPrivate(application.privateMessage)).toBe(vector.application);
    const proposal = decodeAll(decodeProposal, fromHex(vector.proposal));
    const hidden = await protectProposal(
      signKey,
      group.senderDataSecret,
      proposal,
      aad,
      group.context,
      group.secretTree,
      senderLeaf,
      paddingConfig,
      impl,
    );
    expect(await group.openPrivate(hidden.privateMessage)).toBe(vector.proposal);
    const { publicMessage } = await protectProposalPublic(
      signKey,
      group.membershipKey,
      group.context,
      aad,
      proposal,
      senderLeaf,
      impl,
    );
    const message: MLSMessage = {
      version: "mls10",
      wireformat: "mls_public_message",
      publicMessage,
    };
    expect(await group.open(message)).toBe(vector.proposal);
  });
});

describeVectors("mls/welcome.json", (vectors) => {
  test.each(runnable(vectors as readonly WelcomeVector[]))("$title", async ({ vector, impl }) => {
    const welcome = decodeAll(decodeMlsMessage, fromHex(vector.welcome));
    const keyPackage = decodeAll(decodeMlsMessage, fromHex(vector.key_package));
    if (welcome.wireformat !== "mls_welcome" || keyPackage.wireformat !== "mls_key_package") {
      throw new Error("the vector is not a Welcome with its key package");
    }
    const privateKey = await impl.hpke.importPrivateKey(privateKeyFromHex(vector.init_priv, impl));
    const ref = await makeKeyPackageRef(keyPackage.keyPackage, impl.hash);
    const secrets = await decryptGroupSecrets(privateKey, ref, welcome.welcome, impl.hpke);
    if (secrets === undefined) throw new Error("no group secrets");
    const noPsk = new Uint8Array(impl.kdf.size);
    const info = await decryptGroupInfo(welcome.welcome, secrets.joinerSecret, noPsk, impl);
    if (info === undefined) throw new Error("no group info");
    const signerKey = fromHex(vector.signer_pub);
    expect(await verifyGroupInfoSignature(info, signerKey, impl.signature)).toBe(true);
    expect(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, noPsk, impl)).toBe(
      true,
    );
  });
});
