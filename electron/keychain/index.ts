export type { Keychain } from "./keychain.ts";
