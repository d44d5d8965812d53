import type { CommandName, StorageView } from "#protocol";
import type { Vault, VaultFacts } from "../vault/index.ts";
import type { Handlers } from "./dispatcher.ts";
import type { Lifecycle } from "./lifecycle.ts";

type StorageHandlers = Pick<Handlers, Extract<CommandName, `storage.${string}`>>;

/** What is kept on this computer, and when it ends. */
export function storageHandlers(lifecycle: Lifecycle): StorageHandlers {
  return {
    "storage.get": async () => {
      const { vault, client } = lifecycle.open;
      const facts = await vault.facts();
      return storageView(vault, facts, client.storageFacts());
    },
    "storage.compact": async () => {
      await lifecycle.open.vault.compact();
      return null;
    },
  };
}

function storageView(
  { readOnly, damage, sequence }: Pick<Vault, "readOnly" | "damage" | "sequence">,
  facts: VaultFacts,
  kept: Pick<StorageView, "messages" | "ends">,
): StorageView {
  const { snapshotBytes, logBytes, keyringBytes, keyring } = facts;
  return {
    messages: kept.messages,
    ends: kept.ends,
    bytes: snapshotBytes + logBytes + keyringBytes,
    health: {
      state: damage !== null ? "damaged" : readOnly !== null ? "read-only" : "healthy",
      damage: damage === null ? null : { file: damage.file, frame: damage.frame },
      sequence,
      generation: facts.generation,
      snapshotBytes,
      logBytes,
      logFrames: facts.logFrames,
      keyringBytes,
      keyringRevision: keyring.revision,
      treeNodes: keyring.nodes,
      lastDestructionMs: facts.lastDestructionMs,
      lastCompactionMs: facts.lastCompactionMs,
    },
    slots: facts.slots.map(({ kind }) => kind),
    isCompacting: facts.isCompacting,
  };
}
