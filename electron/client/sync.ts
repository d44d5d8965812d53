import { ensureAppError, type ConversationId, type RelayResult, type UserId } from "#protocol";
import type { RelayEventMessage } from "../link/index.ts";
import type { Acknowledger } from "./account/acknowledger.ts";
import type { Directory } from "./account/directory.ts";
import type { KeyPackages } from "./account/key-packages.ts";
import type { PolicyKeeper } from "./account/policy-keeper.ts";
import type { RollBack } from "./account/roll-back.ts";
import type { Asker } from "./conversations/asker.ts";
import { forgetBlocked } from "./conversations/blocked.ts";
import type { Commits } from "./conversations/commits.ts";
import type { GroupLog } from "./conversations/group-log.ts";
import type { Inbox } from "./conversations/inbox.ts";
import type { LeaveHelper } from "./conversations/leave-helper.ts";
import type { Membership } from "./conversations/membership.ts";
import type { Outbox } from "./conversations/outbox.ts";
import type { Refresher } from "./conversations/refresher.ts";
import type { Mender } from "./conversations/mender.ts";
import type { Rejoiner } from "./conversations/rejoiner.ts";
import type { ReceiptSender } from "./conversations/receipt-sender.ts";
import { Changes } from "./core/changes.ts";
import type { Core } from "./core/core.ts";
import { isEverywhere } from "./core/failures.ts";
import { isLive } from "./store/store.ts";

/** The parts that a session sets to work. */
export interface SyncParts {
  readonly core: Core;
  readonly directory: Directory;
  readonly policy: PolicyKeeper;
  readonly keyPackages: KeyPackages;
  readonly inbox: Inbox;
  readonly log: GroupLog;
  readonly commits: Commits;
  readonly outbox: Outbox;
  readonly receipts: ReceiptSender;
  readonly asker: Asker;
  readonly leaveHelper: LeaveHelper;
  readonly membership: Membership;
  readonly refresher: Refresher;
  readonly acknowledger: Acknowledger;
  readonly rejoiner: Rejoiner;
  readonly mender: Mender;
  readonly rollBack: RollBack;
}

/** What concerns conversations, keys and the directory. */
type SyncEvent = Exclude<RelayEventMessage, { readonly name: "rendezvous.arrived" }>;

/** Pauses before a conversation in which something went wrong is tried again, milliseconds. */
const firstRetryMs = 1000;
const longestRetryMs = 15 * 60_000;

/** Brings this device up to date after each sign-in, and hands what the relay says to whom it concerns. */
export class Sync {
  readonly #parts: SyncParts;
  readonly #troubles = new Map<
    ConversationId,
    { failures: number; waits: boolean; cancel: () => void }
  >();
  /** Conversations that the relay says this device is in, and that are still to be joined. null: it hasn't said yet. */
  #others: Set<ConversationId> | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Signed in: fetches what was missed, finds out what became of what was under way, then sends what waits. */
  onSession(session: RelayResult<"session.signIn">): void {
    this.#running = this.#running.then(() => this.#guard(this.#catchUp(session)));
  }

  onEvent(event: SyncEvent): void {
    void this.#guard(this.#take(event));
  }

  /** Somebody here has decided about a person's key: what waited for that goes on. */
  onTrusted(): void {
    if (this.#parts.core.online) void this.#guard(this.#retryUnknown());
  }

  /** Joins a conversation anew by the word of somebody whom only the person here vouches for. @throws AppError as {@link Rejoiner.rejoin} */
  async joinByWord(conversationId: ConversationId, userId: UserId): Promise<void> {
    try {
      await this.#rejoin(conversationId, userId);
    } finally {
      // What waited for it goes on; or whoever vouches now is shown.
      void this.#guard(this.#goOn(conversationId));
    }
  }

  /** Nothing is tried again any more. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#troubles.values()) cancel();
    this.#troubles.clear();
  }

  /** Resolves when nothing of a session's start is under way. */
  idle(): Promise<void> {
    return this.#running;
  }

  /**
   * What goes wrong with what the relay sent ends the connection: a new one begins with clear state, and everything that wasn't
   * acknowledged comes again.
   */
  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (cause) {
      const { core } = this.#parts;
      const error = ensureAppError(cause);
      const gone = error.code === "relay-unreachable" || error.code === "worker-stopped";
      if (!gone && !core.closed) core.link?.distrust(error.code);
    }
  }

