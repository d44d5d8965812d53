import type { ProtocolAddress, SessionRecord } from "@signalapp/libsignal-client";

/** Two devices of two people with an established session, on Signal's own library. */
export interface SignalPair {
  readonly encrypt: (from: "alice" | "bob", message: Uint8Array) => Promise<Uint8Array>;
  readonly decrypt: (to: "alice" | "bob", bytes: Uint8Array) => Promise<Uint8Array>;
}

/**
 * With the stores of the library's own examples: in memory, each session as the bytes that would be stored.
 *
 * @returns a reason where the library has no binary for this machine
 */
export async function createSignalPair(): Promise<SignalPair | { readonly unavailable: string }> {
  const loaded = await import("@signalapp/libsignal-client").catch((error: unknown) => ({
    unavailable: String(error),
  }));
  if ("unavailable" in loaded) return loaded;
  const signal = loaded;
  const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

  class Sessions extends signal.SessionStore {
    readonly #stored = new Map<string, Uint8Array<ArrayBuffer>>();
    saveSession(name: ProtocolAddress, record: SessionRecord) {
      this.#stored.set(name.toString(), record.serialize());
      return Promise.resolve();
    }
    getSession(name: ProtocolAddress) {
      const stored = this.#stored.get(name.toString());
      return Promise.resolve(
        stored === undefined ? null : signal.SessionRecord.deserialize(stored),
      );
    }
    getExistingSessions() {
      return Promise.reject(new Error("not used"));
    }
  }
  class Identities extends signal.IdentityKeyStore {
    readonly key = signal.PrivateKey.generate();
    getIdentityKey() {
      return Promise.resolve(this.key);
    }
    getLocalRegistrationId() {
      return Promise.resolve(5);
    }
    saveIdentity() {
      return Promise.resolve(signal.IdentityChange.NewOrUnchanged);
    }
    isTrustedIdentity() {
      return Promise.resolve(true);
    }
    getIdentity() {
      return Promise.resolve(null);
    }
  }
  const nothing = (): Promise<void> => Promise.resolve();

  const device = (name: string) => ({
    address: signal.ProtocolAddress.new(name, 1),
    sessions: new Sessions(),
    identities: new Identities(),
  });
  const people = {
    alice: device("9d0652a3-dcc3-4d11-975f-74d61598733f"),
    bob: device("6838237d-02f6-4098-b110-698253d15961"),
  };
  const { alice, bob } = people;

  const bundleKey = signal.PrivateKey.generate();
  const signedKey = signal.PrivateKey.generate();
  const kyberKey = signal.KEMKeyPair.generate();
  const { key } = bob.identities;
  const signature = key.sign(signedKey.getPublicKey().serialize());
  const kyberSignature = key.sign(kyberKey.getPublicKey().serialize());
  const bundle = signal.PreKeyBundle.new(
    5,
    1,
    1,
    bundleKey.getPublicKey(),
    2,
    signedKey.getPublicKey(),
    signature,
    key.getPublicKey(),
    3,
    kyberKey.getPublicKey(),
    kyberSignature,
  );
  const preKey = signal.PreKeyRecord.new(1, bundleKey.getPublicKey(), bundleKey);
  const signedPreKey = signal.SignedPreKeyRecord.new(
    2,
    0,
    signedKey.getPublicKey(),
    signedKey,
    signature,
  );
  const kyberPreKey = signal.KyberPreKeyRecord.new(3, 0, kyberKey, kyberSignature);
  await signal.processPreKeyBundle(
    bundle,
    bob.address,
    alice.address,
    alice.sessions,
    alice.identities,
  );

  const other = { alice: bob, bob: alice };
  const encrypt = async (from: "alice" | "bob", message: Uint8Array) => {
    const { address, sessions, identities } = people[from];
    const sealed = await signal.signalEncrypt(
      owned(message),
      other[from].address,
      address,
      sessions,
      identities,
    );
    return sealed.serialize();
  };
  const decrypt = (to: "alice" | "bob", bytes: Uint8Array) => {
    const { address, sessions, identities } = people[to];
    const message = signal.SignalMessage.deserialize(owned(bytes));
    return signal.signalDecrypt(message, other[to].address, address, sessions, identities);
  };
  const first = signal.PreKeySignalMessage.deserialize(
    owned(await encrypt("alice", new Uint8Array(1))),
  );
  await signal.signalDecryptPreKey(
    first,
    alice.address,
    bob.address,
    bob.sessions,
    bob.identities,
    {
      getPreKey: () => Promise.resolve(preKey),
      savePreKey: nothing,
      removePreKey: nothing,
    },
    { getSignedPreKey: () => Promise.resolve(signedPreKey), saveSignedPreKey: nothing },
    {
      getKyberPreKey: () => Promise.resolve(kyberPreKey),
      saveKyberPreKey: nothing,
      markKyberPreKeyUsed: nothing,
    },
  );
  // The answer ends the handshake: only short messages from now on.
  await decrypt("alice", await encrypt("bob", new Uint8Array(1)));
  return { encrypt, decrypt };
}
