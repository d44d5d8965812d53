import type { ConversationId } from "#protocol";
import type { Notice } from "../client/index.ts";
import type { Clock } from "../link/index.ts";
import type { NotificationPort } from "./ports.ts";

/** A conversation that talks on gives one notification in this time. */
const quietMs = 5_000;

/** Every word that ever stands in a notification: who wrote what is seen only inside Sotto. */
const words = {
  message: "New message",
  invite: "You were added to a conversation",
  /** While the vault is locked nobody can tell what it is. */
  locked: "Something new has arrived",
} as const satisfies Readonly<Record<Notice["kind"] | "locked", string>>;

/** Tells the person that something came, without saying what or from whom. */
export class Notifier {
  readonly #port: NotificationPort;
  readonly #clock: Clock;
  readonly #onClick: (conversationId: ConversationId | null) => void;
  readonly #lastMs = new Map<ConversationId | null, number>();

  /** @param onClick - told the conversation, or null for what came to a locked vault */
  constructor(
    port: NotificationPort,
    clock: Clock,
    onClick: (conversationId: ConversationId | null) => void,
  ) {
    this.#port = port;
    this.#clock = clock;
    this.#onClick = onClick;
  }

  notify({ conversationId, kind }: Notice): void {
    this.#show(conversationId, kind);
  }

  /** Something has come that can't be opened now. */
  notifyLocked(): void {
    this.#show(null, "locked");
  }

  #show(conversationId: ConversationId | null, kind: keyof typeof words): void {
    const nowMs = this.#clock.now();
    const lastMs = this.#lastMs.get(conversationId);
    if (lastMs !== undefined && nowMs >= lastMs && nowMs - lastMs < quietMs) return;
    this.#lastMs.set(conversationId, nowMs);
    this.#port.show("Sotto", words[kind], () => {
      this.#onClick(conversationId);
    });
  }
}
