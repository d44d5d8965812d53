import type { ConversationId, MessageId } from "#protocol";
import type { Row, SqlValue, Vault } from "../../vault/index.ts";
import type { QueryName } from "../sql/queries.ts";
import { bytes, number, text } from "./columns.ts";

/** What this device has done where it couldn't follow a log. */
export interface Mending {
  /** The last commit that it has rejected, and how many of the same epoch. */
  readonly epoch: number;
  readonly sequence: number;
  readonly rejections: number;
  /** How often it has joined anew, when last, and whether that is under way. */
  readonly rejoins: number;
  readonly rejoinedAtMs: number;
  readonly rejoining: boolean;
}

const none: Mending = {
  epoch: -1,
  sequence: 0,
  rejections: 0,
  rejoins: 0,
  rejoinedAtMs: 0,
  rejoining: false,
};

/** The columns of `mending` behind the conversation. */
export function mendingColumns(mending: Mending) {
  const { epoch, sequence, rejections, rejoins, rejoinedAtMs, rejoining } = mending;
  return [epoch, sequence, rejections, rejoins, rejoinedAtMs, rejoining ? 1 : 0] as const;
}

/** Reads what is kept of conversations that couldn't be followed. */
export class Mendings {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  #rows(query: QueryName, ...params: readonly SqlValue[]): readonly Row[] {
    return this.#vault.read(query, params);
  }

  of(conversationId: ConversationId): Mending {
    const [row] = this.#rows("mending", conversationId);
    if (row === undefined) return none;
    return {
      epoch: number(row, "epoch"),
      sequence: number(row, "sequence"),
      rejections: number(row, "rejections"),
      rejoins: number(row, "rejoins"),
      rejoinedAtMs: number(row, "rejoined_ms"),
      rejoining: number(row, "rejoining") === 1,
    };
  }

  /** What this device's commits from a place on were for, in order; of those that nobody else is known to have followed. */
  ownCommits(conversationId: ConversationId, from: number): readonly Uint8Array[] {
    return this.#rows("ownCommits", conversationId, from).map((row) => bytes(row, "intent"));
  }

  /** The line that says that a conversation is stuck, if it stands for that alone. */
  stuckLine(conversationId: ConversationId): MessageId | undefined {
    const [row] = this.#rows("stuckLine", conversationId);
    return row === undefined ? undefined : (text(row, "message_id") as MessageId);
  }
}
