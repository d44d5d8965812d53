import { AppError } from "#protocol";

/** Runs one operation at a time: a second one is refused, not queued. */
export class OneAtATime {
  #busy: Promise<unknown> | null = null;
  #stopped = false;

  get isBusy(): boolean {
    return this.#busy !== null;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** From now on everything is refused. */
  stop(): void {
    this.#stopped = true;
  }

  /** @throws AppError `not-ready` when something is under way, or it is stopped */
  async run(operation: () => Promise<void>): Promise<void> {
    if (this.#busy !== null || this.#stopped) throw new AppError("not-ready");
    const running = operation().finally(() => {
      this.#busy = null;
    });
    this.#busy = running;
    return running;
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    while (this.#busy !== null) await this.#busy.catch(() => undefined);
  }
}
