import {
  ensureAppError,
  type CodeVerdict,
  type ErrorCode,
  type UserId,
  type VerificationView,
} from "#protocol";
import type { AppPorts } from "./ports.ts";

/** What came of looking for a code. */
export type ScanResult =
  | { readonly kind: "verdict"; readonly verdict: CodeVerdict }
  | { readonly kind: "no-code" }
  | { readonly kind: "not-picture" }
  | { readonly kind: "no-screen" };

/** Comparing keys with one person, while the dialog is open. */
export class Verification {
  readonly #ports: Pick<AppPorts, "runtime" | "codes">;
  readonly #userId: UserId;
  #view = $state.raw<VerificationView | null>(null);
  #failure = $state.raw<ErrorCode | null>(null);
  #result = $state.raw<ScanResult | null>(null);
  #scanning = $state(false);
  #busy = $state(false);

  constructor(ports: Pick<AppPorts, "runtime" | "codes">, userId: UserId) {
    this.#ports = ports;
    this.#userId = userId;
  }

  get view(): VerificationView | null {
    return this.#view;
  }

  get failure(): ErrorCode | null {
    return this.#failure;
  }

  get result(): ScanResult | null {
    return this.#result;
  }

  get scanning(): boolean {
    return this.#scanning;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Whether a code was scanned that says that somebody may sit in between: nothing is marked as verified then. */
  get differs(): boolean {
    return this.#result?.kind === "verdict" && this.#result.verdict === "differs";
  }

  /** Asks for the number; again when keys have changed, and then nothing that was scanned counts. */
  async load(): Promise<void> {
    try {
      const userId = this.#userId;
      const view = await this.#ports.runtime.invoke("verification.get", { userId });
      if (view.digits !== this.#view?.digits) this.#result = null;
      this.#view = view;
      this.#failure = null;
    } catch (error) {
      this.#failure = ensureAppError(error).code;
    }
  }

  scanPicture(picture: Blob): Promise<void> {
    return this.#scan(() => this.#ports.codes.fromPicture(picture), "not-picture");
  }

  scanScreen(): Promise<void> {
    return this.#scan(() => this.#ports.codes.fromScreen(), "no-screen");
  }

  async #scan(read: () => Promise<string | null>, unread: "not-picture" | "no-screen") {
    if (this.#scanning) return;
    this.#scanning = true;
    this.#result = null;
    try {
      const code = await read().catch(() => undefined);
      if (code === undefined) this.#result = { kind: unread };
      else if (code === null) this.#result = { kind: "no-code" };
      else this.#result = { kind: "verdict", verdict: await this.#compare(code) };
    } catch (error) {
      this.#failure = ensureAppError(error).code;
    } finally {
      this.#scanning = false;
    }
  }

  async #compare(code: string): Promise<CodeVerdict> {
    // Of a QR code at most 2,953 bytes come; longer than the command takes is nothing of ours either.
    const params = { userId: this.#userId, code: code.slice(0, 4096) };
    return (await this.#ports.runtime.invoke("verification.compare", params)).verdict;
  }

  /** @returns whether the key is taken: as verified, or, with `how` null, as it is */
  accept(verified: boolean): Promise<boolean> {
    const { digits } = this.#view ?? {};
    if (digits === undefined || (verified && this.differs)) return Promise.resolve(false);
    const matched = this.#result?.kind === "verdict" && this.#result.verdict === "matches";
    const how = verified ? (matched ? "code" : "digits") : null;
    const userId = this.#userId;
    return this.#decide(() =>
      this.#ports.runtime.invoke("verification.accept", { userId, digits, how }),
    );
  }

  /** @returns whether it is done */
  clear(): Promise<boolean> {
    const userId = this.#userId;
    return this.#decide(() => this.#ports.runtime.invoke("verification.clear", { userId }));
  }

  async #decide(decide: () => Promise<null>): Promise<boolean> {
    this.#busy = true;
    try {
      await decide();
      await this.load();
      return true;
    } catch (error) {
      await this.load();
      this.#failure = ensureAppError(error).code;
      return false;
    } finally {
      this.#busy = false;
    }
  }
}
