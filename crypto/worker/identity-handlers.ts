import { AppError, signingInput, signInLabel, signInPayload } from "#protocol";
import {
  createIdentity,
  decodeIdentity,
  encodeIdentity,
  networkIdOf,
  wipeIdentity,
} from "../identity/identity.ts";
import { signRecord, verifyRecord } from "../identity/records.ts";
import { compareCode, safetyNumber, type FingerprintedPerson } from "../identity/safety-number.ts";
import { wipe } from "../primitives/index.ts";
import type { Handlers, WorkerContext } from "./context.ts";

/** This person's and the network's keys, and what they sign. */
export function identityHandlers(
  context: WorkerContext,
): Handlers<
  | "identity.create"
  | "identity.load"
  | "network.create"
  | "network.load"
  | "network.idOf"
  | "record.sign"
  | "record.verify"
  | "session.sign"
  | "directory.setNetwork"
  | "directory.trust"
  | "directory.acceptKey"
  | "safetyNumber.compute"
  | "safetyNumber.compare"
> {
  const { primitives } = context.ports;
  const { ed25519 } = primitives;

  /** Opens what `sealSecret` sealed for `purpose`. */
  function openSecret(purpose: string, sealed: Uint8Array): Uint8Array {
    const plain = context.vault.openSecret(purpose, sealed);
    if (plain === undefined) throw new AppError("vault-damaged", { data: { secret: purpose } });
    return plain;
  }

  function self(): FingerprintedPerson {
    const { networkId, userId, account } = context.identity;
    return { networkId, userId, accountKey: account.publicKey };
  }

  function sealSecret(purpose: string, plain: Uint8Array): Uint8Array {
    const sealed = context.vault.sealSecret(purpose, plain);
    wipe(plain);
    return sealed;
  }

  return {
    "identity.create": () => {
      const identity = createIdentity(primitives);
      const { userId, deviceId, account, signature } = identity;
      const sealedIdentity = sealSecret("identity", encodeIdentity(identity));
      wipeIdentity(identity);
      return {
        userId,
        deviceId,
        accountKey: account.publicKey,
        signatureKey: signature.publicKey,
        sealedIdentity,
      };
    },
    "identity.load": ({ sealedIdentity, networkId }) => {
      const plain = openSecret("identity", sealedIdentity);
      const identity = decodeIdentity(primitives, plain);
      wipe(plain);
      context.setIdentity({ ...identity, networkId });
      return {};
    },
    "network.create": () => {
      const { publicKey, privateKey } = ed25519.generateKeyPair();
      const sealedNetworkKey = sealSecret("network key", privateKey);
      return { networkId: networkIdOf(publicKey), networkKey: publicKey, sealedNetworkKey };
    },
    "network.load": ({ sealedNetworkKey }) => {
      const privateKey = openSecret("network key", sealedNetworkKey);
      context.setNetworkKey({ privateKey, publicKey: ed25519.publicKeyOf(privateKey) });
      return {};
    },
    "network.idOf": ({ networkKey }) => ({ networkId: networkIdOf(networkKey) }),

    "record.sign": (params) => {
      switch (params.kind) {
        case "device":
        case "revocation": {
          const { account } = context.identity;
          return { record: signRecord(ed25519, params.kind, params.value, account.privateKey) };
        }
        case "issuerCertificate":
        case "policy":
        case "suspension": {
          const { privateKey } = context.networkKey;
          return { record: signRecord(ed25519, params.kind, params.value, privateKey) };
        }
      }
    },
    "record.verify": ({ kind, record, publicKey }) => ({
      value: verifyRecord(ed25519, kind, record, publicKey),
    }),
    "session.sign": ({ challenge, vaultSequence }) => {
      const { networkId, deviceId, signature } = context.identity;
      const payload = signInPayload(networkId, deviceId, challenge, vaultSequence);
      return {
        signature: ed25519.sign(signature.privateKey, signingInput(signInLabel, payload)),
      };
    },

    "directory.setNetwork": (network) => ({
      networkId: context.directory.setNetwork(network, context.time.nowMs()),
    }),
    "directory.trust": ({ entries }) => {
      const answers = entries.map((entry) => context.directory.trust(entry));
      return {
        people: answers.map((answer) => (answer.kind === "trusted" ? answer.person : null)),
        otherKeys: answers.flatMap((answer, index) =>
          answer.kind === "other-key" ? [{ index, user: answer.user }] : [],
        ),
      };
    },
    "directory.acceptKey": ({ records }) => ({ person: context.directory.acceptKey(records) }),

    "safetyNumber.compute": (other) => safetyNumber(self(), { ...self(), ...other }),
    "safetyNumber.compare": ({ code, ...other }) => ({
      verdict: compareCode(self(), { ...self(), ...other }, code),
    }),
  };
}
