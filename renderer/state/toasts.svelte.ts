/** A short notice at the edge of the window. */
export interface Toast {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
}

/** What the notices need from outside. */
export interface ToastPorts {
  /** Runs `task` after `delayMs`. @returns a disposer */
  readonly later: (task: () => void, delayMs: number) => () => void;
}

const infoMs = 4000;
const errorMs = 10_000;
const mostShown = 3;

/** The notices that are shown now. */
export class Toasts {
  readonly #ports: ToastPorts;
  #nextId = 1;
  #shown = $state.raw<readonly Toast[]>([]);

  /** @param ports - a timer */
  constructor(ports: ToastPorts) {
    this.#ports = ports;
  }

  get shown(): readonly Toast[] {
    return this.#shown;
  }

  info(text: string): void {
    this.#show("info", text, infoMs);
  }

  error(text: string): void {
    this.#show("error", text, errorMs);
  }

  dismiss(id: number): void {
    this.#shown = this.#shown.filter((toast) => toast.id !== id);
  }

  clear(): void {
    this.#shown = [];
  }

  #show(kind: Toast["kind"], text: string, lifeMs: number): void {
    // The same words twice would only be noise.
    const others = this.#shown.filter((toast) => toast.text !== text);
    const id = this.#nextId++;
    this.#shown = [...others, { id, kind, text }].slice(-mostShown);
    this.#ports.later(() => {
      this.dismiss(id);
    }, lifeMs);
  }
}
