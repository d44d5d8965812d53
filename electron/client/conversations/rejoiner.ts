import {
  AppError,
  ensureAppError,
  suitesSince,
  type ConversationId,
  type GroupMember,
  type GroupSummary,
  type UserId,
  type WorkerResult,
} from "#protocol";
import type { Acknowledger } from "../account/acknowledger.ts";
import type { Directory } from "../account/directory.ts";
import { Changes } from "../core/changes.ts";
import type { Core, Voucher } from "../core/core.ts";
import { isEverywhere } from "../core/failures.ts";
import { readFact } from "../store/facts.ts";
import { mendingColumns } from "../store/mendings.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive, peopleOf } from "../store/store.ts";
import type { StoredLine } from "../views/system-line.ts";
import { forgetBlocked, forgetStuckLine, noteBlocked } from "./blocked.ts";
import { noteFresh } from "./fresh-commits.ts";
import {
  addLines,
  comeBack,
  endUnsigned,
  forgetConversation,
  groupColumns,
  peerOf,
} from "./group-change.ts";
import { noteSkippedBefore } from "./gaps.ts";
import type { GroupLog } from "./group-log.ts";
import { noteNewcomers } from "./newcomers.ts";

/** How an attempt to join came out. */
type Attempt =
  | { readonly kind: "done" }
  /** Somebody else's commit came first. */
  | { readonly kind: "late" }
  /** Nobody vouches who was known there; nothing was sent. */
  | { readonly kind: "unvouched"; readonly voucher: Voucher };

/** Each epoch has one winner, so that this many tries are lost only against as many others. */
const maxAttempts = 20;

/**
 * Joins conversations anew from outside, by a commit that puts a new leaf in the place of this device's old one: after a roll-back the old
 * state would encrypt under keys and nonces that were used. Nothing of a new state is stored before the relay has ordered its commit; if this
 * stops in between, it begins again.
 */
export class Rejoiner {
  readonly #core: Core;
  readonly #log: GroupLog;
  readonly #directory: Directory;
  readonly #acknowledger: Acknowledger;

  constructor(
    core: Core,
    parts: {
      readonly log: GroupLog;
      readonly directory: Directory;
      readonly acknowledger: Acknowledger;
    },
  ) {
    this.#core = core;
    this.#log = parts.log;
    this.#directory = parts.directory;
    this.#acknowledger = parts.acknowledger;
  }

