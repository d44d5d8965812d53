import { AppError, equalBytes, relayProtocolVersion, type RelayEvent } from "#protocol";
import type { LinkIdentity } from "../link/index.ts";
import type { Directory } from "./account/directory.ts";
import type { PolicyKeeper } from "./account/policy-keeper.ts";
import type { RollBack } from "./account/roll-back.ts";
import { Changes } from "./core/changes.ts";
import type { Core } from "./core/core.ts";
import type { Sweeper } from "./ephemerality/sweeper.ts";
import { putFact, readFact, type Facts, type StoredAccount } from "./store/facts.ts";

/**
 * Checks that a relay serves the network it should: the key pinned by the invite, and its issuer certified by that key.
 *
 * @throws AppError `relay-identity-changed`
 */
export function ensureNetwork(
  hello: RelayEvent<"hello">,
  networkKey: Uint8Array,
): NonNullable<RelayEvent<"hello">["network"]> {
  const { network } = hello;
  if (network === null || !equalBytes(network.networkKey, networkKey)) {
    throw new AppError("relay-identity-changed");
  }
  return network;
}

/** Who this device is to the relay, and what the relay must be to this device. */
export function linkIdentity(
  core: Core,
  account: StoredAccount,
  parts: {
    readonly directory: Directory;
    readonly policy: PolicyKeeper;
    readonly sweeper: Sweeper;
    readonly rollBack: RollBack;
  },
): LinkIdentity {
  let namedSequence = 0;

  const takeIssuer = async (issuer: Facts["issuer"]): Promise<void> => {
    const { certificate, key } = issuer;
    const { networkKey } = account;
    const known = readFact(core.vault, "issuer");
    const same =
      known !== undefined &&
      equalBytes(known.key, key) &&
      equalBytes(known.certificate.payload, certificate.payload) &&
      equalBytes(known.certificate.signature, certificate.signature);
    if (same) return;
    await core.worker.call("directory.setNetwork", {
      networkKey,
      issuerCertificate: certificate,
      issuerKey: key,
    });
    const changes = new Changes();
    changes.statements.push(putFact("issuer", issuer));
    await core.commit(changes);
    await parts.directory.load();
  };

  return {
    checkRelay: async (hello) => {
      const network = ensureNetwork(hello, account.networkKey);
      await takeIssuer({ certificate: network.issuerCertificate, key: hello.issuerKey });
      await parts.policy.take(network.policy);
    },
    signIn: async (challenge) => {
      const vaultSequence = parts.rollBack.sequence;
      namedSequence = vaultSequence;
      const { signature } = await core.worker.call("session.sign", { challenge, vaultSequence });
      const { deviceId } = core.self;
      return { protocolVersion: relayProtocolVersion, deviceId, signature, vaultSequence };
    },
    acceptSession: async (session, ask) => {
      const { relayTimeMs } = session;
      // An older copy of this vault would use MLS generations again: nothing is encrypted before that is known.
      await parts.rollBack.check(session, namedSequence, ask);
      // A relay in this app goes by the same clock.
      await parts.sweeper.observe(relayTimeMs, !account.hosted);
    },
  };
}
