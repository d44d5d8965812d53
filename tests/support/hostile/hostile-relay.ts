import type {
  ConversationId,
  Frame,
  GroupEntry,
  RelayEventInput,
  RelayEventName,
  RelayMethodName,
} from "#protocol";
import type { Person } from "../client-world.ts";

type Result = Readonly<Record<string, unknown>>;

/** What {@link HostileRelay.answer} gives in place of an answer that says no. */
export interface Refusal {
  readonly code: string;
}

/** A relay that does to one person what it shouldn't: it sits on their cable. */
export class HostileRelay {
  readonly #person: Person;
  readonly #asked = new Map<number, { readonly method: string; readonly params: unknown }>();
  readonly #answers = new Map<string, (result: Result, params: Result) => Result | null>();
  readonly #events = new Map<string, (body: unknown) => unknown>();
  readonly #swallowed = new Map<string, (params: Result) => Result | null>();
  #entries: ((entry: GroupEntry, conversationId: ConversationId) => GroupEntry | null) | null =
    null;

  constructor(person: Person) {
    this.#person = person;
    person.cable.onRequest = ({ id, method, params }) => {
      const fake = this.#swallowed.get(method)?.(params as Result) ?? null;
      if (fake === null) {
        this.#asked.set(id, { method, params });
        return true;
      }
      queueMicrotask(() => {
        person.cable.deliver({ kind: "response", id, result: fake });
      });
      return false;
    };
    person.cable.onFrame = (frame) => this.#change(frame);
  }

  /** Changes the answers to a kind of request; null: none comes. */
  answer(method: RelayMethodName, change: (result: Result, params: Result) => Result | null): void {
    this.#answers.set(method, change);
  }

  /** Answers a kind of request by itself, and keeps it; null: lets it through. */
  pretend(method: RelayMethodName, answer: (params: Result) => Result | null): void {
    this.#swallowed.set(method, answer);
  }

  /** Changes a kind of event; null: it doesn't come. */
  event(name: RelayEventName | "hello", change: (body: Result) => Result | null): void {
    this.#events.set(name, (body) => change(body as Result));
  }

  /** Changes log entries, live or read; null: a live one doesn't come, a read one is left out. */
  entries(change: (entry: GroupEntry, conversationId: ConversationId) => GroupEntry | null): void {
    this.#entries = change;
  }

  /** An entry that the log doesn't have. */
  push(conversationId: ConversationId, entry: GroupEntry): void {
    this.#person.cable.deliver({
      kind: "event",
      name: "group.entry",
      body: { conversationId, entry },
    });
  }

  /** From now on it does what it should. */
  repent(): void {
    this.#person.cable.onRequest = null;
    this.#person.cable.onFrame = null;
  }

  #change(frame: Frame): Frame | null {
    if (frame.kind === "event") return this.#changeEvent(frame);
    if (frame.kind !== "response") return frame;
    const asked = this.#asked.get(frame.id);
    if (asked === undefined) return frame;
    let result: Result | null = frame.result as Result;
    if (asked.method === "group.read" && this.#entries !== null) {
      const change = this.#entries;
      const { conversationId } = asked.params as { readonly conversationId: ConversationId };
      const entries = (result["entries"] as readonly GroupEntry[]).flatMap(
        (entry) => change(entry, conversationId) ?? [],
      );
      result = { ...result, entries };
    }
    result = this.#answers.get(asked.method)?.(result, asked.params as Result) ?? result;
    return { ...frame, result };
  }

  #changeEvent(frame: Extract<Frame, { readonly kind: "event" }>): Frame | null {
    if (frame.name === "group.entry" && this.#entries !== null) {
      const { conversationId, entry } = frame.body as RelayEventInput<"group.entry">;
      const changed = this.#entries(entry as GroupEntry, conversationId as ConversationId);
      return changed === null ? null : { ...frame, body: { conversationId, entry: changed } };
    }
    const change = this.#events.get(frame.name);
    if (change === undefined) return frame;
    const body = change(frame.body);
    return body === null ? null : { ...frame, body };
  }
}
