import type { ErrorCode } from "../errors.ts";
import type { DeviceId } from "../ids.ts";
import type { PersonView } from "./views.ts";

/** Something about keys, the vault's or the account's, that a person should know or do. */
export type VaultNotice =
  | OwnAccountNotice
  /** The folder was put back from an older copy: conversations are being joined anew. */
  | { readonly kind: "rolled-back"; readonly rejoining: number }
  /** The keychain's entry is missing, foreign or behind: ended messages may still be opened with it. "Renew" mends it. */
  | { readonly kind: "keychain-behind"; readonly code: ErrorCode | null }
  /** Allowed by policy, but the key store keeps secrets without protection. */
  | { readonly kind: "keychain-weak"; readonly backend: string }
  /** The policy wants an app lock, and there is none. */
  | { readonly kind: "lock-required" };

/** Something about this person's own account, or the directory, that they should know. */
export type OwnAccountNotice =
  /** The directory names another account key for this person. It isn't believed. */
  | { readonly kind: "own-key" }
  /** The relay gave records that were refused, or left some out: of these people, under the names of then; of nobody known if empty. */
  | { readonly kind: "relay-objections"; readonly people: readonly PersonView[] }
  /** The relay's directory is older than the one that is known here. */
  | { readonly kind: "directory-behind" }
  | { readonly kind: "own-device"; readonly deviceId: DeviceId; readonly deviceName: string };
