import { expect, test } from "vitest";
import { mlsExporter, type CiphersuiteImpl, type PreSharedKeyID } from "ts-mls";
import { decodeAuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js";
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js";
import { verifyConfirmationTag } from "ts-mls/framedContent.js";
import { encodeGroupContext } from "ts-mls/groupContext.js";
import { initializeEpoch } from "ts-mls/keySchedule.js";
import { computePskSecret } from "ts-mls/presharedkey.js";
import { createSecretTree, ratchetToGeneration } from "ts-mls/secretTree.js";
import { expandSenderDataKey, expandSenderDataNonce, type ReuseGuard } from "ts-mls/sender.js";
import { createConfirmedHash, createInterimHash } from "ts-mls/transcriptHash.js";
import { toHex } from "#protocol";
import { describeVectors, fromHex } from "../../support/vectors.ts";
import {
  decodeAll,
  groupContextOf,
  privateKeyFromHex,
  runnable,
  type SuiteVector,
} from "./support.ts";

type Hex = Readonly<Record<string, string>>;

interface BasicsVector extends SuiteVector {
  readonly ref_hash: { readonly label: string; readonly out: string; readonly value: string };
  readonly derive_secret: { readonly label: string; readonly out: string; readonly secret: string };
  readonly derive_tree_secret: {
    readonly generation: number;
    readonly label: string;
    readonly length: number;
    readonly out: string;
    readonly secret: string;
  };
  readonly expand_with_label: {
    readonly context: string;
    readonly label: string;
    readonly length: number;
    readonly out: string;
    readonly secret: string;
  };
  readonly sign_with_label: {
    readonly content: string;
    readonly label: string;
    readonly priv: string;
    readonly pub: string;
    readonly signature: string;
  };
  readonly encrypt_with_label: {
    readonly ciphertext: string;
    readonly context: string;
    readonly kem_output: string;
    readonly label: string;
    readonly plaintext: string;
    readonly priv: string;
    readonly pub: string;
  };
}

interface EpochVector {
  readonly commit_secret: string;
  readonly confirmation_key: string;
  readonly confirmed_transcript_hash: string;
  readonly encryption_secret: string;
  readonly epoch_authenticator: string;
  readonly exporter: {
    readonly context: string;
    readonly label: string;
    readonly length: number;
    readonly secret: string;
  };
  readonly exporter_secret: string;
  readonly external_pub: string;
  readonly external_secret: string;
  readonly group_context: string;
  readonly init_secret: string;
  readonly joiner_secret: string;
  readonly membership_key: string;
  readonly psk_secret: string;
  readonly resumption_psk: string;
  readonly sender_data_secret: string;
  readonly tree_hash: string;
  readonly welcome_secret: string;
}

interface KeyScheduleVector extends SuiteVector {
  readonly epochs: readonly EpochVector[];
  readonly group_id: string;
  readonly initial_init_secret: string;
}

interface PskVector extends SuiteVector {
  readonly psks: readonly {
    readonly psk_id: string;
    readonly psk: string;
    readonly psk_nonce: string;
  }[];
  readonly psk_secret: string;
}

interface SecretTreeVector extends SuiteVector {
  readonly encryption_secret: string;
  readonly sender_data: {
    readonly sender_data_secret: string;
    readonly ciphertext: string;
    readonly key: string;
    readonly nonce: string;
  };
  readonly leaves: readonly (readonly (Hex & { readonly generation: never })[])[];
}

interface TranscriptVector extends SuiteVector {
  readonly confirmation_key: string;
  readonly authenticated_content: string;
  readonly interim_transcript_hash_before: string;
  readonly confirmed_transcript_hash_after: string;
  readonly interim_transcript_hash_after: string;
}

describeVectors("mls/crypto-basics.json", (vectors) => {
  test.each(runnable(vectors as readonly BasicsVector[]))("$title", async ({ vector, impl }) => {
    const { ref_hash, derive_secret, derive_tree_secret, expand_with_label } = vector;
    expect(toHex(await refhash(ref_hash.label, fromHex(ref_hash.value), impl.hash))).toBe(
      ref_hash.out,
    );
    expect(
      toHex(await deriveSecret(fromHex(derive_secret.secret), derive_secret.label, impl.kdf)),
    ).toBe(derive_secret.out);
    const treeSecret = await deriveTreeSecret(
      fromHex(derive_tree_secret.secret),
      derive_tree_secret.label,
      derive_tree_secret.generation,
      derive_tree_secret.length,
      impl.kdf,
    );
    expect(toHex(treeSecret)).toBe(derive_tree_secret.out);
    const expanded = await expandWithLabel(
      fromHex(expand_with_label.secret),
      expand_with_label.label,
      fromHex(expand_with_label.context),
      expand_with_label.length,
      impl.kdf,
    );
    expect(toHex(expanded)).toBe(expand_with_label.out);
    await checkSignature(vector.sign_with_label, impl);
    await checkEncryption(vector.encrypt_with_label, impl);
  });
});

async function checkSignature(
  vector: BasicsVector["sign_with_label"],
  impl: CiphersuiteImpl,
): Promise<void> {
  const { signature } = impl;
  const [publicKey, content] = [fromHex(vector.pub), fromHex(vector.content)];
  const verify = (bytes: Uint8Array): Promise<boolean> =>
    verifyWithLabel(publicKey, vector.label, content, bytes, signature);
  expect(await verify(fromHex(vector.signature))).toBe(true);
  const privateKey = privateKeyFromHex(vector.priv, impl);
  const own = await signWithLabel(privateKey, vector.label, content, signature);
  expect(await verify(own)).toBe(true);
  expect(await verify(own.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))).toBe(false);
}