  async #take(event: SyncEvent): Promise<void> {
    const { log, inbox, directory, policy, keyPackages } = this.#parts;
    switch (event.name) {
      case "group.entry": {
        const { conversationId, entry } = event.body;
        // What a conversation that is joined anew has missed is looked for then.
        if (this.#isAwaited(conversationId)) return;
        return this.#contain(conversationId, () => log.onEntry(conversationId, entry), "entry");
      }
      case "inbox.entry":
        await inbox.onEntry(event.body);
        await this.#takeInvitations();
        return this.#afterJoining();
      case "directory.changed":
        if (event.body.version <= directory.version) return;
        await directory.refresh();
        return this.#retryUnknown();
      case "policy.changed":
        await policy.take(event.body.policy);
        return keyPackages.followPolicy();
      case "keyPackages.low":
        return this.#refill(event.body.keyPackagesLeft);
    }
  }

  /** Others can add this device again; and it may have been out of reach for a while. Source: mls.md rule 5. */
  async #refill(left: number): Promise<void> {
    await this.#parts.keyPackages.refill(left);
    this.#parts.membership.audit();
  }

  /** Where this device has come in, devices may be missing, or some be left that were revoked; and it may have been by the last resort. */
  async #afterJoining(): Promise<void> {
    this.#parts.membership.audit();
    await this.#parts.keyPackages.replaceUsed();
  }

  async #catchUp(session: RelayResult<"session.signIn">): Promise<void> {
    const { core, directory, policy, inbox, outbox, receipts, asker } = this.#parts;
    const { leaveHelper, refresher, keyPackages, rollBack } = this.#parts;
    this.#others = null;
    // Also when the relay has less than it had: that is said.
    if (session.directoryVersion !== directory.version) await directory.refresh();
    if (session.policyVersion > core.policy.version) await policy.refresh();
    const left = await rollBack.replaceKeyPackages(keyPackages);
    // Making key packages takes a while, and nothing below waits for them.
    void this.#guard(this.#refill(left ?? session.keyPackagesLeft));
    await inbox.retryKept();
    await inbox.catchUp();
    await this.#catchUpGroups();
    void this.#guard(this.#afterJoining());
    leaveHelper.resume();
    refresher.resume();
    outbox.kickAll();
    receipts.resume();
    asker.resume();
  }

  /** What waited for somebody's records may go on. */
  async #retryUnknown(): Promise<void> {
    const { core, inbox } = this.#parts;
    await inbox.retryKept();
    await this.#takeInvitations();
    await Promise.all(core.store.conversationsBlocked().map((id) => this.#goOn(id)));
  }

  async #catchUpGroups(): Promise<void> {
    const { core, acknowledger, rollBack } = this.#parts;
    const { groups } = await core.request("group.list", {});
    const heads = new Map(groups.map((group) => [group.conversationId, group.headSequence]));
    const blocked = core.store.conversationsBlocked();
    const open = new Set([...core.store.conversationsWithIntent(), ...blocked]);
    const stored = core.store.conversationStates();
    const known = new Map(stored.map((row) => [row.conversationId, row]));
    const others = [...heads].filter(([conversationId, head]) => {
      const row = known.get(conversationId);
      if (row === undefined) return rollBack.looksForOthers;
      // What its log says of it may be older than what the relay says; or its end was the relay's word alone.
      if (row.stale) return true;
      // This vault may be older than what came after the end. Whoever has left alone stays on the roster, and nothing comes.
      return !isLive(row.state) && rollBack.looksForOthers && head > row.cursor;
    });
    this.#others = new Set(others.map(([conversationId]) => conversationId));
    const awaited = new Set([...this.#others, ...core.store.invitations()]);
    await this.#settleEnded(
      blocked.filter((conversationId) => {
        const row = known.get(conversationId);
        return row !== undefined && !isLive(row.state) && !awaited.has(conversationId);
      }),
    );
    const due = new Set(awaited);
    for (const { conversationId, state, cursor, stale } of stored) {
      const head = heads.get(conversationId);
      if (!isLive(state)) {
        // Whoever acknowledges has judged what is there, and one that comes back hasn't.
        const isOver = head !== undefined && head <= cursor && !awaited.has(conversationId);
        if (isOver) acknowledger.group(conversationId, head);
      } else if (stale || open.has(conversationId) || (head !== undefined && head > cursor)) {
        due.add(conversationId);
      } else if (head !== undefined && cursor > 0) {
        // The acknowledgement may have been lost when the client stopped.
        acknowledger.group(conversationId, cursor);
      }
    }
    const work = [...due].map((conversationId) => this.#goOn(conversationId));
    const results = await Promise.allSettled(work);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw ensureAppError(failed.reason);
    await rollBack.settle(this.#others.size === 0);
  }

  /** What is over, and isn't to be joined anew any more, waits for nobody. */
  async #settleEnded(conversationIds: readonly ConversationId[]): Promise<void> {
    const { core } = this.#parts;
    if (conversationIds.length === 0) return;
    const changes = new Changes();
    for (const conversationId of conversationIds) {
      forgetBlocked(core, changes, conversationId);
      core.unvouched.delete(conversationId);
    }
    await core.commit(changes);
  }

  /** Comes in from outside where a Welcome came that can't be opened any more. */
  async #takeInvitations(): Promise<void> {
    const invited = this.#parts.core.store.invitations();
    const untried = invited.filter((id) => this.#troubles.get(id)?.waits !== true);
    await Promise.all(untried.map((conversationId) => this.#goOn(conversationId)));
  }

  /** Whether a conversation is to be joined anew, or from outside in place of a Welcome. */
  #isAwaited(conversationId: ConversationId): boolean {
    const { store } = this.#parts.core;
    const conversation = store.conversation(conversationId);
    if (conversation !== undefined && isLive(conversation.state)) return conversation.stale;
    return (
      this.#others?.has(conversationId) === true || store.invitations().includes(conversationId)
    );
  }

  async #rejoin(conversationId: ConversationId, byWordOf?: UserId): Promise<void> {
    const { rejoiner, rollBack } = this.#parts;
    await rejoiner.rejoin(conversationId, byWordOf);
    this.#others?.delete(conversationId);
    await rollBack.settle(this.#others?.size === 0);
  }

  /** Finishes what is under way in a conversation, and reads its log. @throws AppError what meets all conversations */
  #goOn(conversationId: ConversationId): Promise<void> {
    return this.#contain(conversationId, async () => {
      try {
        await this.#readOn(conversationId);
      } catch (error) {
        if (isEverywhere(ensureAppError(error).code)) throw error;
        await this.#mend(conversationId);
        throw error;
      }
      if (this.#parts.mender.isWanted(conversationId)) await this.#mend(conversationId);
    });
  }

  async #readOn(conversationId: ConversationId): Promise<void> {
    const { core, commits, log } = this.#parts;
    if (this.#isAwaited(conversationId)) await this.#rejoin(conversationId);
    const intent = core.store.intent(conversationId) !== undefined;
    if (intent) await commits.resume(conversationId);
    await core.groupQueue.run(conversationId, () => log.catchUp(conversationId));
  }

  /** A log that can't be followed: says so, or joins anew. */
  async #mend(conversationId: ConversationId): Promise<void> {
    const { core, mender } = this.#parts;
    const failures = this.#troubles.get(conversationId)?.failures ?? 0;
    await core.groupQueue.run(conversationId, () => mender.mend(conversationId, failures));
    if (core.store.conversation(conversationId)?.stale === true) await this.#readOn(conversationId);
  }

  /** Whether a conversation goes on as it should. */
  #isWell(conversationId: ConversationId): boolean {
    const { log, mender } = this.#parts;
    if (this.#isAwaited(conversationId)) return false;
    return log.blockedBy(conversationId) === null && !mender.isWanted(conversationId);
  }

  /**
   * What goes wrong in one conversation is tried again there, after growing pauses, and keeps nothing else from going on.
   *
   * @throws AppError what meets all conversations
   */
  async #contain(
    conversationId: ConversationId,
    work: () => Promise<void>,
    occasion: "entry" | "retry" = "retry",
  ): Promise<void> {
    try {
      await work();
      if (!this.#isWell(conversationId)) this.#tryLater(conversationId, occasion);
      // An entry that fits says nothing of what couldn't be read: that is tried again.
      else if (occasion === "retry") this.#calm(conversationId);
    } catch (cause) {
      const error = ensureAppError(cause);
      if (isEverywhere(error.code)) throw error;
      this.#tryLater(conversationId, occasion);
    }
  }

  /** @param occasion - an entry that comes while a retry waits puts that off no further */
  #tryLater(conversationId: ConversationId, occasion: "entry" | "retry"): void {
    const { core } = this.#parts;
    const before = this.#troubles.get(conversationId);
    if (occasion === "entry" && before?.waits === true) return;
    before?.cancel();
    if (core.closed || this.#closed) return;
    const failures = (before?.failures ?? 0) + 1;
    const trouble = {
      failures,
      waits: true,
      cancel: core.clock.setTimeout(
        () => {
          trouble.waits = false;
          if (core.online) void this.#guard(this.#goOn(conversationId));
        },
        Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs),
      ),
    };
    this.#troubles.set(conversationId, trouble);
  }

  /** What was to be done in it could wait for nobody else but this device. */
  #calm(conversationId: ConversationId): void {
    const trouble = this.#troubles.get(conversationId);
    if (trouble === undefined) return;
    trouble.cancel();
    this.#troubles.delete(conversationId);
    this.#parts.membership.audit(conversationId);
  }
}
