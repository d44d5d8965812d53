import type { EventName, Events } from "#protocol";

type AnyListener = (body: never) => void;

/** Listeners by event, for a runtime. */
export class Listeners {
  readonly #byName = new Map<EventName, Set<AnyListener>>();

  /** @returns a disposer */
  add<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Hands `body` to everybody who listens for `name`. */
  emit<Name extends EventName>(name: Name, body: Events[Name]): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) {
      (listener as (body: Events[Name]) => void)(body);
    }
  }
}
