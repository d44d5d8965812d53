import { ensureAppError, equalBytes, type VaultPolicy } from "#protocol";
import type { Client } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import type { Log } from "./ports.ts";
import type { Tries } from "./tries.ts";

/** What {@link VaultPolicyKeeper} is built on. */
export interface VaultPolicyOptions {
  readonly client: Pick<Client, "vaultPolicy">;
  readonly vault: Vault;
  readonly tries: Pick<Tries, "setLimit">;
  readonly log: Log;
  /** Called when slots were set or removed. */
  readonly onSlotsChanged: () => Promise<void>;
}

/**
 * Keeps the vault's slots, and the limit of attempts, in step with what the network's administrator has decided: once the account is open, and at
 * each new policy. What fails is tried again at the next occasion.
 */
export class VaultPolicyKeeper {
  readonly #options: VaultPolicyOptions;
  #applied: VaultPolicy | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: VaultPolicyOptions) {
    this.#options = options;
  }

  /** The policy may be another one. @returns when the vault is in step, or it was tried */
  follow(): Promise<void> {
    this.#running = this.#running.then(() => this.#apply());
    return this.#running;
  }

  async #apply(): Promise<void> {
    const { client, vault, tries, log, onSlotsChanged } = this.#options;
    const policy = client.vaultPolicy;
    if (policy === this.#applied || vault.readOnly !== null) return;
    try {
      await tries.setLimit(policy.maxAttempts);
      const changed = await this.#applyToSlots(policy);
      if (changed) await onSlotsChanged();
      this.#applied = policy;
    } catch (error) {
      log.error("the policy for vaults could not be carried out", ensureAppError(error));
    }
  }

  async #applyToSlots({ recoveryCodeAllowed, organisationKey }: VaultPolicy): Promise<boolean> {
    const { vault } = this.#options;
    const { slots } = await vault.facts();
    const organisation = slots.find((slot) => slot.kind === "organisation");
    let changed = false;
    if (organisationKey === null && organisation !== undefined) {
      await vault.removeSlot("organisation");
      changed = true;
    }
    if (
      organisationKey !== null &&
      (organisation === undefined || !equalBytes(organisation.publicKey, organisationKey))
    ) {
      await vault.setSlot({ kind: "organisation", publicKey: organisationKey });
      changed = true;
    }
    if (!recoveryCodeAllowed && slots.some(({ kind }) => kind === "recovery-code")) {
      await vault.removeSlot("recovery-code");
      changed = true;
    }
    return changed;
  }
}
