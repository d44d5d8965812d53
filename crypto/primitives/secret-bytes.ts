import { AppError } from "#protocol";
import { wipe } from "./bytes.ts";

/**
 * A secret that can't slip into a log, an error, JSON or a message between threads: the bytes are reachable only inside
 * {@link use}.
 *
 * Secret: the owner calls {@link wipe} when it is done.
 */
export class SecretBytes {
  readonly #bytes: Uint8Array;
  #wiped = false;

  /** @param bytes - taken over, not copied: the caller must not keep or change them */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Lends the bytes to `fn`, which must neither keep nor change them.
   *
   * @throws AppError `not-ready` after {@link wipe}
   */
  use<Result>(fn: (bytes: Uint8Array) => Result): Result {
    if (this.#wiped) throw new AppError("not-ready", { data: { reason: "secret was wiped" } });
    return fn(this.#bytes);
  }

  /** Overwrites the bytes. May be called again. */
  wipe(): void {
    wipe(this.#bytes);
    this.#wiped = true;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
