import {
  AppError,
  decodeMessage,
  equalBytes,
  roomUri,
  userUri,
  type BlockingCode,
  type ConversationId,
  type GroupEntry,
  type OpenedEntry,
} from "#protocol";
import type { Acknowledger } from "../account/acknowledger.ts";
import type { Directory } from "../account/directory.ts";
import type { PolicyKeeper } from "../account/policy-keeper.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLeavingElsewhere } from "../store/stopped.ts";
import { isLive, peopleOf } from "../store/store.ts";
import { forgetBlocked, noteBlocked } from "./blocked.ts";
import { takeContent } from "./content.ts";
import { addLines, endConversation, takeGroupChange } from "./group-change.ts";
import { decodeOffer } from "./intent.ts";
import { noteDropped, noteSpoilt } from "./gaps.ts";
import { noteFollowed, noteFresh } from "./fresh-commits.ts";
import { noteGeneration } from "./generations.ts";
import { Marks } from "./marks.ts";
import { openReinit } from "./reinit.ts";
import { RefusedCommits, type RefusedCommit } from "./refused-commits.ts";
import { renewsLeaf } from "./refresher.ts";
import { takeReopened } from "./reopened.ts";
import { noteSent } from "./sent.ts";

type Application = Extract<GroupEntry, { readonly kind: "application" }>;
type Commit = Extract<GroupEntry, { readonly kind: "commit" }>;
type Reopened = Extract<GroupEntry, { readonly kind: "reopened" }>;
const pageEntries = 200;

/** What taking an entry led to. A {@link BlockingCode}: it stays where it is, and is tried again later. */
type Taken = "taken" | "ended" | BlockingCode;

/**
 * Reads group logs: strictly in order, each entry in one vault transaction together with the cursor, then acknowledged. Everything
 * here runs inside `core.groupQueue` of its conversation, but for {@link onEntry}.
 */
export class GroupLog {
  readonly #core: Core;
  readonly #directory: Directory;
  readonly #policy: PolicyKeeper;
  readonly #acknowledger: Acknowledger;
  readonly #onLeaveProposed: (conversationId: ConversationId) => void;
  readonly #refused = new RefusedCommits();
  readonly marks: Marks;

  constructor(
    core: Core,
    parts: {
      readonly directory: Directory;
      readonly policy: PolicyKeeper;
      readonly acknowledger: Acknowledger;
      /** Somebody wants to be taken out, and somebody must do it. */
      readonly onLeaveProposed: (conversationId: ConversationId) => void;
    },
  ) {
    this.#core = core;
    this.marks = new Marks(core);
    this.#directory = parts.directory;
    this.#policy = parts.policy;
    this.#acknowledger = parts.acknowledger;
    this.#onLeaveProposed = parts.onLeaveProposed;
  }

