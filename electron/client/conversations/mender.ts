import {
  ensureAppError,
  type CommitPlace,
  type ConversationId,
  type ErrorCode,
  type RelayResult,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { mendingColumns, type Mending } from "../store/mendings.ts";
import type { StoredConversation } from "../store/rows.ts";
import type { GroupLog } from "./group-log.ts";

/** So often a commit must have come and been refused, the same each time: a spoilt one comes whole the next time. */
const firmRefusals = 2;
/** Commits of one epoch that a device rejects. If it can't take a further one either, the fault may well be its own. */
const maxRejections = 2;
/** Pauses between a device's rejoins of one conversation, milliseconds; the last one repeats. Each burdens everybody there. */
const pausesMs = [0, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000] as const;
/** What a relay says that takes no rejection from this device. */
const deaf: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "command-unknown",
  "not-allowed",
  "not-found",
]);
/** After so long without any, the pauses begin anew. */
const forgetsMs = 7 * 86_400_000;

/**
 * Mends conversations whose log this device can't follow (docs/adr/0022): it says so of a commit that it has to refuse, and where others have
 * taken it, or something is missing, it joins anew. Everything here runs inside `core.groupQueue` of its conversation.
 */
export class Mender {
  readonly #core: Core;
  readonly #log: GroupLog;

  constructor(core: Core, log: GroupLog) {
    this.#core = core;
    this.#log = log;
  }

  /** Whether something is to be done for a conversation. */
  isWanted(conversationId: ConversationId): boolean {
    const conversation = this.#core.store.conversation(conversationId);
    if (conversation === undefined || conversation.stale) return false;
    return conversation.blocked === "conversation-stuck" || this.#log.marks.isAlone(conversation);
  }

  /**
   * Does what is to be done for a conversation that couldn't be read on.
   *
   * @param failures - how often in a row that was so before
   * @throws AppError as `Core.request` and `Core.commit`
   */
  async mend(conversationId: ConversationId, failures: number): Promise<void> {
    const conversation = this.#core.store.conversation(conversationId);
    if (conversation === undefined || conversation.stale) return;
    const refused = this.#log.refusedCommit(conversationId);
    if (refused !== undefined) {
      if (refused.times < firmRefusals) return;
      if ((await this.#reject(conversationId, refused.place)) !== "stands") return;
    } else if (failures === 0) {
      return;
    }
    await this.#joinAnew(conversation);
  }

  /** @returns `stands` when this device is alone with it */
  async #reject(
    conversationId: ConversationId,
    place: CommitPlace,
  ): Promise<RelayResult<"group.reject">["kind"]> {
    const before = this.#core.store.mendings.of(conversationId);
    const { epoch, sequence } = place;
    const again = before.epoch === epoch && before.sequence === sequence;
    const rejections = before.epoch === epoch ? before.rejections : 0;
    if (!again) {
      if (rejections >= maxRejections) return "stands";
      await this.#keep(conversationId, { ...before, epoch, sequence, rejections: rejections + 1 });
    }
    const { signature } = await this.#core.worker.call("rejection.sign", { place });
    try {
      const { kind } = await this.#core.request("group.reject", { ...place, signature });
      return kind;
    } catch (error) {
      // It may have taken this device out. Or the relay knows nothing of rejections.
      if (deaf.has(ensureAppError(error).code)) return "stands";
      throw error;
    }
  }

  async #joinAnew({ conversationId }: StoredConversation): Promise<void> {
    const nowMs = this.#core.time.now();
    const before = this.#core.store.mendings.of(conversationId);
    const rejoins = nowMs - before.rejoinedAtMs > forgetsMs ? 0 : before.rejoins;
    const pauseMs = pausesMs[Math.min(rejoins, pausesMs.length - 1)] ?? 0;
    if (nowMs < before.rejoinedAtMs + pauseMs) return;
    const changes = new Changes();
    changes.write("conversation.setStale", conversationId);
    changes.write("outbox.unsealIn", conversationId);
    changes.write("intent.withdrawOffer", conversationId);
    const mending = { ...before, rejoins: rejoins + 1, rejoinedAtMs: nowMs, rejoining: true };
    await this.#keep(conversationId, mending, changes);
  }

  async #keep(
    conversationId: ConversationId,
    mending: Mending,
    changes: Changes = new Changes(),
  ): Promise<void> {
    changes.write("mending.put", conversationId, ...mendingColumns(mending));
    await this.#core.commit(changes);
  }
}
