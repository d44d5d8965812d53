/** Where the operating system keeps a vault's key. Values are 32 bytes. */
export interface Keychain {
  /** The key store's name for people and for support, as "Secret Service" or "macOS Keychain". */
  readonly backend: string;
  /** Whether it was seen to keep secrets without protection, and may be used all the same. False until one was read or written. */
  readonly weak?: boolean;
  /**
   * @returns null when there is no such entry
   * @throws AppError `keychain-absent`, `keychain-timeout`, `keychain-denied` or `keychain-weak`
   * Secret: the result; its caller wipes it.
   */
  get(account: string): Promise<Uint8Array | null>;
  /**
   * Writes an entry and reads it back.
   *
   * @throws AppError as {@link get}; `keychain-denied` also when what is read back is not what was written
   */
  set(account: string, value: Uint8Array): Promise<void>;
  /** An entry that is not there is no failure. @throws AppError as {@link get} */
  delete(account: string): Promise<void>;
}
