import type { Keychain } from "./keychain.ts";

/**
 * A keychain that forgets everything with the process and protects nothing: for tests and the demo, never for people.
 *
 * @param entries - where it keeps them; shared to let several keychains be one
 */
export function unsafeMemoryKeychain(entries = new Map<string, Uint8Array>()): Keychain {
  return {
    backend: "memory (unsafe)",
    get(account) {
      const value = entries.get(account);
      return Promise.resolve(value === undefined ? null : Uint8Array.from(value));
    },
    set(account, value) {
      entries.set(account, Uint8Array.from(value));
      return Promise.resolve();
    },
    delete(account) {
      entries.delete(account);
      return Promise.resolve();
    },
  };
}
