import { AppError, idFromBytes, type VaultId, type VaultSecret } from "#protocol";
import { wipe } from "../primitives/index.ts";
import type { FloorClock } from "../sweep/clock.ts";
import { createKeyring, wipeKeyring } from "../vault/exchange.ts";
import { createSlot, type SlotMaking } from "../vault/slots/slots.ts";
import { keychainKeysOf, unlockKeyring } from "../vault/unlock.ts";
import { createVaultSession, frameTag } from "../vault/vault-session.ts";
import type { Handlers, WorkerContext, WorkerPorts } from "./context.ts";

const vaultIdBytes = 16;

/** As much of a worker as its vault needs. */
export type VaultHost = Pick<WorkerContext, "vault" | "unlock" | "lock"> & {
  readonly ports: Pick<WorkerPorts, "primitives" | "passphraseCost">;
  readonly time: Pick<FloorClock, "nowMs">;
};

/** Keys, slots, frames, snapshots and bodies. */
export function vaultHandlers(
  context: VaultHost,
): Handlers<
  | "vault.create"
  | "vault.unlock"
  | "vault.lock"
  | "vault.compareKeychain"
  | "vault.keychainKeys"
  | "vault.prepareKeyring"
  | "vault.settleKeyring"
  | "vault.keyringFacts"
  | "vault.checkPassphrase"
  | "vault.frameKeys"
  | "vault.openFrames"
  | "vault.sealSnapshotChunk"
  | "vault.openSnapshotChunk"
  | "body.seal"
  | "body.open"
> {
  const { primitives, passphraseCost } = context.ports;

  function making(): SlotMaking {
    return { primitives, passphraseCost, nowMs: context.time.nowMs() };
  }

  return {
    "vault.create": ({ keychain, passphrase }) => {
      const vaultId = idFromBytes<VaultId>(primitives.random(vaultIdBytes));
      const slots = [
        ...(keychain === null
          ? []
          : [
              { ...keychain, kind: "keychain" as const, account: `${keychain.account}/${vaultId}` },
            ]),
        ...(passphrase === null ? [] : [{ kind: "passphrase" as const, passphrase }]),
      ];
      if (slots.length === 0) {
        throw new AppError("argument-invalid", { data: { reason: "no key slot" } });
      }
      const bases = slots.map((slot) => createSlot(making(), vaultId, slot).base);
      const keyring = createKeyring(making(), vaultId, bases);
      const keychainKeys = keychain === null ? null : keychainKeysOf(keyring);
      wipeKeyring(keyring);
      return { record: keyring.record, keychainKeys };
    },
    "vault.unlock": ({ record, secret }) => {
      try {
        const unlocked = unlockKeyring(primitives, record, secret);
        context.unlock(createVaultSession(primitives, unlocked));
        return {};
      } finally {
        wipeSecret(secret);
      }
    },
    "vault.lock": () => {
      context.lock();
      return {};
    },
    "vault.compareKeychain": ({ entries }) => {
      try {
        return { state: context.vault.compareKeychain(entries) };
      } finally {
        wipe(...presentIn(entries));
      }
    },
    "vault.keychainKeys": () => ({ keychainKeys: context.vault.keychainKeys() }),
    "vault.prepareKeyring": ({ changes }) => context.vault.prepareKeyring(making(), changes),
    "vault.settleKeyring": ({ written }) => {
      context.vault.settleKeyring(written);
      return {};
    },
    "vault.keyringFacts": () => context.vault.facts(),
    "vault.checkPassphrase": ({ passphrase }) => ({
      isRight: context.vault.isPassphrase(passphrase),
    }),

    "vault.frameKeys": ({ generation, count }) => ({
      frameKeys: context.vault.frameKeys(generation, count),
    }),
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

/** A request's values are this worker's own copies. */
function wipeSecret(secret: VaultSecret): void {
  if (secret.kind === "keychain") wipe(...presentIn(secret.entries));
  if (secret.kind === "organisation") wipe(secret.privateKey);
}

function presentIn(entries: readonly (Uint8Array | null)[]): readonly Uint8Array[] {
  return entries.filter((entry) => entry !== null);
}
