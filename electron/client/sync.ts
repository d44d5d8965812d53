import { AppError, ensureAppError, type ConversationId, type RelayResult } from "#protocol";
import type { RelayEventMessage } from "../link/index.ts";
import type { Acknowledger } from "./account/acknowledger.ts";
import type { Directory } from "./account/directory.ts";
import type { KeyPackages } from "./account/key-packages.ts";
import type { PolicyKeeper } from "./account/policy-keeper.ts";
import type { Commits } from "./conversations/commits.ts";
import type { GroupLog } from "./conversations/group-log.ts";
import type { Inbox } from "./conversations/inbox.ts";
import type { LeaveHelper } from "./conversations/leave-helper.ts";
import type { Outbox } from "./conversations/outbox.ts";
import type { ReceiptSender } from "./conversations/receipt-sender.ts";
import type { Core } from "./core/core.ts";
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
  readonly leaveHelper: LeaveHelper;
  readonly acknowledger: Acknowledger;
}

/** Brings this device up to date after each sign-in, and hands what the relay says to whom it concerns. */
export class Sync {
  readonly #parts: SyncParts;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Signed in: fetches what was missed, finds out what became of what was under way, then sends what waits. */
  onSession(session: RelayResult<"session.signIn">): void {
    this.#running = this.#running.then(() => this.#guard(this.#catchUp(session)));
  }

  onEvent(event: RelayEventMessage): void {
    void this.#guard(this.#take(event));
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

  async #take(event: RelayEventMessage): Promise<void> {
    const { log, inbox, directory, policy, keyPackages } = this.#parts;
    switch (event.name) {
      case "group.entry":
        return log.onEntry(event.body.conversationId, event.body.entry);
      case "inbox.entry":
        return inbox.onEntry(event.body);
      case "directory.changed":
        if (event.body.version > directory.version) await directory.refresh();
        return;
      case "policy.changed":
        return policy.take(event.body.policy);
      case "keyPackages.low":
        return keyPackages.refill(event.body.keyPackagesLeft);
    }
  }

  async #catchUp(session: RelayResult<"session.signIn">): Promise<void> {
    const { directory, inbox, outbox, receipts, leaveHelper, keyPackages } = this.#parts;
    if (session.directoryVersion > directory.version) await directory.refresh();
    // Making key packages takes a while, and nothing below waits for them.
    void this.#guard(keyPackages.refill(session.keyPackagesLeft));
    await inbox.catchUp();
    await this.#catchUpGroups();
    leaveHelper.resume();
    outbox.kickAll();
    receipts.resume();
  }

  async #catchUpGroups(): Promise<void> {
    const { core, acknowledger } = this.#parts;
    const { groups } = await core.request("group.list", {});
    const heads = new Map(groups.map((group) => [group.conversationId, group.headSequence]));
    const intents = new Set(core.store.conversationsWithIntent());
    const work: Promise<void>[] = [];
    for (const { conversationId, state, cursor } of core.store.conversationStates()) {
      const head = heads.get(conversationId);
      if (!isLive(state)) {
        if (head !== undefined) acknowledger.group(conversationId, head);
      } else if (intents.has(conversationId)) {
        work.push(this.#parts.commits.resume(conversationId));
      } else if (head !== undefined && head > cursor) {
        work.push(this.#catchUpGroup(conversationId));
      } else if (head !== undefined && cursor > 0) {
        // The acknowledgement may have been lost when the client stopped.
        acknowledger.group(conversationId, cursor);
      }
    }
    const results = await Promise.allSettled(work);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw ensureAppError(failed.reason);
  }

  async #catchUpGroup(conversationId: ConversationId): Promise<void> {
    const { core, log } = this.#parts;
    try {
      await core.groupQueue.run(conversationId, () => log.catchUp(conversationId));
    } catch (error) {
      // One conversation whose stored state is damaged must not keep the others from going on.
      if (error instanceof AppError && stuck.has(error.code)) return;
      throw error;
    }
  }
}

const stuck: ReadonlySet<AppError["code"]> = new Set<AppError["code"]>([
  "vault-damaged",
  "group-unknown",
  "not-allowed",
  "not-found",
]);