  /** A live entry, from outside the queue. @throws AppError as {@link catchUp} */
  onEntry(conversationId: ConversationId, entry: GroupEntry): Promise<void> {
    return this.#core.groupQueue.run(conversationId, async () => {
      const conversation = this.#core.store.conversation(conversationId);
      if (conversation === undefined || !isLive(conversation.state)) {
        this.#acknowledgeForeign(conversation, entry.sequence);
        return;
      }
      if (entry.sequence <= conversation.cursor) return;
      if (entry.sequence === conversation.cursor + 1) await this.#take(conversation, entry);
      else await this.catchUp(conversationId);
    });
  }

  /** What was left behind is not kept, and the relay may drop it. What comes after that is for whoever is let in again, by a Welcome on its way. */
  #acknowledgeForeign(conversation: StoredConversation | undefined, sequence: number): void {
    const isBehind = conversation !== undefined && sequence <= conversation.cursor;
    if (isBehind) this.#acknowledger.group(conversation.conversationId, sequence);
  }

  /**
   * Reads on from the cursor to the head of the log, or to what can't be taken: see {@link blockedBy}.
   *
   * @throws AppError as `Core.request` and `Core.commit`; `frame-out-of-order` when the relay leaves entries out
   */
  async catchUp(conversationId: ConversationId): Promise<void> {
    for (;;) {
      const conversation = this.#core.store.conversation(conversationId);
      if (conversation === undefined || !isLive(conversation.state)) return;
      const { entries, headSequence, epoch } = await this.#core.request("group.read", {
        conversationId,
        afterSequence: conversation.cursor,
        limit: pageEntries,
      });
      if (entries.length === 0) {
        if (headSequence > conversation.cursor) throw outOfOrder();
        // A commit that isn't in the log any more: nothing that is said from here on can be opened.
        if (epoch > conversation.epoch) await this.#block(conversation, "conversation-stuck");
        return;
      }
      if ((await this.#takeAll(conversationId, entries)) !== "taken") return;
    }
  }

  async #takeAll(conversationId: ConversationId, entries: readonly GroupEntry[]): Promise<Taken> {
    for (const entry of entries) {
      const conversation = this.#core.store.conversation(conversationId);
      if (conversation === undefined) return "ended";
      if (entry.sequence !== conversation.cursor + 1) throw outOfOrder();
      const taken = await this.#take(conversation, entry);
      if (taken !== "taken") return taken;
    }
    return "taken";
  }

  /** The commit that a conversation stands before, when it was refused. */
  refusedCommit(conversationId: ConversationId): RefusedCommit | undefined {
    return this.#refused.get(conversationId);
  }

  /** Why a conversation's log can't be read on; null when it can. */
  blockedBy(conversationId: ConversationId): BlockingCode | null {
    return this.#core.store.conversation(conversationId)?.blocked ?? null;
  }

  async #block(conversation: StoredConversation, code: BlockingCode): Promise<void> {
    const changes = new Changes();
    await noteBlocked(this.#core, changes, conversation, code);
    await this.#core.commit(changes);
  }

  /**
   * Takes a commit of ours as the relay's answer says it was ordered.
   *
   * @throws AppError as {@link catchUp}
   */
  async takeOrdered(
    conversationId: ConversationId,
    entry: Extract<GroupEntry, { readonly kind: "commit" }>,
  ): Promise<void> {
    const conversation = this.#core.store.ensureConversation(conversationId);
    if (entry.sequence === conversation.cursor + 1) await this.#take(conversation, entry);
    else await this.catchUp(conversationId);
  }

  #take(conversation: StoredConversation, entry: GroupEntry): Promise<Taken> {
    return this.#core.moveGroup(
      conversation.conversationId,
      () => this.#takeAndCommit(conversation, entry),
      (taken) => taken === "taken",
    );
  }

  async #takeAndCommit(conversation: StoredConversation, entry: GroupEntry): Promise<Taken> {
    const { conversationId } = conversation;
    const changes = new Changes();
    const taken = await this.#takeInto(changes, conversation, entry);
    if (taken !== "taken" && taken !== "ended") {
      await this.#block(conversation, taken);
      return taken;
    }
    this.#refused.forget(conversationId);
    if (conversation.blocked !== null) forgetBlocked(this.#core, changes, conversationId);
    changes.write("conversation.setCursor", conversationId, entry.sequence);
    await this.#core.commit(changes);
    if (entry.kind !== "dropped") this.#core.observeRelayTime(entry.receivedAtMs);
    this.#acknowledger.group(conversationId, entry.sequence);
    // Not before it is in the vault, where whoever comes first looks at once.
    if (this.#core.store.leavers(conversationId).length > 0) this.#onLeaveProposed(conversationId);
    return this.#isLive(conversationId) ? taken : "ended";
  }

  /** An entry was put into the vault elsewhere, with the cursor. */
  noteTaken(conversationId: ConversationId, sequence: number): void {
    this.#acknowledger.group(conversationId, sequence);
  }

  #isLive(conversationId: ConversationId): boolean {
    const conversation = this.#core.store.conversation(conversationId);
    return conversation !== undefined && isLive(conversation.state);
  }

  async #takeInto(
    changes: Changes,
    conversation: StoredConversation,
    entry: GroupEntry,
  ): Promise<Taken> {
    const { conversationId } = conversation;
    if (entry.kind === "dropped") {
      changes.write("conversation.addLost", conversationId, 1);
      noteDropped(this.#core, changes, conversation, [entry.sequence]);
      return "taken";
    }
    if (entry.kind === "reopened") return this.#takeReopened(changes, conversation, entry);
    await this.#core.loadGroup(conversationId);
    // Whose entry it is, its bytes say; the relay's word for it is none.
    if (entry.kind === "commit") {
      return this.#isOffered(conversationId, entry)
        ? this.#takeOwnCommit(changes, conversation, entry)
        : this.#takeOpened(changes, conversation, entry);
    }
    const digest = await digestOf(entry.bytes);
    const item = this.#core.store.outboxByDigest(conversationId, digest);
    if (item === undefined) return this.#takeOpened(changes, conversation, entry);
    noteSent(this.#core, changes, { conversation, item, ...entry });
    return "taken";
  }

  #isOffered(conversationId: ConversationId, { bytes }: Commit): boolean {
    const offer = this.#core.store.intent(conversationId)?.offer ?? null;
    return offer !== null && equalBytes(decodeOffer(offer).bytes, bytes);
  }

  /** Our commit won: it counts from here on. */
  async #takeOwnCommit(
    changes: Changes,
    conversation: StoredConversation,
    entry: Commit,
  ): Promise<Taken> {
    const { conversationId } = conversation;
    const committer = this.#core.self.userId;
    const intent = this.#core.store.intent(conversationId)?.intent ?? null;
    const before = { membersBefore: conversation.members, suiteBefore: conversation.suite };
    await noteFresh(changes, { ...entry, conversationId, committer, intent, ...before });
    const { change, summary, writes } = await this.#core.worker.call("group.settleCommit", {
      conversationId,
      accepted: true,
    });
    changes.writeGroup(writes);
    changes.write("intent.delete", conversationId);
    changes.outboxes.add(conversationId);
    if (conversation.state === "creating") {
      changes.write("conversation.setState", conversationId, "active");
    }
    if (change !== null) {
      if (renewsLeaf(change)) {
        changes.write("leafAge.put", conversationId, this.#core.time.now());
      }
      await takeGroupChange(this.#core, changes, conversation, { change, summary });
    }
    changes.write("conversation.setEpochStart", conversationId, entry.sequence);
    return "taken";
  }

  async #takeReopened(
    changes: Changes,
    conversation: StoredConversation,
    entry: Reopened,
  ): Promise<Taken> {
    switch (await takeReopened(this.#core, changes, { conversation, entry })) {
      case "taken":
        return "taken";
      case "followed":
        return "ended";
      case "refused":
        return "conversation-stuck";
    }
  }

  async #takeOpened(
    changes: Changes,
    conversation: StoredConversation,
    entry: Application | Commit,
  ): Promise<Taken> {
    const opened = await this.#open(changes, conversation.conversationId, entry);
    switch (opened.kind) {
      case "application":
        changes.writeGroup(opened.writes);
        noteFollowed(this.#core, changes, { ...conversation, by: opened.sender });
        await this.marks.hold(changes, conversation, {
          sender: opened.sender.userId,
          data: opened.authenticatedData,
        });
        await noteGeneration(this.#core, changes, conversation, { ...opened, epoch: entry.epoch });
        // Who is leaving doesn't want to hear any more, but what they have is still to be changed and recalled.
        if (conversation.state === "leaving" && !this.#changesEarlier(conversation, opened)) {
          return "taken";
        }
        await takeContent({
          core: this.#core,
          changes,
          conversation,
          arrival: {
            sender: opened.sender.userId,
            deviceId: opened.sender.deviceId,
            content: opened.content,
            sequence: entry.sequence,
            epoch: entry.epoch,
            sentAtMs: Math.min(entry.receivedAtMs, this.#core.time.now()),
            order: null,
          },
        });
        return "taken";
      case "commit":
        changes.writeGroup(opened.writes);
        // It has won the epoch: a commit of ours is to be made anew.
        changes.write("intent.withdrawOffer", conversation.conversationId);
        noteFollowed(this.#core, changes, { ...conversation, by: opened.change.committer });
        await noteFresh(changes, {
          ...{ ...entry, conversationId: conversation.conversationId },
          committer: opened.change.committer.userId,
          membersBefore: conversation.members,
          suiteBefore: conversation.suite,
        });
        await this.marks.hold(changes, conversation, {
          sender: opened.change.committer.userId,
          data: opened.authenticatedData,
        });
        await takeGroupChange(this.#core, changes, conversation, opened);
        changes.write("conversation.setEpochStart", conversation.conversationId, entry.sequence);
        changes.outboxes.add(conversation.conversationId);
        return "taken";
      case "leave-proposed":
        changes.writeGroup(opened.writes);
        changes.write("leaver.put", conversation.conversationId, opened.member.userId);
        if (opened.member.userId === this.#core.self.userId) {
          changes.touch(conversation.conversationId);
        }
        return "taken";
      case "removed":
        return this.#takeRemoval(changes, conversation, opened);
      case "future":
        return "conversation-stuck";
      case "device-unknown":
        return "device-unknown";
      case "stale":
        if (entry.kind === "commit") return "taken";
        await this.#noteRefused(changes, conversation, entry, "epoch-unknown");
        return "taken";
      case "refused":
        // The others may have followed it: what comes after it can't be opened here, and its cause may pass.
        if (entry.kind === "commit") {
          await this.#noteRefusedCommit(conversation, entry);
          return "conversation-stuck";
        }
        await this.marks.hold(changes, conversation, {
          sender: null,
          data: opened.authenticatedData,
        });
        await this.#noteRefused(changes, conversation, entry, opened.code);
        return "taken";
    }
  }

  async #noteRefusedCommit(
    { conversationId }: StoredConversation,
    { epoch, sequence, bytes }: Commit,
  ): Promise<void> {
    const commitHash = await digestOf(bytes);
    this.#refused.note({ conversationId, epoch, sequence, commitHash });
  }

  #changesEarlier(
    { conversationId }: StoredConversation,
    { sender, content }: Extract<OpenedEntry, { readonly kind: "application" }>,
  ): boolean {
    const { networkId } = this.#core.self;
    try {
      const room = roomUri(networkId, conversationId);
      const decoded = decodeMessage(content, userUri(networkId, sender.userId), room);
      return (
        decoded.kind === "recall" ||
        decoded.kind === "unreact" ||
        (decoded.kind === "text" && decoded.replaces !== null)
      );
    } catch {
      // What can't be read changes nothing.
      return false;
    }
  }

  /**
   * Opens an entry. One from a device we don't know is opened again with a fresh directory; so is a commit that its maker wasn't allowed: it may
   * carry out a revocation or suspension that we haven't heard of.
   */
  async #open(
    changes: Changes,
    conversationId: ConversationId,
    entry: Application | Commit,
  ): Promise<Exclude<OpenedEntry, { readonly kind: "reinit" }>> {
    const { kind, bytes, receivedAtMs } = entry;
    const params = { conversationId, bytes, receivedAtMs };
    let opened = await this.#core.worker.call("group.open", params);
    const forbidden =
      kind === "commit" && opened.kind === "refused" && opened.code === "not-allowed";
    if (opened.kind === "device-unknown" || forbidden) {
      await this.#directory.refresh();
      opened = await this.#core.worker.call("group.open", params);
    }
    if (opened.kind !== "reinit") return opened;
    const parts = { directory: this.#directory, policy: this.#policy, conversationId };
    return openReinit(this.#core, changes, { ...parts, entry, reinit: opened });
  }

  async #takeRemoval(
    changes: Changes,
    conversation: StoredConversation,
    { change }: Extract<OpenedEntry, { readonly kind: "removed" }>,
  ): Promise<Taken> {
    const { conversationId } = conversation;
    const summary = {
      conversationId,
      epoch: conversation.epoch,
      suite: conversation.suite,
      roomState: change.after,
      members: conversation.members.filter(
        ({ deviceId }) => !change.removed.some((gone) => gone.deviceId === deviceId),
      ),
      epochAuthenticator: conversation.authenticator,
    };
    await takeGroupChange(this.#core, changes, conversation, { change, summary });
    // Another device of this person has left, with all of theirs, and nobody else was there.
    const isAlone = peopleOf(conversation.members).length === 1;
    if (isAlone) {
      const by = this.#core.self.userId;
      await addLines(this.#core, changes, conversation, [{ kind: "left", by }]);
    }
    const isLeaving =
      conversation.state === "leaving" ||
      isLeavingElsewhere(this.#core.store, conversation, this.#core.self.userId);
    const state = isAlone || isLeaving ? "left" : "removed";
    endConversation(this.#core, changes, conversationId, state);
    return "ended";
  }

  async #noteRefused(
    changes: Changes,
    conversation: StoredConversation,
    entry: Application | Commit,
    code: AppError["code"],
  ): Promise<void> {
    // Our own come back and can't be opened, nor need they be. What is only called ours leaves a gap, which shows.
    if (entry.sender === this.#core.self.deviceId) return;
    // Only the relay names a sender here.
    // The gap that it leaves in its sender's generations is told of with it.
    changes.write("conversation.addLost", conversation.conversationId, 1);
    const spoilt = { sequences: [entry.sequence], code };
    await noteSpoilt(this.#core, changes, conversation, spoilt);
  }
}

function outOfOrder(): AppError {
  return new AppError("frame-out-of-order", { data: { list: "group log" } });
}
