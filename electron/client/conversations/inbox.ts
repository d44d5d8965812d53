import {
  AppError,
  decodeCbor,
  encodeCbor,
  ensureAppError,
  roleAllows,
  roleOf,
  type ConversationId,
  type GroupMember,
  type GroupSummary,
  type InboxEntry,
  type KeyPackageRef,
} from "#protocol";
import type { Acknowledger } from "../account/acknowledger.ts";
import type { Directory } from "../account/directory.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { isEverywhere } from "../core/failures.ts";
import { putFact, readFact } from "../store/facts.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import { forgetStuckLine } from "./blocked.ts";
import { addLines, comeBack, groupColumns, peerOf } from "./group-change.ts";
import { noteFresh } from "./fresh-commits.ts";
import type { GroupLog } from "./group-log.ts";
import { noteNewcomers } from "./newcomers.ts";
import { noteJoined, targetAmong, type KeyPackageTarget } from "./reinit.ts";

/** As many Welcomes are kept until the directory knows everybody in their groups; of more, the oldest are given up. */
const maxKept = 64;
const maxKeptBytes = 32 * 1024 * 1024;

/**
 * What a Welcome led to. `waits`: what it takes to judge it isn't there yet. `outside`: it can't be joined by, but the conversation can from outside, as `Rejoiner`
 * does it.
 */
type Joined = "joined" | "refused" | "waits" | "outside";

/** Takes this device's inbox in order: Welcomes, by which it comes into conversations. */
export class Inbox {
  readonly #core: Core;
  readonly #log: GroupLog;
  readonly #directory: Directory;
  readonly #acknowledger: Acknowledger;
  #tail: Promise<void> = Promise.resolve();

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

  get #cursor(): number {
    return readFact(this.#core.vault, "inboxCursor") ?? 0;
  }

  /** A live entry. What came before it and was missed is read first. @throws AppError as {@link catchUp} */
  onEntry(entry: InboxEntry): Promise<void> {
    return this.#inOrder(async () => {
      if (entry.sequence <= this.#cursor) return;
      if (entry.sequence === this.#cursor + 1) await this.#take(entry);
      else await this.#readOn();
    });
  }

  /** Reads what is new. @throws AppError as `Core.request` and `Core.commit` */
  catchUp(): Promise<void> {
    return this.#inOrder(() => this.#readOn());
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const running = this.#tail.then(work, work);
    this.#tail = running.catch(() => undefined);
    return running;
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const afterSequence = this.#cursor;
      const { entries, headSequence } = await this.#core.request("inbox.read", { afterSequence });
      for (const entry of entries) {
        if (entry.sequence <= this.#cursor) {
          throw new AppError("frame-out-of-order", { data: { list: "inbox" } });
        }
        await this.#take(entry);
      }
      if (entries.length === 0 || this.#cursor >= headSequence) return;
    }
  }

