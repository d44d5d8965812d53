/** WebCrypto's key type, which ts-mls names in its types. Ours are raw bytes; nothing looks inside (see provider.ts). */
interface CryptoKey {
  readonly type: string;
}
