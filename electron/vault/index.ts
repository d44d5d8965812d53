export { openAttempts, type Attempts } from "./attempts.ts";
export { createVault } from "./create-vault.ts";
export { destroyVault, forgetErased, type DestroyOptions } from "./destroy-vault.ts";
export type { OpenMode, VaultFile, VaultFiles } from "./files.ts";
export { inspectVault } from "./inspect-vault.ts";
export { nodeFiles } from "./node-files.ts";
export { openVault } from "./open-vault.ts";
export { inTime } from "./patience.ts";
export type {
  CompactionLimits,
  KeychainState,
  KeyDestruction,
  NewVaultOptions,
  OpenVaultOptions,
  Row,
  SlotFacts,
  SlotRequest,
  SqlValue,
  Statement,
  Vault,
  VaultCatalogue,
  VaultDamage,
  VaultFacts,
  VaultInspection,
  VaultOptions,
  VaultUnlock,
} from "./types.ts";
