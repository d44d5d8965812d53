import {
  AppError,
  type ConversationId,
  type GroupSummary,
  type InboxEntry,
  type KeyPackageRef,
  type UserId,
} from "#protocol";
import type { Acknowledger } from "../account/acknowledger.ts";
import type { Directory } from "../account/directory.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";
import { isLive } from "../store/store.ts";
import { addLines, groupColumns, peerOf } from "./group-change.ts";
import type { GroupLog } from "./group-log.ts";

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
      const joined = await this.#core.moveGroup(
        conversationId,
        () => this.#join(changes, entry),
        (done) => done,
      );
      await this.#core.commit(changes);
      this.#acknowledger.inbox(entry.sequence);
      if (joined) await this.#log.catchUp(conversationId);
    });
  }

  /** @returns whether this device is in a conversation by it that it wasn't in before */
  async #join(changes: Changes, entry: InboxEntry): Promise<boolean> {
    const { conversationId } = entry;
    // Removed and added again meanwhile: what can be read of the time before comes first.
    if (this.#isMember(conversationId)) await this.#log.catchUp(conversationId);
    const target = await this.#targetOf(entry.bytes);
    if (target === undefined) return false;
    const joined = await this.#open(entry, target);
    if (joined === undefined) return false;
    const { summary } = joined;
    // An epoch that was reached before is never gone back to: its keys and nonces were used.
    const reached = this.#core.store.conversation(conversationId)?.epoch ?? -1;
    if (summary.epoch <= reached) return false;
    changes.writeGroup(joined.writes);
    changes.write("keyPackage.consume", target.ref);
    this.#writeConversation(changes, entry, summary);
    this.#core.groupLoaded(conversationId);
    await this.#tell(changes, entry, summary);
    return true;
  }

  #isMember(conversationId: ConversationId): boolean {
    const known = this.#core.store.conversation(conversationId);
    return known !== undefined && isLive(known.state);
  }

  /** Which of our key packages a Welcome was made for. A malformed one is for none. */
  async #targetOf(
    welcome: Uint8Array,
  ): Promise<{ readonly ref: KeyPackageRef; readonly sealed: Uint8Array } | undefined> {
    const { refs } = await this.#core.worker
      .call("group.welcomeTargets", { welcome })
      .catch((error: unknown) => {
        if (error instanceof AppError && error.fault === "peer") return { refs: [] };
        throw error;
      });
    for (const ref of refs) {
      const own = this.#core.store.keyPackage(ref);
      if (own !== undefined) return { ref, sealed: own.sealed };
    }
    return undefined;
  }

  async #open(
    { conversationId, bytes }: InboxEntry,
    { ref, sealed }: { readonly ref: KeyPackageRef; readonly sealed: Uint8Array },
  ) {
    const params = { welcome: bytes, ref, sealedPrivate: sealed, conversationId };
    const first = await this.#core.worker.call("group.join", params);
    if (first.kind === "joined") return first;
    if (first.kind === "refused") return undefined;
    await this.#directory.refresh();
    const second = await this.#core.worker.call("group.join", params);
    return second.kind === "joined" ? second : undefined;
  }

  #writeConversation(changes: Changes, entry: InboxEntry, summary: GroupSummary): void {
    const { conversationId, groupSequence } = entry;
    const peer = peerOf(summary, this.#core.self.userId);
    if (this.#core.store.conversation(conversationId) === undefined) {
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
      changes.write("conversation.rejoin", conversationId, groupSequence);
    }
    changes.touch(conversationId);
  }

  async #tell(changes: Changes, entry: InboxEntry, summary: GroupSummary): Promise<void> {
    const { conversationId } = entry;
    const me = this.#core.self.userId;
    const by = this.#inviter(entry, summary);
    const line =
      summary.epoch <= 1
        ? ({ kind: "created", by } as const)
        : ({ kind: "added", by, people: [me] } as const);
    const { roomState, epoch } = summary;
    await addLines(this.#core, changes, { conversationId, roomState, epoch }, [line]);
    if (by !== me) changes.notices.push({ conversationId, kind: "invite" });
  }

  /** Whose device the relay says made the commit, if that is a member; else one of the administrators. */
  #inviter({ sender }: InboxEntry, { members, roomState }: GroupSummary): UserId {
    const member = members.find(({ deviceId }) => deviceId === sender);
    const [administrator] = roomState.administrators;
    return member?.userId ?? administrator ?? this.#core.self.userId;
  }
}
