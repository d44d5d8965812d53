import type {
  ConversationId,
  ErrorCode,
  ObjectionKind,
  OwnAccountNotice,
  SystemLine,
} from "#protocol";
import type { Client } from "../../../electron/client/index.ts";

/** System lines that no honest relay is the cause of. */
const warnings = ["rejoined", "reopened", "forked", "key-changed"] as const;
type Warning = (typeof warnings)[number];

const isWarning = (kind: SystemLine["kind"]): kind is Warning =>
  warnings.some((warning) => warning === kind);

/** Where a person is told that something is wrong, and what, as the interface puts it into words. */
export type Telling =
  /** Why there is no connection. */
  | `offline: ${ErrorCode}`
  /** Above the list of conversations. */
  | `notice: ${OwnAccountNotice["kind"] | "rolled-back"}`
  /** In the conversation. */
  | `line: ${ErrorCode | Warning}`
  | `line: ${ObjectionKind} objected`
  /** Under "Encryption details": messages that are missing or couldn't be opened. */
  | "details: count"
  | "details: in doubt"
  /** What somebody wanted to do isn't done, and that is the answer. */
  | `answer: ${ErrorCode}`
  /** At a message of theirs. */
  | "message: waiting";

/** All that somebody was ever told is wrong, also what has gone again since. */
export class Tellings {
  readonly #everywhere = new Set<Telling>();
  readonly #inside = new Map<ConversationId, Set<Telling>>();

  /** From now on. */
  clear(): void {
    this.#everywhere.clear();
    this.#inside.clear();
  }

  /** @param conversationId - left out: of no conversation */
  of(conversationId?: ConversationId): readonly Telling[] {
    const inside = conversationId === undefined ? [] : (this.#inside.get(conversationId) ?? []);
    return [...this.#everywhere, ...inside];
  }

  listen(client: Client): void {
    client.onViewChanged(() => {
      const { connection } = client.view;
      // Tests pull the plug themselves.
      if (connection.kind === "offline" && connection.code !== "relay-unreachable") {
        this.#everywhere.add(`offline: ${connection.code}`);
      }
      if (client.rejoining !== null) this.#everywhere.add("notice: rolled-back");
      for (const { kind } of client.ownNotices) this.#everywhere.add(`notice: ${kind}`);
    });
    client.on("conversation.changed", ({ conversationId, encryption }) => {
      if (encryption.unopenableCount > 0) this.#add(conversationId, "details: count");
      if (encryption.doubtful) this.#add(conversationId, "details: in doubt");
    });
    client.on("messages.changed", ({ conversationId, upserted }) => {
      for (const message of upserted) {
        if (message.kind === "unopenable") this.#add(conversationId, `line: ${message.code}`);
        if (message.kind !== "system") continue;
        const { line } = message;
        if (line.kind === "relay-objection") {
          this.#add(conversationId, `line: ${line.what} objected`);
        }
        if (isWarning(line.kind)) this.#add(conversationId, `line: ${line.kind}`);
      }
    });
  }

  #add(conversationId: ConversationId, telling: Telling): void {
    const inside = this.#inside.get(conversationId) ?? new Set();
    this.#inside.set(conversationId, inside.add(telling));
  }
}
