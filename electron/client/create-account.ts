import {
  AppError,
  encodeCbor,
  ensureAppError,
  equalBytes,
  nameSchema,
  parse,
  type CryptoWorker,
  type NetworkId,
  type Policy,
  type SignedRecord,
} from "#protocol";
import { openConnection, type Clock, type Connection } from "../link/index.ts";
import type { Vault } from "../vault/index.ts";
import { verifyPolicy } from "./account/policy-keeper.ts";
import { ensureNetwork } from "./identity.ts";
import { putFact, readFact, type StoredAccount } from "./store/facts.ts";
import { statement } from "./store/statement.ts";
import type { AccountProgress, CreateAccountOptions } from "./types.ts";

const dayMs = 24 * 60 * 60 * 1000;
const daySeconds = 24 * 60 * 60;
/** The issuer's certificate of a new network: from yesterday, for clocks that go wrong, and for ten years. */
const certificateLifeMs = 3650 * dayMs;
/** What a new network allows until its administrator decides otherwise. */
const firstPolicy = {
  version: 1,
  maxExpirationSeconds: 365 * daySeconds,
  defaultExpirationSeconds: 7 * daySeconds,
  membersMayInvite: false,
};

interface Making {
  readonly vault: Vault;
  readonly worker: CryptoWorker;
  readonly clock: Clock;
}

/** What `vault` holds of an account. */
export function accountProgress(vault: Vault): AccountProgress {
  const account = readFact(vault, "account");
  if (account === undefined) return { kind: "none" };
  const { hosted, relayUrl, networkName, networkKey, claim, token } = account;
  if (account.step === "ready") return { kind: "ready", hosted, relayUrl };
  const { displayName, deviceName, platform } = account;
  const facts = { kind: "unfinished", displayName, deviceName, platform, hosted } as const;
  if (claim !== null) {
    const { claimCode } = claim;
    return { ...facts, origin: { claim: { claimCode, networkName }, invite: { relayUrl } } };
  }
  if (token === null) return { kind: "none" };
  const invite = { relayUrl, networkKey, networkName, token };
  return { ...facts, origin: { claim: null, invite } };
}

/**
 * Makes an account in an empty vault, or goes on with one that stopped halfway: every step is in the vault before the relay hears of
 * it, and a repeated request is the same request.
 *
 * @throws AppError `name-invalid`, `relay-unreachable`, `relay-identity-changed`, `claim-refused`, `network-claimed`, `invite-*`, `record-invalid`,
 *   or what the vault says
 */
export async function createAccount(options: CreateAccountOptions): Promise<void> {
  const { vault, worker, clock } = options;
  if (vault.readOnly !== null) throw new AppError(vault.readOnly);
  if (readFact(vault, "account")?.step === "ready") throw new AppError("vault-exists");
  parse(nameSchema, options.displayName, "name-invalid");
  if (options.claim !== null) parse(nameSchema, options.claim.networkName, "name-invalid");
  const making: Making = { vault, worker, clock };
  const account = await prepareAccount(making, options);
  const connection = await openConnection({
    connect: options.connect,
    clock,
    relayUrl: account.relayUrl,
    onEvent: () => undefined,
  });
  try {
    await redeem(making, connection, account);
  } finally {
    connection.close();
  }
}

/** Keys, ids and signed records, in the vault before anything is sent. */
async function prepareAccount(
  making: Making,
  options: CreateAccountOptions,
): Promise<StoredAccount> {
  const { vault } = making;
  const { displayName, deviceName, platform, hosted } = options;
  const { relayUrl } = options.invite;
  const stored = readFact(vault, "account");
  const network = await prepareNetwork(making, options);
  const names = { displayName: displayName.trim(), deviceName, platform, hosted, relayUrl };
  if (stored?.networkId === network.networkId) {
    const same = stored.deviceName === deviceName && stored.platform === platform;
    await loadIdentity(making, network.networkId);
    const device = same ? stored.device : await signDevice(making, { ...stored, ...names });
    return save(vault, { ...stored, ...names, ...network, device });
  }
  const { sealedIdentity, ...ids } = await making.worker.call("identity.create", {});
  await vault.transact([putFact("identity", sealedIdentity)]);
  await loadIdentity(making, network.networkId);
  const account = { step: "unfinished", ...ids, ...names, ...network } as const;
  const device = await signDevice(making, account);
  return save(vault, { ...account, device });
}

async function save(vault: Vault, account: StoredAccount): Promise<StoredAccount> {
  await vault.transact([putFact("account", account)]);
  return account;
}

async function loadIdentity({ vault, worker }: Making, networkId: NetworkId): Promise<void> {
  const sealedIdentity = readFact(vault, "identity");
  if (sealedIdentity === undefined) throw new AppError("vault-damaged");
  await worker.call("identity.load", { sealedIdentity, networkId });
}

async function signDevice(
  { worker, clock }: Making,
  account: Omit<StoredAccount, "device">,
): Promise<SignedRecord> {
  const { networkId, userId, deviceId, deviceName, platform, signatureKey } = account;
  const createdAtMs = clock.now();
  const { record } = await worker.call("record.sign", {
    kind: "device",
    value: { networkId, userId, deviceId, deviceName, platform, signatureKey, createdAtMs },
  });
  return record;
}

type NetworkFacts = Pick<
  StoredAccount,
  "networkId" | "networkKey" | "networkName" | "claim" | "token"
>;

