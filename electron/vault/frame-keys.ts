import { createCipheriv, randomBytes } from "node:crypto";
import {
  AppError,
  concatBytes,
  encodeCbor,
  frameBinding,
  type CryptoWorker,
  type FrameKey,
  type FramePlace,
} from "#protocol";

/** Keys that are asked for together. The next ones come while the second half of these is used. */
const keysAtOnce = 64;
/** AES-256-GCM's nonce: the second half of XAES-256-GCM's, bytes. */
const nonceEndBytes = 12;

/**
 * Keys of one generation's next frames, each for one frame. The worker gives them ahead of need, so that a commit waits neither for its answer
 * nor for what it is busy with; the generation's own key stays with it (docs/adr/0028).
 */
export class FrameKeys {
  readonly #worker: Pick<CryptoWorker, "call">;
  readonly #generation: number;
  #keys: FrameKey[] = [];
  #loading: Promise<void> | null = null;
  #isWiped = false;

  constructor(worker: Pick<CryptoWorker, "call">, generation: number) {
    this.#worker = worker;
    this.#generation = generation;
  }

  /**
   * Seals a frame with a key that seals nothing else.
   *
   * @returns nonce (24 bytes), ciphertext and tag (16 bytes), for the worker's `vault.openFrames`
   * @throws AppError `not-ready` after {@link wipe}, and what the worker says when it gives no keys
   */
  async seal(place: Omit<FramePlace, "generation">, plain: Uint8Array): Promise<Uint8Array> {
    const { key, nonceStart } = await this.#take();
    try {
      const nonceEnd = randomBytes(nonceEndBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonceEnd);
      cipher.setAAD(encodeCbor(frameBinding({ ...place, generation: this.#generation })));
      const sealed = [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
      return concatBytes(nonceStart, nonceEnd, ...sealed);
    } finally {
      key.fill(0);
    }
  }

  /** Forgets the keys. Nothing is sealed any more. */
  wipe(): void {
    this.#isWiped = true;
    for (const { key } of this.#keys) key.fill(0);
    this.#keys = [];
  }

  async #take(): Promise<FrameKey> {
    if (this.#keys.length === 0) await (this.#loading ?? this.#load());
    if (this.#keys.length <= keysAtOnce / 2) {
      // Whoever finds none asks again, and hears why there are none.
      (this.#loading ?? this.#load()).catch(() => undefined);
    }
    const next = this.#keys.shift();
    if (next === undefined) throw new AppError("not-ready");
    return next;
  }

  #load(): Promise<void> {
    if (this.#isWiped) return Promise.reject(new AppError("not-ready"));
    this.#loading = this.#worker
      .call("vault.frameKeys", { generation: this.#generation, count: keysAtOnce })
      .then(({ frameKeys }) => {
        if (this.#isWiped) for (const { key } of frameKeys) key.fill(0);
        else this.#keys.push(...frameKeys);
      })
      .finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }
}
