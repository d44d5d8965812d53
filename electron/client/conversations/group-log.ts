import {
  AppError,
  equalBytes,
  type ConversationId,
  type GroupEntry,
  type OpenedEntry,
} from "#protocol";
import type { Acknowledger } from "../account/acknowledger.ts";
import type { Directory } from "../account/directory.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import { noteUnopenable, takeContent } from "./content.ts";
import { endConversation, takeGroupChange } from "./group-change.ts";
import { decodeOffer } from "./intent.ts";
import { noteSent } from "./sent.ts";

type Application = Extract<GroupEntry, { readonly kind: "application" }>;
type Commit = Extract<GroupEntry, { readonly kind: "commit" }>;
type Opened = Exclude<OpenedEntry, { readonly kind: "device-unknown" }>;

const pageEntries = 200;

/** What taking an entry led to. `blocked`: this device lacks what it needs, so the entry stays where it is, and is tried again later. */
type Taken = "taken" | "blocked" | "ended";

/**
 * Reads group logs: strictly in order, each entry in one vault transaction together with the cursor, then acknowledged. Everything
 * here runs inside `core.groupQueue` of its conversation, but for {@link onEntry}.
 */
export class GroupLog {
  readonly #core: Core;
  readonly #directory: Directory;
  readonly #acknowledger: Acknowledger;
  readonly #onLeaveProposed: (conversationId: ConversationId) => void;

  constructor(
    core: Core,
    parts: {
      readonly directory: Directory;
      readonly acknowledger: Acknowledger;
      /** Somebody wants to be taken out, and somebody must do it. */
      readonly onLeaveProposed: (conversationId: ConversationId) => void;
    },
  ) {
    this.#core = core;
    this.#directory = parts.directory;
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

  /** What was left behind is not kept, and the relay may drop it. */
  #acknowledgeForeign(conversation: StoredConversation | undefined, sequence: number): void {
    const over = conversation?.state === "left" || conversation?.state === "removed";
    if (over) this.#acknowledger.group(conversation.conversationId, sequence);
  }

  /**
   * Reads on from the cursor to the head of the log.
   *
   * @throws AppError as `Core.request` and `Core.commit`; `frame-out-of-order` when the relay leaves entries out
   */
  async catchUp(conversationId: ConversationId): Promise<void> {
    for (;;) {
      const conversation = this.#core.store.conversation(conversationId);
      if (conversation === undefined || !isLive(conversation.state)) return;
      const { entries, headSequence } = await this.#core.request("group.read", {
        conversationId,
        afterSequence: conversation.cursor,
        limit: pageEntries,
      });
      if (entries.length === 0) {
        if (headSequence > conversation.cursor) throw outOfOrder();
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
    if (taken === "blocked") return taken;
    changes.write("conversation.setCursor", conversationId, entry.sequence);
    await this.#core.commit(changes);
    if (entry.kind !== "dropped") this.#core.observeRelayTime(entry.receivedAtMs);
    this.#acknowledger.group(conversationId, entry.sequence);
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
    if (entry.kind === "dropped") return "taken";
    await this.#core.loadGroup(conversation.conversationId);
    const own = entry.sender === this.#core.self.deviceId;
    if (entry.kind === "application") {
      if (own) {
        this.#takeOwnMessage(changes, conversation, entry);
        return "taken";
      }
      return this.#takeOpened(changes, conversation, entry);
    }
    if (own) return this.#takeOwnCommit(changes, conversation, entry);
    await this.#loseRace(changes, conversation, entry);
    return this.#takeOpened(changes, conversation, entry);
  }

  /** Our own message comes back: it is never opened, only recognised. */
  #takeOwnMessage(changes: Changes, conversation: StoredConversation, entry: Application): void {
    const { conversationId } = conversation;
    const item = this.#core.store.outboxByBytes(conversationId, entry.bytes);
    if (item !== undefined) noteSent(this.#core, changes, { conversation, item, ...entry });
  }

