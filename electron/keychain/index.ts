export {
  createKeytarKeychain,
  type KeytarKeychain,
  type KeytarKeychainOptions,
  type KeytarModule,
} from "./keytar-keychain.ts";
export type { Keychain } from "./keychain.ts";
export { unsafeMemoryKeychain } from "./unsafe-memory-keychain.ts";
