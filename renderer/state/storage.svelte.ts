import type { Runtime, StorageView } from "#protocol";

/** What the storage page needs from outside. */
export interface StoragePorts {
  readonly runtime: Pick<Runtime, "invoke">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs `task` again and again. @returns a disposer */
  readonly every: (task: () => void, intervalMs: number) => () => void;
}

/** What writing the files anew has saved, bytes. */
export interface Compacted {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

const followMs = 1000;

/** What is kept on this computer, as the settings show it. */
export class StorageFacts {
  readonly #ports: StoragePorts;
  #view = $state.raw<StorageView | null>(null);
  #loadedAtMs = $state(0);
  #asked = $state(false);
  #beforeBytes: number | null = null;
  #compacted = $state.raw<Compacted | null>(null);

  /** Whether the files are being written anew, by this page's wish or by Sotto's own. */
  readonly compacting: boolean = $derived(this.#asked || this.#view?.isCompacting === true);

  /** @param ports - the platform and the time */
  constructor(ports: StoragePorts) {
    this.#ports = ports;
  }

  /** null until it has come. */
  get view(): StorageView | null {
    return this.#view;
  }

  /** When it came, milliseconds since 1970: what the ends count from. */
  get loadedAtMs(): number {
    return this.#loadedAtMs;
  }

  /** What the last compaction that was asked for here came to. */
  get compacted(): Compacted | null {
    return this.#compacted;
  }

  async load(): Promise<void> {
    const view = await this.#ports.runtime.invoke("storage.get", {});
    this.#loadedAtMs = this.#ports.now();
    this.#view = view;
    if (this.#beforeBytes === null || this.compacting) return;
    this.#compacted = { beforeBytes: this.#beforeBytes, afterBytes: view.bytes };
    this.#beforeBytes = null;
  }

  /**
   * Asks again each second while the files are written anew.
   *
   * @param onError - told what went wrong
   * @returns a disposer
   */
  follow(onError: (error: unknown) => void): () => void {
    return this.#ports.every(() => {
      if (this.compacting) void this.load().catch(onError);
    }, followMs);
  }

  /** Writes the files anew. */
  async compact(): Promise<void> {
    const before = this.#view;
    if (this.compacting || before === null) return;
    this.#asked = true;
    this.#beforeBytes = before.bytes;
    this.#compacted = null;
    try {
      await this.#ports.runtime.invoke("storage.compact", {});
    } catch (error) {
      this.#beforeBytes = null;
      throw error;
    } finally {
      this.#asked = false;
    }
    await this.load();
  }
}