  /** Our commit won: it counts from here on. */
  async #takeOwnCommit(
    changes: Changes,
    conversation: StoredConversation,
    entry: Commit,
  ): Promise<Taken> {
    const { conversationId } = conversation;
    const stored = this.#core.store.intent(conversationId)?.offer;
    const offer = stored === null || stored === undefined ? null : decodeOffer(stored);
    // Not one we know of: the vault is behind itself, and reading on would make it worse.
    if (offer === null || !equalBytes(offer.bytes, entry.bytes)) return "blocked";
    const { change, summary, writes } = await this.#core.worker.call("group.settleCommit", {
      conversationId,
      accepted: true,
    });
    changes.writeGroup(writes);
    changes.write("intent.delete", conversationId);
    if (conversation.state === "creating") {
      changes.write("conversation.setState", conversationId, "active");
    }
    if (change !== null) {
      await takeGroupChange(this.#core, changes, conversation, { change, summary });
    }
    return "taken";
  }

  /** Somebody else's commit has won the epoch of ours. */
  async #loseRace(
    changes: Changes,
    { conversationId }: StoredConversation,
    entry: Commit,
  ): Promise<void> {
    const offer = this.#core.store.intent(conversationId)?.offer;
    if (offer === null || offer === undefined || decodeOffer(offer).epoch !== entry.epoch) return;
    const { writes } = await this.#core.worker.call("group.settleCommit", {
      conversationId,
      accepted: false,
    });
    changes.writeGroup(writes);
    changes.write("intent.withdrawOffer", conversationId);
  }

  async #takeOpened(
    changes: Changes,
    conversation: StoredConversation,
    entry: Application | Commit,
  ): Promise<Taken> {
    const opened = await this.#open(conversation.conversationId, entry);
    switch (opened.kind) {
      case "application":
        changes.writeGroup(opened.writes);
        // Who is leaving doesn't want to hear any more.
        if (conversation.state === "leaving") return "taken";
        await takeContent({
          core: this.#core,
          changes,
          conversation,
          arrival: {
            sender: opened.sender.userId,
            content: opened.content,
            sequence: entry.sequence,
            epoch: entry.epoch,
            sentAtMs: Math.min(entry.receivedAtMs, this.#core.time.now()),
          },
        });
        return "taken";
      case "commit":
        changes.writeGroup(opened.writes);
        await takeGroupChange(this.#core, changes, conversation, opened);
        changes.outboxes.add(conversation.conversationId);
        return "taken";
      case "leave-proposed":
        changes.writeGroup(opened.writes);
        changes.write("leaver.put", conversation.conversationId, opened.member.userId);
        this.#onLeaveProposed(conversation.conversationId);
        return "taken";
      case "removed":
        return this.#takeRemoval(changes, conversation, opened);
      case "future":
        return "blocked";
      case "stale":
        if (entry.kind === "commit") return "taken";
        await this.#noteRefused(changes, conversation, entry, "epoch-unknown");
        return "taken";
      case "refused":
        await this.#noteRefused(changes, conversation, entry, opened.code);
        return "taken";
    }
  }

  /** Opens an entry; one from a device we don't know is opened again with a fresh directory. */
  async #open(conversationId: ConversationId, { bytes }: Application | Commit): Promise<Opened> {
    const first = await this.#core.worker.call("group.open", { conversationId, bytes });
    if (first.kind !== "device-unknown") return first;
    await this.#directory.refresh();
    const second = await this.#core.worker.call("group.open", { conversationId, bytes });
    return second.kind === "device-unknown" ? { kind: "refused", code: "device-unknown" } : second;
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
    const state = conversation.state === "leaving" ? "left" : "removed";
    endConversation(this.#core, changes, conversationId, state);
    return "ended";
  }

  async #noteRefused(
    changes: Changes,
    conversation: StoredConversation,
    entry: Application | Commit,
    code: AppError["code"],
  ): Promise<void> {
    const member = conversation.members.find(({ deviceId }) => deviceId === entry.sender);
    const sender = member?.userId ?? this.#core.people.ownerOf(entry.sender);
    if (sender === undefined) {
      changes.write("conversation.countUnopenable", conversation.conversationId);
      changes.touch(conversation.conversationId);
      return;
    }
    const unopenable = { sender, sequence: entry.sequence, code, raw: null };
    await noteUnopenable(this.#core, changes, conversation, unopenable);
  }
}

function outOfOrder(): AppError {
  return new AppError("frame-out-of-order", { data: { list: "group log" } });
}
