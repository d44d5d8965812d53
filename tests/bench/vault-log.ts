import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  idFromBytes,
  type ConversationId,
  type GroupPiece,
  type GroupWrites,
  type VaultId,
} from "#protocol";
import type { GroupMemory } from "../../crypto/mls/memory.ts";
import { changedPieces } from "../../crypto/mls/pieces.ts";
import type { Primitives } from "../../crypto/primitives/index.ts";
import { createKeyring } from "../../crypto/vault/exchange.ts";
import { createVaultSession } from "../../crypto/vault/vault-session.ts";
import { Changes } from "../../electron/client/core/changes.ts";
import { clientCatalogue } from "../../electron/client/index.ts";
import { somePlace } from "../support/vault-keys.ts";
import { openLoggedVault } from "./vault/logged-vault.ts";

/** Seals what changed of a group, as the worker does. */
export type RowSealer = (
  id: ConversationId,
  before: GroupMemory,
  after: GroupMemory,
) => readonly GroupPiece[];

export function createRowSealer(primitives: Primitives): RowSealer {
  const making = { primitives, passphraseCost: () => ({ passes: 1, memoryBytes: 8192 }), nowMs: 0 };
  const vaultId = idFromBytes<VaultId>(primitives.random(16));
  const slot = { kind: "keychain", ...somePlace } as const;
  const vault = createVaultSession(primitives, createKeyring(making, vaultId, [slot]));
  return (id, before, after) =>
    changedPieces(before, after).map(({ name, plain }) => ({
      name,
      sealed: plain === null ? null : vault.sealPiece(id, name, plain),
    }));
}

/** A vault on the disk, for what a step's rows cost there: the frame of a commit that writes them and nothing else. */
export interface VaultLog {
  /** @returns by how many bytes the log grew */
  readonly write: (writes: GroupWrites) => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function openVaultLog(): Promise<VaultLog> {
  const root = mkdtempSync(join(tmpdir(), "sotto-bench-"));
  const { vault, logBytes, close } = await openLoggedVault(root, clientCatalogue);
  const write = async (writes: GroupWrites): Promise<number> => {
    const changes = new Changes();
    changes.writeGroup(writes);
    const before = logBytes();
    await vault.transact(changes.statements);
    return logBytes() - before;
  };
  // A log holds the text of each statement, once.
  const conversationId = idFromBytes<ConversationId>(new Uint8Array(16));
  const [name, sealed] = ["", new Uint8Array(0)];
  await write({
    conversationId,
    pieces: [
      { name, sealed },
      { name, sealed: null },
    ],
  });
  return {
    write,
    async close() {
      await close();
      rmSync(root, { recursive: true });
    },
  };
}