  /**
   * Joins a conversation anew, if it waits for that, or this device isn't in it as far as it knows.
   *
   * @param byWordOf - whose word its person has accepted, this once, of those whom `Core.unvouched` names
   * @throws AppError as `Core.request` and `Core.commit`; `commit-refused`, `device-unknown`, `members-unvouched`; `voucher-changed` when it
   * isn't `byWordOf` who vouches, and `conversation-over` when this device isn't in it any more
   */
  rejoin(conversationId: ConversationId, byWordOf?: UserId): Promise<void> {
    return this.#core.groupQueue.run(conversationId, async () => {
      if (this.#isLive(conversationId)) {
        if (this.#isWaiting(conversationId)) await this.#glean(conversationId);
        // Reading on may have shown that this device was removed. It may be back: a Welcome that came since may be gone.
        if (this.#isLive(conversationId) && !this.#isWaiting(conversationId)) {
          await this.#forgetInvitation(conversationId);
          return;
        }
      }
      // What was read just now may say otherwise, and the person hasn't seen it.
      if (byWordOf !== undefined) this.#requireAsked(conversationId, byWordOf);
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
        const { kind } = await this.#attempt(conversationId, byWordOf);
        if (kind === "done") return;
        if (kind === "unvouched") {
          throw new AppError(byWordOf === undefined ? "members-unvouched" : "voucher-changed");
        }
      }
      throw new AppError("epoch-unknown");
    });
  }

  /** Nobody's word counts about whom the person wasn't asked. @throws AppError `voucher-changed` */
  #requireAsked(conversationId: ConversationId, userId: UserId): void {
    const { store, unvouched } = this.#core;
    const isBlocked = store.conversation(conversationId)?.blocked === "members-unvouched";
    if (isBlocked && unvouched.get(conversationId)?.by.userId === userId) return;
    throw new AppError("voucher-changed");
  }

  #isLive(conversationId: ConversationId): boolean {
    const conversation = this.#core.store.conversation(conversationId);
    return conversation !== undefined && isLive(conversation.state);
  }

  #isWaiting(conversationId: ConversationId): boolean {
    return this.#core.store.conversation(conversationId)?.stale === true;
  }

  /** A Welcome that couldn't be joined by calls for nothing more. */
  async #forgetInvitation(conversationId: ConversationId): Promise<void> {
    if (!this.#core.store.invitations().includes(conversationId)) return;
    const changes = new Changes();
    changes.write("welcome.deleteEmpty", conversationId);
    await this.#core.commit(changes);
  }

  /** The old state may still open what was said while this device was away: reading uses no key twice. */
  async #glean(conversationId: ConversationId): Promise<void> {
    await this.#log.catchUp(conversationId).catch((error: unknown) => {
      if (isEverywhere(ensureAppError(error).code)) throw error;
    });
  }

  async #attempt(conversationId: ConversationId, byWordOf: UserId | undefined): Promise<Attempt> {
    const groupInfo = await this.#groupInfo(conversationId);
    if (groupInfo === null) {
      await this.#giveUp(conversationId);
      // Whoever has taken somebody's word waits to be in it.
      if (byWordOf !== undefined) throw new AppError("conversation-over");
      return { kind: "done" };
    }
    await this.#core.forgetGroup(conversationId);
    try {
      const attempt = await this.#core.moveGroup(
        conversationId,
        () => this.#join(conversationId, groupInfo, byWordOf),
        ({ kind }) => kind === "done",
      );
      if (attempt.kind === "unvouched") await this.#block(conversationId, attempt.voucher);
      return attempt;
    } catch (error) {
      // Whoever was cut off: nobody is asked about them.
      if (ensureAppError(error).code === "members-unvouched") {
        await this.#block(conversationId, null);
      }
      throw error;
    }
  }

  /** Says in the conversation why it isn't joined anew, and by whose word it could be. What waits goes out when it is. */
  async #block(conversationId: ConversationId, voucher: Voucher | null): Promise<void> {
    const { store, unvouched } = this.#core;
    const conversation = store.conversation(conversationId);
    if (conversation === undefined) return;
    const changes = new Changes();
    await noteBlocked(this.#core, changes, conversation, "members-unvouched");
    if (voucher === null) unvouched.delete(conversationId);
    else unvouched.set(conversationId, voucher);
    changes.touch(conversationId);
    await this.#core.commit(changes);
  }

  /** @returns null when this device is in no such conversation */
  async #groupInfo(conversationId: ConversationId): Promise<Uint8Array | null> {
    try {
      const { groupInfo } = await this.#core.request("group.info", { conversationId });
      return groupInfo;
    } catch (error) {
      const { code } = ensureAppError(error);
      if (code === "not-found" || code === "not-allowed") return null;
      throw error;
    }
  }

  /** The relay says that this device isn't in a conversation. What never came to be is gone then. */
  async #giveUp(conversationId: ConversationId): Promise<void> {
    await this.#forgetInvitation(conversationId);
    const conversation = this.#core.store.conversation(conversationId);
    if (conversation === undefined) return;
    const changes = new Changes();
    if (conversation.blocked === "members-unvouched") {
      forgetBlocked(this.#core, changes, conversationId);
    }
    if (conversation.state === "creating") {
      forgetConversation(this.#core, changes, conversationId);
    } else if (isLive(conversation.state)) {
      endUnsigned(this.#core, changes, conversation);
    }
    await this.#core.commit(changes);
    await this.#core.forgetGroup(conversationId);
  }

  async #join(
    conversationId: ConversationId,
    groupInfo: Uint8Array,
    byWordOf: UserId | undefined,
  ): Promise<Attempt> {
    const { worker } = this.#core;
    const made = await this.#prepare(conversationId, groupInfo);
    this.#requireNext(conversationId, made.epoch);
    if (made.signer.userId !== byWordOf && !this.#isVouched(conversationId, made.signer)) {
      return { kind: "unvouched", voucher: { by: made.signer, people: made.people } };
    }
    this.#requireSuite(conversationId, made.suite);
    const ordered = await this.#core.request("group.commit", {
      conversationId,
      epoch: made.epoch,
      bytes: made.bytes,
      groupInfo: made.groupInfo,
      add: [],
      remove: [],
      welcome: null,
    });
    if (ordered.kind === "stale") return { kind: "late" };
    const settled = await worker.call("group.settleCommit", { conversationId, accepted: true });
    const changes = new Changes();
    changes.write("piece.deleteAll", conversationId);
    changes.writeGroup(made.writes);
    changes.writeGroup(settled.writes);
    const before = this.#core.store.conversation(conversationId);
    if (before !== undefined) {
      // Of what was said after it was taken out nothing is this device's.
      if (isLive(before.state)) {
        await noteSkippedBefore(this.#core, changes, before, ordered.sequence);
      }
      noteNewcomers(changes, before, settled.summary);
    }
    this.#write(changes, settled.summary, ordered.sequence);
    changes.write("welcome.deleteEmpty", conversationId);
    changes.write("freshCommit.deleteAll", conversationId);
    await noteFresh(changes, {
      membersBefore: settled.summary.members,
      ...{ conversationId, epoch: made.epoch, sequence: ordered.sequence, bytes: made.bytes },
      committer: this.#core.self.userId,
    });
    await this.#tellMembers(changes, before, { ...settled, by: made.signer.userId });
    await this.#tellMended(changes, settled.summary);
    await this.#core.commit(changes);
    this.#core.unvouched.delete(conversationId);
    this.#core.groupLoaded(conversationId);
    this.#acknowledger.group(conversationId, ordered.sequence);
    return { kind: "done" };
  }

  /** An epoch that is over would bring back who was removed since: this device, too, where a member has signed that it is out. */
  #requireNext(conversationId: ConversationId, epoch: number): void {
    const known = this.#core.store.conversation(conversationId);
    if (known === undefined) return;
    const isSignedOut = !isLive(known.state) && !known.stale;
    if (epoch < known.epoch || (isSignedOut && epoch === known.epoch)) {
      throw new AppError("commit-refused");
    }
  }

  /**
   * A conversation is of the suite that it was known to have, or of one that the policy has named since: else whoever can't follow it could be led
   * to a weaker one. See docs/adr/0027.
   */
  #requireSuite(conversationId: ConversationId, suite: string): void {
    const known = this.#core.store.conversation(conversationId)?.suite ?? suite;
    if (suite === known || suitesSince(this.#core.policy, known).includes(suite)) return;
    throw new AppError("commit-refused", { data: { suite } });
  }

  /**
   * Who was removed can go on with a copy of the group, and the relay can serve what that comes to. But only her own leaf signs it: so whoever
   * vouches must be of a person whom this device knew there; or its person is asked. See docs/adr/0029.
   */
  #isVouched(conversationId: ConversationId, { userId }: GroupMember): boolean {
    const known = this.#core.store.conversation(conversationId);
    // Of what was only being created, the relay's copy is the first that there is.
    if (known === undefined || known.state === "creating") return true;
    return userId === this.#core.self.userId || peopleOf(known.members).includes(userId);
  }

  /** Says who came and went, so that nothing changes unseen; everybody where what was known is older than was thought. */
  async #tellMembers(
    changes: Changes,
    before: StoredConversation | undefined,
    { summary, by }: { readonly summary: GroupSummary; readonly by: UserId },
  ): Promise<void> {
    const people = peopleOf(summary.members);
    const lines: StoredLine[] = [];
    if (before !== undefined && before.state !== "creating") {
      const known = peopleOf(before.members);
      const came = people.filter((userId) => !known.includes(userId));
      const went = known.filter((userId) => !people.includes(userId));
      if (went.length > 0) lines.push({ kind: "went-meanwhile", by, people: went });
      if (came.length > 0) lines.push({ kind: "came-meanwhile", by, people: came });
      const { suite } = summary;
      if (suite !== before.suite) lines.push({ kind: "suite", by, suite });
    }
    const wasLive = before !== undefined && isLive(before.state);
    const isOlder = !wasLive || readFact(this.#core.vault, "rollback") !== undefined;
    if (isOlder && summary.roomState.kind !== "direct") {
      lines.push({ kind: "restored", by, people });
    }
    await addLines(this.#core, changes, summary, lines);
  }

  /** Says that this device had lost the thread, when that was it. */
  async #tellMended(
    changes: Changes,
    { conversationId, roomState, epoch }: GroupSummary,
  ): Promise<void> {
    forgetStuckLine(this.#core, changes, conversationId);
    const mending = this.#core.store.mendings.of(conversationId);
    if (!mending.rejoining) return;
    const columns = mendingColumns({ ...mending, rejoining: false });
    changes.write("mending.put", conversationId, ...columns);
    const by = this.#core.self.userId;
    const conversation = { conversationId, roomState, epoch };
    await addLines(this.#core, changes, conversation, [{ kind: "rejoined", by }]);
  }

  async #prepare(
    conversationId: ConversationId,
    groupInfo: Uint8Array,
  ): Promise<WorkerResult<"group.prepareRejoin">> {
    const params = { conversationId, groupInfo };
    try {
      return await this.#core.worker.call("group.prepareRejoin", params);
    } catch (error) {
      if (ensureAppError(error).code !== "device-unknown") throw error;
      await this.#directory.refresh();
      return this.#core.worker.call("group.prepareRejoin", params);
    }
  }

  #write(changes: Changes, summary: GroupSummary, sequence: number): void {
    const { store, self, time } = this.#core;
    const { conversationId } = summary;
    const known: StoredConversation | undefined = store.conversation(conversationId);
    const columns = groupColumns(summary, known?.peer ?? peerOf(summary, self.userId));
    if (known === undefined) {
      const nowMs = time.now();
      changes.write("conversation.create", conversationId, "active", ...columns, sequence, nowMs);
    } else {
      changes.write("conversation.setGroup", conversationId, ...columns);
      const comesBack = !isLive(known.state);
      if (comesBack) comeBack(this.#core, changes, conversationId, sequence);
      else changes.write("conversation.setRejoined", conversationId, sequence);
      if (known.stale || comesBack) {
        changes.write("conversation.setSince", conversationId, summary.epoch);
      }
      if (known.state === "creating") {
        changes.write("conversation.setState", conversationId, "active");
      }
    }
    changes.write("conversation.setEpochStart", conversationId, sequence);
    changes.write("generation.deleteAll", conversationId);
    changes.write("leaver.deleteAll", conversationId);
    changes.write("leafAge.put", conversationId, time.now());
    changes.outboxes.add(conversationId);
    changes.touch(conversationId);
  }
}