/** The network of the invite, or a new one whose key is made once. */
async function prepareNetwork(
  making: Making,
  options: CreateAccountOptions,
): Promise<NetworkFacts> {
  const { worker, vault } = making;
  if (options.claim === null) {
    const { networkKey, networkName, token } = options.invite;
    const { networkId } = await worker.call("network.idOf", { networkKey });
    return { networkId, networkKey, networkName, claim: null, token };
  }
  const { claimCode, networkName } = options.claim;
  const stored = readFact(vault, "account");
  const sealed = readFact(vault, "networkKey");
  if (sealed !== undefined && stored !== undefined && stored.claim !== null) {
    await worker.call("network.load", { sealedNetworkKey: sealed });
    const { networkId, networkKey, token } = stored;
    const policy =
      stored.networkName === networkName
        ? stored.claim.policy
        : await signPolicy(making, networkId, networkName);
    return { networkId, networkKey, networkName, claim: { claimCode, policy }, token };
  }
  const made = await worker.call("network.create", {});
  const { networkId, networkKey, sealedNetworkKey } = made;
  await vault.transact([putFact("networkKey", sealedNetworkKey)]);
  await worker.call("network.load", { sealedNetworkKey });
  const policy = await signPolicy(making, networkId, networkName);
  return { networkId, networkKey, networkName, claim: { claimCode, policy }, token: null };
}

async function signPolicy(
  { worker, clock }: Making,
  networkId: NetworkId,
  networkName: string,
): Promise<SignedRecord> {
  const value: Policy = {
    ...firstPolicy,
    networkId,
    networkName: networkName.trim(),
    issuedAtMs: clock.now(),
  };
  const { record } = await worker.call("record.sign", { kind: "policy", value });
  return record;
}

async function redeem(
  making: Making,
  connection: Connection,
  account: StoredAccount,
): Promise<void> {
  const { token } = account;
  if (account.claim === null) {
    if (token === null) throw new AppError("invite-unknown");
    const records = ensureNetwork(connection.hello, account.networkKey);
    await finish(making, connection, { ...account, token, records });
    return;
  }
  if (token !== null && connection.hello.network !== null) {
    // The last try got as far as this: it may have been taken, its answer lost.
    const records = ensureNetwork(connection.hello, account.networkKey);
    const finishing = finish(making, connection, { ...account, token, records });
    if ((await finishing.catch(ifInviteIsGone)) !== "gone") return;
  }
  const claimed = await claim(making, connection, account);
  await save(making.vault, { ...account, token: claimed.token });
  await finish(making, connection, { ...account, ...claimed });
}

function ifInviteIsGone(error: unknown): "gone" {
  const { code } = ensureAppError(error);
  if (code === "invite-unknown" || code === "invite-used" || code === "invite-expired") {
    return "gone";
  }
  throw error;
}

/** What the network key has signed about the relay and the network. */
interface NetworkRecords {
  readonly issuerCertificate: SignedRecord;
  readonly policy: SignedRecord;
}

/** Makes an unclaimed relay serve our network. @returns the first administrator's token, and what the relay now serves */
async function claim(
  { worker, clock }: Making,
  connection: Connection,
  { claim: wanted, networkId, networkKey }: StoredAccount,
): Promise<{ readonly token: Uint8Array; readonly records: NetworkRecords }> {
  const { issuerKey, network } = connection.hello;
  if (wanted === null) throw new AppError("internal");
  if (network !== null && !equalBytes(network.networkKey, networkKey)) {
    throw new AppError("network-claimed");
  }
  const nowMs = clock.now();
  const { record } = await worker.call("record.sign", {
    kind: "issuerCertificate",
    value: {
      networkId,
      issuerKey,
      notBeforeMs: nowMs - dayMs,
      notAfterMs: nowMs + certificateLifeMs,
    },
  });
  const { administratorToken } = await connection.request("network.claim", {
    claimCode: wanted.claimCode,
    networkKey,
    issuerCertificate: record,
    policy: wanted.policy,
  });
  const { policy } = wanted;
  return { token: administratorToken, records: { issuerCertificate: record, policy } };
}

/** Redeems the token, believes the answer only if the network's issuer signed it, and keeps all of it. */
async function finish(
  making: Making,
  connection: Connection,
  {
    records,
    ...account
  }: StoredAccount & { readonly token: Uint8Array; readonly records: NetworkRecords },
): Promise<void> {
  const { worker, vault } = making;
  const { token, displayName, accountKey, userId, device, networkKey } = account;
  const params = { token, displayName, accountKey, userId, device };
  const { user } = await connection.request("invite.redeem", params);
  const { issuerKey } = connection.hello;
  const issuer = { certificate: records.issuerCertificate, key: issuerKey };
  await worker.call("directory.setNetwork", {
    networkKey,
    issuerCertificate: issuer.certificate,
    issuerKey,
  });
  const { people } = await worker.call("directory.trust", {
    entries: [{ user, devices: [device] }],
  });
  const [person] = people;
  if (
    person?.user.userId !== userId ||
    !equalBytes(person.user.accountKey, accountKey) ||
    person.devices.length !== 1
  ) {
    throw new AppError("record-invalid");
  }
  const policy = await verifyPolicy(worker, records.policy, networkKey);
  if (policy.networkId !== account.networkId) throw new AppError("record-invalid");
  const entry = encodeCbor({ user, devices: [device] });
  await vault.transact([
    statement("directory.put", userId, 0, entry),
    putFact("issuer", issuer),
    putFact("policy", records.policy),
    putFact("account", {
      ...account,
      step: "ready",
      networkName: policy.networkName,
      displayName: person.user.displayName,
      claim: null,
      token: null,
    }),
  ]);
}
