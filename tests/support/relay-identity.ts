import { generateKeyPairSync, randomBytes, sign, createHash, type KeyObject } from "node:crypto";
import {
  encodeRecord,
  idFromBytes,
  recordKinds,
  signingInput,
  signInLabel,
  signInPayload,
  type DeviceId,
  type NetworkId,
  type Policy,
  type RecordKindName,
  type RecordValue,
  type SignedRecord,
  type UserId,
} from "#protocol";

/** A raw Ed25519 key and what it signs, made with node:crypto alone: an independent client. */
export class TestKey {
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.publicKey = new Uint8Array(
      publicKey.export({ format: "der", type: "spki" }).subarray(-32),
    );
    this.#privateKey = privateKey;
  }

  signMessage(label: string, payload: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, signingInput(label, payload), this.#privateKey));
  }

  signRecord<Kind extends RecordKindName>(kind: Kind, value: RecordValue<Kind>): SignedRecord {
    const payload = encodeRecord(kind, value);
    return { payload, signature: this.signMessage(recordKinds[kind].label, payload) };
  }
}

export function testBytes(sizeBytes: number): Uint8Array {
  return new Uint8Array(randomBytes(sizeBytes));
}

/** A network's root, as its administrator holds it. */
export class TestNetwork {
  readonly key = new TestKey();
  readonly networkId = idFromBytes<NetworkId>(
    new Uint8Array(createHash("sha256").update(this.key.publicKey).digest().subarray(0, 16)),
  );

  certificate(
    issuerKey: Uint8Array,
    changes: Partial<RecordValue<"issuerCertificate">> = {},
  ): SignedRecord {
    return this.key.signRecord("issuerCertificate", {
      networkId: this.networkId,
      issuerKey,
      notBeforeMs: Date.now() - 1000,
      notAfterMs: Date.now() + 365 * 24 * 3_600_000,
      ...changes,
    });
  }

  suspension(userId: UserId, changes: Partial<RecordValue<"suspension">> = {}): SignedRecord {
    return this.key.signRecord("suspension", {
      networkId: this.networkId,
      userId,
      suspended: true,
      issuedAtMs: Date.now(),
      ...changes,
    });
  }

  policy(changes: Partial<Policy> = {}): SignedRecord {
    return this.key.signRecord("policy", {
      networkId: this.networkId,
      networkName: "Test network",
      version: 1,
      issuedAtMs: Date.now(),
      maxExpirationSeconds: 30 * 24 * 3600,
      defaultExpirationSeconds: 7 * 24 * 3600,
      membersMayInvite: true,
      ...changes,
    });
  }
}

/** A person with one device; {@link TestDevice.further} makes them another. */
export class TestDevice {
  readonly account: TestKey;
  readonly signature = new TestKey();
  readonly userId: UserId;
  readonly deviceId = idFromBytes<DeviceId>(testBytes(16));
  readonly displayName: string;

  constructor(displayName: string, person?: Pick<TestDevice, "account" | "userId">) {
    this.displayName = displayName;
    this.account = person?.account ?? new TestKey();
    this.userId = person?.userId ?? idFromBytes<UserId>(testBytes(16));
  }

  /** Another device of the same person. */
  further(): TestDevice {
    return new TestDevice(this.displayName, this);
  }

  revocation(networkId: NetworkId, changes: Partial<RecordValue<"revocation">> = {}): SignedRecord {
    return this.account.signRecord("revocation", {
      networkId,
      userId: this.userId,
      deviceId: this.deviceId,
      revokedAtMs: Date.now(),
      ...changes,
    });
  }

  record(networkId: NetworkId, changes: Partial<RecordValue<"device">> = {}): SignedRecord {
    return this.account.signRecord("device", {
      networkId,
      userId: this.userId,
      deviceId: this.deviceId,
      deviceName: "Test device",
      platform: "test",
      signatureKey: this.signature.publicKey,
      createdAtMs: Date.now(),
      ...changes,
    });
  }

  signChallenge(networkId: NetworkId, challenge: Uint8Array, vaultSequence: number): Uint8Array {
    const payload = signInPayload(networkId, this.deviceId, challenge, vaultSequence);
    return this.signature.signMessage(signInLabel, payload);
  }
}
