import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AppError, concatBytes, encodeCbor } from "#protocol";
import type { CryptoWorker, VaultId, WorkerMethods } from "#protocol";

type Handlers = {
  readonly [Name in keyof WorkerMethods]?: (
    params: WorkerMethods[Name]["params"],
  ) => WorkerMethods[Name]["result"];
};

/**
 * As much of the crypto worker as a vault with a keychain needs, with real AES-256-GCM and none of the rest to load: for processes that
 * live half a second, and for benchmarks of the vault alone.
 */
export function createSealingWorker(): CryptoWorker {
  let rootKey: Uint8Array | null = null;
  const root = () => {
    if (rootKey === null) throw new AppError("not-ready");
    return rootKey;
  };
  const derive = (key: Uint8Array, ...purpose: string[]) =>
    new Uint8Array(hkdfSync("sha256", key, new Uint8Array(), encodeCbor(purpose), 32));
  const keyringKey = (vaultId: VaultId, vaultKey: Uint8Array) =>
    derive(vaultKey, "keyring", vaultId);

  const handlers: Handlers = {
    start: () => ({ libsodium: "", tests: 0, suite: "" }),
    "vault.generateKey": () => ({ vaultKey: new Uint8Array(randomBytes(32)) }),
    "vault.createKeyring": ({ vaultId, vaultKey }) => ({
      sealedKeyring: seal(keyringKey(vaultId, vaultKey), ["keyring"], randomBytes(32)),
    }),
    "vault.keyCheck": ({ vaultId, vaultKey }) => ({
      keyCheck: derive(vaultKey, "check", vaultId).slice(0, 16),
    }),
    "vault.unlock": ({ vaultId, vaultKey, sealedKeyring }) => {
      const opened = open(keyringKey(vaultId, vaultKey), ["keyring"], sealedKeyring);
      if (opened === null) throw new AppError("vault-key-wrong");
      rootKey = opened;
      return {};
    },
    "vault.lock": () => {
      rootKey = null;
      return {};
    },
    "vault.sealFrame": ({ generation, sequence, previousTag, plain }) => ({
      sealed: seal(root(), ["frame", generation, sequence, previousTag], plain),
    }),
    "vault.openFrames": ({ generation, firstSequence, previousTag, frames }) => {
      const plains: Uint8Array[] = [];
      let tag = previousTag;
      for (const [index, frame] of frames.entries()) {
        const sequence = firstSequence + index;
        const plain = open(root(), ["frame", generation, sequence, tag], frame);
        if (plain === null) return { plains, damagedAt: sequence };
        plains.push(plain);
        tag = frame.slice(-16);
      }
      return { plains, damagedAt: null };
    },
    "vault.sealSnapshotChunk": ({ generation, index, last, plain }) => ({
      sealed: seal(root(), ["snapshot", generation, index, last], plain),
    }),
    "vault.openSnapshotChunk": ({ generation, index, last, sealed }) => {
      const plain = open(root(), ["snapshot", generation, index, last], sealed);
      if (plain === null) throw new AppError("vault-damaged");
      return { plain };
    },
  };

  return {
    async call(method, params) {
      const handler = handlers[method];
      if (handler === undefined) throw new AppError("command-unknown", { data: { method } });
      return handler(params);
    },
    on: () => () => undefined,
    onRestart: () => () => undefined,
    dispose: () => Promise.resolve(),
  };
}

function seal(key: Uint8Array, place: readonly unknown[], plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(encodeCbor(place));
  return concatBytes(nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function open(key: Uint8Array, place: readonly unknown[], sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < 28) return null;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAAD(encodeCbor(place));
  decipher.setAuthTag(sealed.subarray(-16));
  const plain = decipher.update(sealed.subarray(12, -16));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return new Uint8Array(plain);
}
