import {
  idFromBytes,
  relayProtocolVersion,
  signingInput,
  signInLabel,
  signInPayload,
  type DeviceId,
  type NetworkId,
  type SignedRecord,
} from "#protocol";
import { getCiphersuiteFromName } from "ts-mls";
import { encodeKeyPackage } from "../../crypto/mls/codec.ts";
import { createKeyPackage, type OwnDevice } from "../../crypto/mls/key-packages.ts";
import { createCiphersuiteImpl } from "../../crypto/mls/provider.ts";
import { suiteNames } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import type { Person } from "./client-world.ts";
import { until } from "./client-world.ts";
import { RelayClient } from "./relay-client.ts";
import type { RelayFixture } from "./relay-fixture.ts";

/** Does something at the relay as a person's own device, which is off line meanwhile. */
export async function actAs<Result>(
  relay: RelayFixture,
  person: Person,
  act: (client: RelayClient) => Promise<Result>,
): Promise<Result> {
  const { deviceId } = person.client.view.me;
  person.cable.unplug();
  await until(`${person.name} is off line`, () => person.client.view.connection.kind === "offline");
  const client = await RelayClient.connect(relay.url);
  // No higher than what it names itself, or it would think that it was rolled back.
  const vaultSequence = 0;
  const { signature } = await person.worker.call("session.sign", {
    challenge: client.hello.challenge,
    vaultSequence,
  });
  await client.request("session.signIn", {
    protocolVersion: relayProtocolVersion,
    deviceId,
    signature: new Uint8Array(signature),
    vaultSequence,
  });
  const result = await act(client);
  await client.close();
  person.cable.plug();
  person.client.retryNow();
  await person.online();
  return result;
}

/** Another device of a person: its keys, key packages and connection, and nothing that reads. */
export class SecondDevice {
  readonly own: OwnDevice;
  readonly client: RelayClient;
  readonly #person: Person;

  private constructor(own: OwnDevice, client: RelayClient, person: Person) {
    this.own = own;
    this.client = client;
    this.#person = person;
  }

  /** Adds it to the directory, signs it in, and publishes key packages. */
  static async add(relay: RelayFixture, person: Person, networkId: NetworkId) {
    const primitives = await loadPrimitives();
    const { publicKey, privateKey } = primitives.ed25519.generateKeyPair();
    const { userId } = person;
    const deviceId = idFromBytes<DeviceId>(primitives.random(16));
    const value = {
      networkId,
      userId,
      deviceId,
      deviceName: "Tablet",
      platform: "linux",
      signatureKey: publicKey,
      createdAtMs: Date.now(),
    };
    const { record } = await person.worker.call("record.sign", { kind: "device", value });
    await actAs(relay, person, (asOwner) => asOwner.request("device.add", { device: record }));
    const client = await RelayClient.connect(relay.url);
    const payload = signInPayload(networkId, deviceId, client.hello.challenge, 1);
    await client.request("session.signIn", {
      protocolVersion: relayProtocolVersion,
      deviceId,
      signature: primitives.ed25519.sign(privateKey, signingInput(signInLabel, payload)),
      vaultSequence: 1,
    });
    const own = {
      networkId,
      userId,
      deviceId,
      signatureKey: publicKey,
      signaturePrivateKey: privateKey,
    };
    return new SecondDevice(own, client, person);
  }

  async publishKeyPackages(count: number): Promise<void> {
    const primitives = await loadPrimitives();
    const impl = createCiphersuiteImpl(primitives, getCiphersuiteFromName(suiteNames.default));
    const made = [];
    for (let at = 0; at < count; at += 1) {
      const options = { nowMs: Date.now(), lastResort: false };
      made.push(encodeKeyPackage((await createKeyPackage(impl, this.own, options)).keyPackage));
    }
    await this.client.request("keyPackages.publish", { keyPackages: made, lastResort: null });
  }

  /** The word of its person that it is theirs no longer. */
  async revocation(): Promise<SignedRecord> {
    const { networkId, userId, deviceId } = this.own;
    const value = { networkId, userId, deviceId, revokedAtMs: Date.now() };
    const { record } = await this.#person.worker.call("record.sign", {
      kind: "revocation",
      value,
    });
    return record;
  }
}
