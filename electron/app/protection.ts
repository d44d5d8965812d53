import { AppError, type CommandName, type ProtectionView } from "#protocol";
import type { SlotFacts } from "../vault/index.ts";
import type { Handlers } from "./dispatcher.ts";
import type { Engine } from "./engine.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { effectiveLock, isAllowed } from "./lock-settings.ts";

type ProtectionHandlers = Pick<Handlers, Extract<CommandName, `protection.${string}`>>;

/** What protects this computer's vault, and every change of it. */
export function protectionHandlers(
  lifecycle: Lifecycle,
  engine: Pick<Engine, "weakKeychain">,
): ProtectionHandlers {
  return {
    "protection.get": () => protectionView(lifecycle, engine),

    "protection.setPassphrase": async ({ passphrase, current }) => {
      const { vault } = lifecycle.open;
      await proveIfAsked(lifecycle, current);
      await vault.setSlot({ kind: "passphrase", passphrase });
      lifecycle.passphraseChanged();
      await lifecycle.slotsChanged();
      return null;
    },
    "protection.removePassphrase": async ({ current }) => {
      const { vault, client } = lifecycle.open;
      if (client.vaultPolicy.lockRequired) throw new AppError("policy-forbids");
      // Without a keychain nothing would open the vault by itself.
      if (!lifecycle.slots.includes("keychain")) throw new AppError("keychain-absent");
      await prove(lifecycle, current);
      await vault.removeSlot("passphrase");
      await lifecycle.slotsChanged();
      return null;
    },

    "protection.configureLock": async (settings) => {
      const { client } = lifecycle.open;
      if (!isAllowed(settings, client.vaultPolicy)) throw new AppError("policy-forbids");
      await client.setLockSettings(settings);
      return null;
    },

    "protection.createRecoveryCode": async ({ current }) => {
      const { vault, client } = lifecycle.open;
      if (!client.vaultPolicy.recoveryCodeAllowed) throw new AppError("policy-forbids");
      await proveIfAsked(lifecycle, current);
      const { recoveryCode } = await vault.setSlot({ kind: "recovery-code" });
      await lifecycle.slotsChanged();
      if (recoveryCode === null) throw new AppError("internal");
      return { code: recoveryCode };
    },
    "protection.removeRecoveryCode": async ({ current }) => {
      const { vault } = lifecycle.open;
      await proveIfAsked(lifecycle, current);
      await vault.removeSlot("recovery-code");
      await lifecycle.slotsChanged();
      return null;
    },

    "protection.renewKeychain": async () => {
      const { vault } = lifecycle.open;
      if (lifecycle.slots.includes("keychain")) {
        await vault.renewKeychain();
      } else {
        await vault.setSlot({ kind: "keychain" });
        await lifecycle.slotsChanged();
      }
      return null;
    },
  };
}

async function proveIfAsked(lifecycle: Lifecycle, current: string | null): Promise<void> {
  if (lifecycle.asksPassphrase) await prove(lifecycle, current);
}

async function prove(lifecycle: Lifecycle, current: string | null): Promise<void> {
  if (current === null) throw new AppError("passphrase-wrong");
  await lifecycle.prove(current);
}

async function protectionView(
  lifecycle: Lifecycle,
  { weakKeychain }: Pick<Engine, "weakKeychain">,
): Promise<ProtectionView> {
  const { vault, client } = lifecycle.open;
  const { slots } = await vault.facts();
  const { lockSettings, vaultPolicy } = client;
  const { lockRequired, maxIdleMinutes, maxAttempts, recoveryCodeAllowed } = vaultPolicy;
  const keychain = slots.find((slot) => slot.kind === "keychain");
  const { keychainState } = vault;
  return {
    keychain:
      keychain === undefined || keychainState === "none"
        ? null
        : { backend: keychain.backend, state: keychainState, weak: weakKeychain !== null },
    passphrase: madeAt(slots, "passphrase"),
    asksPassphrase: lifecycle.asksPassphrase,
    recoveryCode: madeAt(slots, "recovery-code"),
    organisation: madeAt(slots, "organisation"),
    lock: effectiveLock(lockSettings, vaultPolicy),
    policy: { lockRequired, maxIdleMinutes, maxAttempts, recoveryCodeAllowed },
  };
}

function madeAt(
  slots: readonly SlotFacts[],
  kind: Exclude<SlotFacts["kind"], "keychain">,
): { readonly createdAtMs: number } | null {
  for (const slot of slots) {
    if (slot.kind === kind) return { createdAtMs: slot.createdAtMs };
  }
  return null;
}
