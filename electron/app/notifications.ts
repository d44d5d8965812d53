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
} as const satisfies Readonly<Record<Notice["kind"], string>>;

/** Tells the person that something came, without saying what or from whom. */
export class Notifier {
  readonly #port: NotificationPort;
  readonly #clock: Clock;
  readonly #onClick: (conversationId: ConversationId) => void;
  readonly #lastMs = new Map<ConversationId, number>();

  constructor(
    port: NotificationPort,
    clock: Clock,
    onClick: (conversationId: ConversationId) => void,
  ) {
    this.#port = port;
    this.#clock = clock;
    this.#onClick = onClick;
  }

  notify(notice: Notice): void {
    const nowMs = this.#clock.now();
    const lastMs = this.#lastMs.get(notice.conversationId);
    if (lastMs !== undefined && nowMs >= lastMs && nowMs - lastMs < quietMs) return;
    this.#lastMs.set(notice.conversationId, nowMs);
    this.#port.show("Sotto", words[notice.kind], () => {
      this.#onClick(notice.conversationId);
    });
  }
}
