export type { OpenMode, VaultFile, VaultFiles } from "./files.ts";
export type {
  CompactionLimits,
  Row,
  SqlValue,
  Statement,
  Vault,
  VaultCatalogue,
  VaultDamage,
  VaultInspection,
  VaultOptions,
} from "./types.ts";