  #take(entry: InboxEntry): Promise<void> {
    const { conversationId } = entry;
    return this.#core.groupQueue.run(conversationId, async () => {
      const changes = new Changes();
      changes.statements.push(putFact("inboxCursor", entry.sequence));
      const joined = await this.#joinAndKeep(changes, entry);
      if (joined === "waits" || joined === "outside") {
        const kept = joined === "waits" ? encodeCbor(entry) : new Uint8Array();
        changes.write("welcome.keep", entry.sequence, conversationId, kept);
        changes.write("welcome.trim", maxKept);
      }
      if (joined === "refused" && this.#live(conversationId) !== undefined) {
        changes.write("conversation.countUnopenable", conversationId, 1);
        changes.touch(conversationId);
      }
      await this.#core.commit(changes);
      this.#acknowledger.inbox(entry.sequence);
      if (joined === "joined") await this.#readLog(conversationId);
    });
  }

  /** Tries kept Welcomes again: the directory has changed. @throws AppError as {@link catchUp} */
  async retryKept(): Promise<void> {
    for (const stored of this.#core.store.welcomes()) {
      // Only `#take` writes these, and the vault gives back what was written or fails.
      const entry = decodeCbor(stored, maxKeptBytes) as InboxEntry;
      await this.#core.groupQueue.run(entry.conversationId, async () => {
        const changes = new Changes();
        const joined = await this.#joinAndKeep(changes, entry);
        if (joined === "waits") return;
        if (joined === "outside") changes.write("welcome.empty", entry.sequence);
        else changes.write("welcome.delete", entry.sequence);
        await this.#core.commit(changes);
        if (joined === "joined") await this.#readLog(entry.conversationId);
      });
    }
  }

  #joinAndKeep(changes: Changes, entry: InboxEntry): Promise<Joined> {
    return this.#core.moveGroup(
      entry.conversationId,
      () => this.#join(changes, entry),
      (done) => done === "joined",
    );
  }

  /** @returns whether the log could be read */
  async #readLog(conversationId: ConversationId): Promise<boolean> {
    try {
      await this.#log.catchUp(conversationId);
      return true;
    } catch (error) {
      // What is wrong with one conversation is no reason not to come into others. Each session reads its log again.
      if (isEverywhere(ensureAppError(error).code)) throw error;
      return false;
    }
  }

  async #join(changes: Changes, entry: InboxEntry): Promise<Joined> {
    const { conversationId } = entry;
    // Removed and added again meanwhile: what can be read of the time before comes first.
    const wasLive = this.#live(conversationId) !== undefined;
    if (wasLive && !(await this.#readLog(conversationId))) return "waits";
    // A conversation that goes on is never replaced by another group of the same name.
    const live = this.#live(conversationId);
    if (live?.blocked === null) return "refused";
    // A log that can't be read on is mended by itself.
    const otherwise = live === undefined ? "outside" : "refused";
    const refs = await this.#refsOf(entry.bytes);
    if (refs.length === 0) return "refused";
    const target = targetAmong(this.#core.store, refs);
    if (target === undefined) return otherwise;
    await this.#core.forgetGroup(conversationId);
    const joined = await this.#open(entry, target);
    if (joined.kind === "device-unknown") return "waits";
    if (joined.kind === "refused") return "refused";
    const { summary, inviter } = joined;
    const known = this.#core.store.conversation(conversationId);
    // Nobody has signed that this device is out of it.
    const goesOn = live !== undefined || known?.stale === true;
    if (known !== undefined && goesOn && !mayBringBack(known, inviter)) return otherwise;
    // An epoch that was reached before is never gone back to: its keys and nonces were used.
    const reached = known?.epoch ?? -1;
    if (summary.epoch <= reached) return "refused";
    changes.write("piece.deleteAll", conversationId);
    changes.write("intent.delete", conversationId);
    changes.write("leaver.deleteAll", conversationId);
    changes.writeGroup(joined.writes);
    noteJoined(this.#core, changes, conversationId, target);
    this.#writeConversation(changes, entry, summary);
    this.#core.groupLoaded(conversationId);
    changes.write("freshCommit.deleteAll", conversationId);
    await noteFresh(changes, {
      ...{ conversationId, epoch: summary.epoch - 1, sequence: entry.groupSequence },
      ...{ bytes: null, committer: inviter.userId },
    });
    await this.#tell(changes, summary, inviter);
    return "joined";
  }

  #live(conversationId: ConversationId): StoredConversation | undefined {
    const known = this.#core.store.conversation(conversationId);
    return known !== undefined && isLive(known.state) ? known : undefined;
  }

  /** The key packages that a Welcome was made for. A malformed one is for none. */
  async #refsOf(welcome: Uint8Array): Promise<readonly KeyPackageRef[]> {
    try {
      const { refs } = await this.#core.worker.call("group.welcomeTargets", { welcome });
      return refs;
    } catch (error) {
      if (error instanceof AppError && error.fault === "peer") return [];
      throw error;
    }
  }

  async #open({ conversationId, bytes }: InboxEntry, { ref, sealed }: KeyPackageTarget) {
    const params = { welcome: bytes, ref, sealedPrivate: sealed, conversationId };
    const first = await this.#core.worker.call("group.join", params);
    if (first.kind !== "device-unknown") return first;
    await this.#directory.refresh();
    return this.#core.worker.call("group.join", params);
  }

  #writeConversation(changes: Changes, entry: InboxEntry, summary: GroupSummary): void {
    const { conversationId, groupSequence } = entry;
    const peer = peerOf(summary, this.#core.self.userId);
    const known = this.#core.store.conversation(conversationId);
    if (known === undefined) {
      changes.write(
        "conversation.create",
        conversationId,
        "active",
        ...groupColumns(summary, peer),
        groupSequence,
        this.#core.time.now(),
      );
    } else {
      changes.write("conversation.setGroup", conversationId, ...groupColumns(summary, peer));
      comeBack(this.#core, changes, conversationId, groupSequence);
      // Nobody is added who is in it: whoever wanted to leave has left, and was asked back.
      changes.write("conversation.setState", conversationId, "active");
      changes.write("outbox.deleteLeave", conversationId);
      noteNewcomers(changes, known, summary);
      // What was said before isn't for this device any more.
      changes.write("gap.deleteAll", conversationId);
      forgetStuckLine(this.#core, changes, conversationId);
    }
    changes.write("conversation.setEpochStart", conversationId, groupSequence);
    changes.touch(conversationId);
  }

  async #tell(changes: Changes, summary: GroupSummary, { userId: by }: GroupMember): Promise<void> {
    const { conversationId } = summary;
    const me = this.#core.self.userId;
    // One more computer of somebody who is in it: nothing has happened for the people there.
    if (by === me && summary.epoch > 1) return;
    const line =
      summary.epoch <= 1
        ? ({ kind: "created", by } as const)
        : ({ kind: "added", by, people: [me] } as const);
    const { roomState, epoch } = summary;
    await addLines(this.#core, changes, { conversationId, roomState, epoch }, [line]);
    if (by !== me) changes.notices.push({ conversationId, kind: "invite" });
  }
}

/** Whether somebody could have added this person to a conversation as it was when its log could last be read. */
function mayBringBack({ kind, members, roomState }: StoredConversation, inviter: GroupMember) {
  const known = members.some(({ userId }) => userId === inviter.userId);
  const may =
    kind === "direct" || roleAllows(kind, roleOf(roomState, inviter.userId), "add-member");
  return known && may;
}
