import {
  AppError,
  decodeRecord,
  equalBytes,
  idFromBytes,
  inviteTokenBytes,
  relayProtocolVersion,
  type InviteId,
  type Policy,
  type RelayEventInput,
  type RelayResult,
  type ParsedRelayParams,
  type SignedRecord,
} from "#protocol";
import { ed25519PublicKey, equalSecrets, sha256 } from "../primitives.ts";
import { claimCode, normalClaimCode } from "./claim-code.ts";
import { directoryScope, type RelayContext } from "./context.ts";
import { removeInvite, storeInvite } from "./invites.ts";
import {
  claimSlot,
  formatSlot,
  formatVersion,
  issuerSlot,
  networkSlot,
  type Issuer,
  type Network,
} from "./layout.ts";
import { networkIdOf, openRecord } from "./records.ts";

/** A certificate may have been made by a clock that is this much ahead of ours. */
const clockToleranceMs = 10 * 60_000;
/** The first administrator's token is redeemed at once; claiming again gives another. */
const administratorTokenLifeMs = 24 * 3_600_000;

/**
 * Makes what a relay needs before its first connection: the issuer key and the claim code.
 *
 * @throws AppError `relay-start-failed`: what is stored was written by a newer relay
 */
export async function prepareRelay(context: RelayContext): Promise<void> {
  await context.units.run(directoryScope, async (transaction) => {
    const format = await transaction.load(formatSlot);
    if (format !== undefined && format.version > formatVersion) {
      throw new AppError("relay-start-failed", { data: { reason: "newer-format" } });
    }
    if (format !== undefined) return;
    const seed = context.random(32);
    transaction.store(formatSlot, { version: formatVersion });
    transaction.store(issuerSlot, { seed, publicKey: ed25519PublicKey(seed) });
    transaction.store(claimSlot, { code: claimCode(context.random) });
  });
}

/** The code that claims this relay, or null once its network has an administrator. */
export async function currentClaimCode(context: RelayContext): Promise<string | null> {
  return (await context.reader.load(claimSlot))?.code ?? null;
}

/** @throws AppError `relay-storage-failed`: a relay without an issuer key is a damaged one */
export async function loadIssuer(context: RelayContext): Promise<Issuer> {
  const issuer = await context.reader.load(issuerSlot);
  if (issuer === undefined) {
    throw new AppError("relay-storage-failed", { data: { reason: "issuer-missing" } });
  }
  return issuer;
}

/** The network that this relay serves. @throws AppError `sign-in-refused` while there is none */
export async function loadNetwork(context: RelayContext): Promise<Network> {
  const network = await context.reader.load(networkSlot);
  if (network === undefined) throw new AppError("sign-in-refused");
  return network;
}

/** What the network's administrator has decided; it was checked when it was stored. */
export function policyOf(network: Network): Policy {
  return decodeRecord("policy", network.policy.payload);
}

/** The first frame of a connection. */
export async function hello(
  context: RelayContext,
  challenge: Uint8Array,
): Promise<RelayEventInput<"hello">> {
  const [issuer, network] = await Promise.all([
    loadIssuer(context),
    context.reader.load(networkSlot),
  ]);
  return {
    protocolVersions: [relayProtocolVersion],
    challenge,
    relayTimeMs: context.clock.nowMs(),
    issuerKey: issuer.publicKey,
    network:
      network === undefined
        ? null
        : {
            networkId: network.networkId,
            networkKey: network.networkKey,
            issuerCertificate: network.issuerCertificate,
            policy: network.policy,
          },
  };
}

/**
 * Makes this relay serve a network. Repeating it with the same key, as a client does that stopped halfway, gives a new token until
 * there is an administrator. The claim code is asked for every time: the records alone are public.
 */
export function claimNetwork(
  context: RelayContext,
  params: ParsedRelayParams<"network.claim">,
): Promise<RelayResult<"network.claim">> {
  const token = context.random(inviteTokenBytes);
  const inviteId = idFromBytes<InviteId>(context.random(16));
  return context.units.run(directoryScope, async (transaction) => {
    const [claim, network, issuer] = [
      await transaction.load(claimSlot),
      await transaction.load(networkSlot),
      await loadIssuer(context),
    ];
    const ours = network === undefined || equalBytes(network.networkKey, params.networkKey);
    if (claim === undefined || !ours) throw new AppError("network-claimed");
    if (!isSameCode(claim.code, params.claimCode)) throw new AppError("claim-refused");

    const networkId = networkIdOf(params.networkKey);
    const nowMs = context.clock.nowMs();
    const { issuerCertificate, policy, networkKey } = params;
    checkCertificate(issuerCertificate, { networkKey, issuerKey: issuer.publicKey, nowMs });
    const { version } = checkPolicy(policy, networkKey);
    if (network !== undefined && version < policyOf(network).version) {
      throw new AppError("record-invalid", { data: { record: "policy", reason: "older" } });
    }

    const previous = network?.administratorInvite ?? null;
    if (previous !== null) await removeInvite(transaction, previous);
    storeInvite(context, transaction, {
      inviteId,
      tokenHash: sha256(token),
      createdBy: null,
      role: "administrator",
      createdAtMs: nowMs,
      expiresAtMs: nowMs + administratorTokenLifeMs,
      uses: 1,
      usesLeft: 1,
    });
    transaction.store(networkSlot, {
      networkId,
      networkKey,
      issuerCertificate,
      policy,
      administratorInvite: inviteId,
    });
    return { administratorToken: token };
  });
}

function checkCertificate(
  record: SignedRecord,
  expected: {
    readonly networkKey: Uint8Array;
    readonly issuerKey: Uint8Array;
    readonly nowMs: number;
  },
): void {
  const certificate = openRecord("issuerCertificate", record, expected.networkKey);
  const reason =
    certificate.networkId !== networkIdOf(expected.networkKey)
      ? "network"
      : !equalBytes(certificate.issuerKey, expected.issuerKey)
        ? "issuer-key"
        : certificate.notBeforeMs > expected.nowMs + clockToleranceMs ||
            certificate.notAfterMs <= expected.nowMs
          ? "validity"
          : null;
  if (reason !== null) {
    throw new AppError("record-invalid", { data: { record: "issuerCertificate", reason } });
  }
}

/** Reads a policy of the network with this key. @throws AppError `signature-invalid`, `record-invalid` */
export function checkPolicy(record: SignedRecord, networkKey: Uint8Array): Policy {
  const policy = openRecord("policy", record, networkKey);
  if (policy.networkId !== networkIdOf(networkKey)) {
    throw new AppError("record-invalid", { data: { record: "policy", reason: "network" } });
  }
  return policy;
}

function isSameCode(code: string, offered: string): boolean {
  const hash = (text: string): Uint8Array =>
    sha256(new TextEncoder().encode(normalClaimCode(text)));
  return equalSecrets(hash(code), hash(offered));
}
