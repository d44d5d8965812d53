import { AppError } from "#protocol";
import { wipe } from "../primitives/index.ts";
import { createKeyring, keyCheckOf, openKeyring, vaultKeyBytes } from "../vault/keyring.ts";
import { createPassphraseSlot, openPassphraseSlot } from "../vault/passphrase-slot.ts";
import { createVaultSession, frameTag } from "../vault/vault-session.ts";
import type { Handlers, WorkerContext } from "./context.ts";

/** Keys, slots, frames, snapshots and bodies. */
export function vaultHandlers(
  context: WorkerContext,
): Handlers<
  | "vault.generateKey"
  | "vault.createKeyring"
  | "vault.keyCheck"
  | "vault.unlock"
  | "vault.lock"
  | "slot.createPassphrase"
  | "slot.openPassphrase"
  | "vault.sealFrame"
  | "vault.openFrames"
  | "vault.sealSnapshotChunk"
  | "vault.openSnapshotChunk"
  | "body.seal"
  | "body.open"
> {
  const { primitives, passphraseCost } = context.ports;
  const { random } = primitives;
  return {
    "vault.generateKey": () => ({ vaultKey: random(vaultKeyBytes) }),
    "vault.createKeyring": ({ vaultId, vaultKey }) =>
      wiping(vaultKey, () => ({ sealedKeyring: createKeyring(vaultId, vaultKey, random) })),
    "vault.keyCheck": ({ vaultId, vaultKey }) =>
      wiping(vaultKey, () => ({ keyCheck: keyCheckOf(vaultId, vaultKey) })),
    "vault.unlock": ({ vaultId, vaultKey, sealedKeyring }) =>
      wiping(vaultKey, () => {
        const rootKey = openKeyring(vaultId, vaultKey, sealedKeyring, random);
        context.unlock(createVaultSession(vaultId, rootKey, random));
        return {};
      }),
    "vault.lock": () => {
      context.lock();
      return {};
    },
    "slot.createPassphrase": (params) =>
      wiping(params.vaultKey, () => ({
        slot: createPassphraseSlot(primitives, params, passphraseCost),
      })),
    "slot.openPassphrase": (params) => ({ vaultKey: openPassphraseSlot(primitives, params) }),

    "vault.sealFrame": ({ plain, ...place }) => ({ sealed: context.vault.sealFrame(place, plain) }),
    "vault.openFrames": ({ generation, firstSequence, previousTag: firstTag, frames }) => {
      const plains: Uint8Array[] = [];
      let previousTag = firstTag;
      for (const [at, frame] of frames.entries()) {
        const sequence = firstSequence + at;
        const plain = context.vault.openFrame({ generation, sequence, previousTag }, frame);
        if (plain === undefined) return { plains, damagedAt: sequence };
        plains.push(plain);
        previousTag = frameTag(frame);
      }
      return { plains, damagedAt: null };
    },
    "vault.sealSnapshotChunk": ({ plain, ...place }) => ({
      sealed: context.vault.sealSnapshotChunk(place, plain),
    }),
    "vault.openSnapshotChunk": ({ sealed, ...place }) => {
      const plain = context.vault.openSnapshotChunk(place, sealed);
      if (plain === undefined) {
        throw new AppError("vault-damaged", { data: { snapshotChunk: place.index } });
      }
      return { plain };
    },

    "body.seal": ({ items }) => ({
      sealed: items.map(({ plain, ...item }) => context.vault.sealBody(item, plain)),
    }),
    "body.open": ({ items }) => ({
      plains: items.map(({ sealed, ...item }) => context.vault.openBody(item, sealed) ?? null),
    }),
  };
}

/** Wipes a key once it has been used: a request's values are this worker's own copies. */
function wiping<Result>(key: Uint8Array, use: () => Result): Result {
  try {
    return use();
  } finally {
    wipe(key);
  }
}
