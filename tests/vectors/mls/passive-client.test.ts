import { expect, test } from "vitest";
import {
  acceptAll,
  bytesToBase64,
  decodeMlsMessage,
  joinGroup,
  makePskIndex,
  processMessage,
  type ClientState,
  type MLSMessage,
} from "ts-mls";
import { decodeRatchetTree } from "ts-mls/ratchetTree.js";
import { toHex } from "#protocol";
import { describeVectors, fromHex } from "../../support/vectors.ts";
import {
  decodeAll,
  privateKeyFromHex,
  runnable,
  type RunnableVector,
  type SuiteVector,
} from "./support.ts";

interface PassiveVector extends SuiteVector {
  readonly external_psks: readonly { readonly psk_id: string; readonly psk: string }[];
  readonly key_package: string;
  readonly signature_priv: string;
  readonly encryption_priv: string;
  readonly init_priv: string;
  readonly welcome: string;
  readonly ratchet_tree: string | null;
  readonly initial_epoch_authenticator: string;
  readonly epochs: readonly {
    readonly proposals: readonly string[];
    readonly commit: string;
    readonly epoch_authenticator: string;
  }[];
}

function messageOf(hex: string): MLSMessage {
  return decodeAll(decodeMlsMessage, fromHex(hex));
}

async function follow({ vector, impl }: RunnableVector<PassiveVector>): Promise<void> {
  const psks = Object.fromEntries(
    vector.external_psks.map(({ psk_id, psk }) => [bytesToBase64(fromHex(psk_id)), fromHex(psk)]),
  );
  const welcome = messageOf(vector.welcome);
  const keyPackage = messageOf(vector.key_package);
  if (welcome.wireformat !== "mls_welcome" || keyPackage.wireformat !== "mls_key_package") {
    throw new Error("the vector is not a Welcome with its key package");
  }
  let state: ClientState = await joinGroup(
    welcome.welcome,
    keyPackage.keyPackage,
    {
      hpkePrivateKey: privateKeyFromHex(vector.encryption_priv, impl),
      initPrivateKey: privateKeyFromHex(vector.init_priv, impl),
      signaturePrivateKey: privateKeyFromHex(vector.signature_priv, impl),
    },
    makePskIndex(undefined, psks),
    impl,
    vector.ratchet_tree === null
      ? undefined
      : decodeAll(decodeRatchetTree, fromHex(vector.ratchet_tree)),
  );
  expect(toHex(state.keySchedule.epochAuthenticator)).toBe(vector.initial_epoch_authenticator);
  for (const { proposals, commit, epoch_authenticator } of vector.epochs) {
    for (const hex of [...proposals, commit]) {
      const message = messageOf(hex);
      if (
        message.wireformat !== "mls_private_message" &&
        message.wireformat !== "mls_public_message"
      ) {
        throw new Error("not a framed message");
      }
      const taken = await processMessage(
        message,
        state,
        makePskIndex(state, psks),
        acceptAll,
        impl,
      );
      state = taken.newState;
    }
    expect(toHex(state.keySchedule.epochAuthenticator)).toBe(epoch_authenticator);
  }
}

for (const file of ["mls/passive-client-welcome.json", "mls/passive-client-handling-commit.json"]) {
  describeVectors(file, (vectors) => {
    test.each(runnable(vectors as readonly PassiveVector[]))("$title", follow);
  });
}