async function checkEncryption(
  vector: BasicsVector["encrypt_with_label"],
  impl: CiphersuiteImpl,
): Promise<void> {
  const { hpke } = impl;
  const privateKey = await hpke.importPrivateKey(privateKeyFromHex(vector.priv, impl));
  const context = fromHex(vector.context);
  const open = async (kemOutput: Uint8Array, ciphertext: Uint8Array): Promise<string> =>
    toHex(await decryptWithLabel(privateKey, vector.label, context, kemOutput, ciphertext, hpke));
  expect(await open(fromHex(vector.kem_output), fromHex(vector.ciphertext))).toBe(vector.plaintext);
  const publicKey = await hpke.importPublicKey(fromHex(vector.pub));
  const plaintext = fromHex(vector.plaintext);
  const own = await encryptWithLabel(publicKey, vector.label, context, plaintext, hpke);
  expect(await open(own.enc, own.ct)).toBe(vector.plaintext);
}

describeVectors("mls/key-schedule.json", (vectors) => {
  test.each(runnable(vectors as readonly KeyScheduleVector[]))(
    "$title",
    async ({ vector, impl }) => {
      let initSecret = fromHex(vector.initial_init_secret);
      for (const [epoch, expected] of vector.epochs.entries()) {
        const groupContext = groupContextOf(impl, {
          groupId: fromHex(vector.group_id),
          epoch: BigInt(epoch),
          treeHash: fromHex(expected.tree_hash),
          confirmedTranscriptHash: fromHex(expected.confirmed_transcript_hash),
        });
        expect(toHex(encodeGroupContext(groupContext))).toBe(expected.group_context);
        const secrets = await initializeEpoch(
          initSecret,
          fromHex(expected.commit_secret),
          groupContext,
          fromHex(expected.psk_secret),
          impl.kdf,
        );
        const { keySchedule } = secrets;
        const { publicKey } = await impl.hpke.deriveKeyPair(keySchedule.externalSecret);
        const { exporter } = expected;
        const exported = await mlsExporter(
          keySchedule.exporterSecret,
          exporter.label,
          fromHex(exporter.context),
          exporter.length,
          impl,
        );
        expect({
          joiner_secret: toHex(secrets.joinerSecret),
          welcome_secret: toHex(secrets.welcomeSecret),
          encryption_secret: toHex(secrets.encryptionSecret),
          init_secret: toHex(keySchedule.initSecret),
          sender_data_secret: toHex(keySchedule.senderDataSecret),
          exporter_secret: toHex(keySchedule.exporterSecret),
          external_secret: toHex(keySchedule.externalSecret),
          external_pub: toHex(await impl.hpke.exportPublicKey(publicKey)),
          confirmation_key: toHex(keySchedule.confirmationKey),
          membership_key: toHex(keySchedule.membershipKey),
          resumption_psk: toHex(keySchedule.resumptionPsk),
          epoch_authenticator: toHex(keySchedule.epochAuthenticator),
          exporter: { ...exporter, secret: toHex(exported) },
        }).toEqual(
          expect.objectContaining({
            joiner_secret: expected.joiner_secret,
            welcome_secret: expected.welcome_secret,
            encryption_secret: expected.encryption_secret,
            init_secret: expected.init_secret,
            sender_data_secret: expected.sender_data_secret,
            exporter_secret: expected.exporter_secret,
            external_secret: expected.external_secret,
            external_pub: expected.external_pub,
            confirmation_key: expected.confirmation_key,
            membership_key: expected.membership_key,
            resumption_psk: expected.resumption_psk,
            epoch_authenticator: expected.epoch_authenticator,
            exporter: expected.exporter,
          }),
        );
        initSecret = keySchedule.initSecret;
      }
    },
  );
});

