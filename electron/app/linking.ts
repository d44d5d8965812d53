import { AppError, type LinkStepView, type LinkText } from "#protocol";
import type { Vault } from "../vault/index.ts";
import type { Engine } from "./engine.ts";

/** The new computer's side of a linking: what the person says reaches the engine through here. */
export class Linking {
  readonly #engine: Pick<Engine, "linkAccount">;
  readonly #ending = new AbortController();
  readonly #answer = Promise.withResolvers<boolean>();
  #isAsked = false;

  constructor(engine: Pick<Engine, "linkAccount">) {
    this.#engine = engine;
  }

  /** @throws AppError as {@link Engine.linkAccount} */
  run(vault: Vault, link: LinkText, onStep: (step: LinkStepView) => void): Promise<void> {
    const signal = this.#ending.signal;
    // Who has changed their mind while the symbols are shown has not said that they match.
    signal.addEventListener("abort", () => {
      this.#answer.reject(new AppError("link-ended"));
    });
    this.#answer.promise.catch(() => undefined);
    return this.#engine.linkAccount(vault, {
      link,
      onStep,
      signal,
      compared: () => {
        this.#isAsked = true;
        return this.#answer.promise;
      },
    });
  }

  /** What the person says of the symbols. @throws AppError `not-ready` when none are shown */
  compared(match: boolean): void {
    if (!this.#isAsked) throw new AppError("not-ready");
    this.#isAsked = false;
    this.#answer.resolve(match);
  }

  cancel(): void {
    this.#ending.abort();
  }
}
