import type { LinkView, Runtime } from "#protocol";

/** "Add a computer": follows what the engine does, and tells it what the person says. */
export class DeviceLinking {
  readonly #runtime: Pick<Runtime, "invoke" | "on">;
  readonly #onError: (error: unknown) => void;
  #view = $state.raw<LinkView>({ kind: "idle" });
  #busy = $state(false);
  /** Whether messages go along. */
  history = $state(true);

  /** @param onError - told what a command fails with */
  constructor(runtime: Pick<Runtime, "invoke" | "on">, onError: (error: unknown) => void) {
    this.#runtime = runtime;
    this.#onError = onError;
  }

  get view(): LinkView {
    return this.#view;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Shows a code. @returns a disposer */
  start(): () => void {
    const dispose = this.#runtime.on("link.changed", (view) => {
      this.#view = view;
    });
    void this.show();
    return dispose;
  }

  readonly show = (): Promise<void> => this.#run(() => this.#runtime.invoke("link.show", {}));

  readonly match = (): Promise<void> =>
    this.#run(() => this.#runtime.invoke("link.match", { history: this.history }));

  readonly differ = (): Promise<void> => this.#run(() => this.#runtime.invoke("link.differ", {}));

  readonly cancel = (): Promise<void> => this.#run(() => this.#runtime.invoke("link.cancel", {}));

  async #run(work: () => Promise<unknown>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#busy = false;
    }
  }
}
