import type { EventMessage, EventName, Events } from "#protocol";
import { ensurePlainData } from "./plain-data.ts";

/** Where a window hears events. */
export type EventListener = (message: EventMessage) => void;

/** Sends each event to every window. */
export interface EventHub {
  /** @throws AppError `internal` when the body is anything but plain data */
  emit<Name extends EventName>(name: Name, body: Events[Name]): void;
  /** @returns a disposer */
  subscribe(listener: EventListener): () => void;
}

export function createEventHub(): EventHub {
  const listeners = new Set<EventListener>();
  return {
    emit: (name, body) => {
      ensurePlainData(body);
      // A listener may leave while it is told: a copy keeps the others in turn.
      for (const listener of [...listeners]) listener({ name, body });
    },
    subscribe: (listener) => {
      // Its own wrapper, so that the same function twice is two subscriptions.
      const own: EventListener = (message) => {
        listener(message);
      };
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
  };
}
