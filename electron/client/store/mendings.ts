import type { ConversationId, GroupMember, MessageId, SuiteName, UserId } from "#protocol";
import type { Row, SqlValue, Vault } from "../../vault/index.ts";
import type { QueryName } from "../sql/queries.ts";
import { bytes, nullable, number, text } from "./columns.ts";
import { decodeMembers } from "./rows.ts";

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

/** A commit that was taken and can still be found void. */
export interface FreshCommit {
  readonly sequence: number;
  /** The epoch that it ended. */
  readonly epoch: number;
  /** SHA-256; null for one that this device came in by. */
  readonly hash: Uint8Array | null;
  readonly committer: UserId;
  /** What it was for, when it is this device's. */
  readonly intent: Uint8Array | null;
  /** Who was in the conversation before it; null: not known. */
  readonly membersBefore: readonly GroupMember[] | null;
  /** The suite that the conversation had before it; null: not known. */
  readonly suiteBefore: SuiteName | null;
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

  /** Commits that were taken and that nobody else is known to have followed, in order. */
  freshCommits(conversationId: ConversationId): readonly FreshCommit[] {
    return this.#rows("freshCommits", conversationId).map((row) => {
      const membersBefore = nullable(bytes, row, "members_before");
      return {
        sequence: number(row, "sequence"),
        epoch: number(row, "epoch"),
        hash: nullable(bytes, row, "hash"),
        committer: text(row, "committer") as UserId,
        intent: nullable(bytes, row, "intent"),
        membersBefore: membersBefore === null ? null : decodeMembers(membersBefore),
        suiteBefore: nullable(text, row, "suite_before") as SuiteName | null,
      };
    });
  }

  /** The newest line that says that a log can't be read on, and why. */
  blockedLine(
    conversationId: ConversationId,
  ): { readonly lineId: MessageId; readonly code: string } | undefined {
    const [row] = this.#rows("blockedLine", conversationId);
    if (row === undefined) return undefined;
    return { lineId: text(row, "message_id") as MessageId, code: text(row, "code") };
  }

  /** The line that says that a conversation is stuck, if it stands for that alone. */
  stuckLine(conversationId: ConversationId): MessageId | undefined {
    const [row] = this.#rows("stuckLine", conversationId);
    return row === undefined ? undefined : (text(row, "message_id") as MessageId);
  }
}