describeVectors("mls/psk_secret.json", (vectors) => {
  test.each(runnable(vectors as readonly PskVector[]))("$title", async ({ vector, impl }) => {
    const psks = vector.psks.map(({ psk_id, psk, psk_nonce }): [PreSharedKeyID, Uint8Array] => [
      { psktype: "external", pskId: fromHex(psk_id), pskNonce: fromHex(psk_nonce) },
      fromHex(psk),
    ]);
    expect(toHex(await computePskSecret(psks, impl))).toBe(vector.psk_secret);
  });
});

describeVectors("mls/secret-tree.json", (vectors) => {
  const forward = {
    retainKeysForGenerations: 0,
    retainKeysForEpochs: 0,
    maximumForwardRatchetSteps: 5000,
  };

  test.each(runnable(vectors as readonly SecretTreeVector[]))(
    "$title",
    async ({ vector, impl }) => {
      const { sender_data } = vector;
      const secret = fromHex(sender_data.sender_data_secret);
      const ciphertext = fromHex(sender_data.ciphertext);
      expect(toHex(await expandSenderDataKey(impl, secret, ciphertext))).toBe(sender_data.key);
      expect(toHex(await expandSenderDataNonce(impl, secret, ciphertext))).toBe(sender_data.nonce);

      const encryptionSecret = fromHex(vector.encryption_secret);
      let tree = await createSecretTree(vector.leaves.length, encryptionSecret, impl.kdf);
      for (const [leafIndex, generations] of vector.leaves.entries()) {
        for (const expected of generations) {
          for (const kind of ["application", "handshake"] as const) {
            // A guard of zeroes leaves the nonce as it is.
            const { generation } = expected;
            const reuseGuard = new Uint8Array(4) as ReuseGuard;
            const ratcheted = await ratchetToGeneration(
              tree,
              { leafIndex, generation, reuseGuard },
              kind === "application" ? kind : "proposal",
              forward,
              impl,
            );
            expect(toHex(ratcheted.key)).toBe(expected[`${kind}_key`]);
            expect(toHex(ratcheted.nonce)).toBe(expected[`${kind}_nonce`]);
            tree = ratcheted.newTree;
          }
        }
      }
    },
  );
});

describeVectors("mls/transcript-hashes.json", (vectors) => {
  test.each(runnable(vectors as readonly TranscriptVector[]))(
    "$title",
    async ({ vector, impl }) => {
      const { wireformat, content, auth } = decodeAll(
        decodeAuthenticatedContent,
        fromHex(vector.authenticated_content),
      );
      if (content.contentType !== "commit" || auth.contentType !== "commit") {
        throw new Error("the vector is not a commit");
      }
      const confirmed = await createConfirmedHash(
        fromHex(vector.interim_transcript_hash_before),
        { wireformat, content, signature: auth.signature },
        impl.hash,
      );
      expect(toHex(confirmed)).toBe(vector.confirmed_transcript_hash_after);
      const interim = await createInterimHash(confirmed, auth.confirmationTag, impl.hash);
      expect(toHex(interim)).toBe(vector.interim_transcript_hash_after);
      const key = fromHex(vector.confirmation_key);
      expect(await verifyConfirmationTag(key, auth.confirmationTag, confirmed, impl.hash)).toBe(
        true,
      );
    },
  );
});
