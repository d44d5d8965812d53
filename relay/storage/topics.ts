import type { Disposer } from "../clock.ts";
import type { Announcement, RelayStorage } from "./port.ts";

type Listener = (announcement: Announcement) => void;

/** Announcements inside one process. */
export function createTopics(): Pick<RelayStorage, "announce" | "subscribe"> {
  const listeners = new Map<string, Set<Listener>>();

  const subscribe = (topic: string, listener: Listener): Disposer => {
    const audience = listeners.get(topic) ?? new Set();
    listeners.set(topic, audience);
    // A wrapper, so that one function can be subscribed twice.
    const entry: Listener = (announcement) => {
      listener(announcement);
    };
    audience.add(entry);
    return () => {
      audience.delete(entry);
      if (audience.size === 0 && listeners.get(topic) === audience) listeners.delete(topic);
    };
  };

  return {
    subscribe,
    announce: (topic, announcement) => {
      // A copy: listeners come and go while they are told.
      for (const listener of [...(listeners.get(topic) ?? [])]) listener(announcement);
    },
  };
}
