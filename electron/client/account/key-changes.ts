import {
  AppError,
  encodeCbor,
  equalBytes,
  type CodeVerdict,
  type FormerRecords,
  type PersonRecords,
  type TrustedPerson,
  type UserId,
  type UserRecord,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { KeyedQueue } from "../core/keyed-queue.ts";
import type { VerifiedHow } from "../store/trusted.ts";
import type { NoticeName, Notices } from "./notices.ts";
import type { Objections } from "./objections.ts";
import { noteInShared, sharedWith } from "./shared-lines.ts";

/** More former account keys of one person are not kept: their devices have long left every conversation. */
const mostFormer = 5;

/** Records of a person that the issuer has signed for another account key than the known one. */
export interface OtherKey {
  readonly user: UserRecord;
  readonly version: number;
  readonly records: PersonRecords;
}

/** What a person decides about another's key. */
export interface Decision {
  readonly userId: UserId;
  /** The safety number that they were shown. */
  readonly digits: string;
  /** null: taken without having been compared. */
  readonly how: VerifiedHow | null;
}

/**
 * Whose account keys were compared, and what happens when one changes. Of a person who was verified another key waits, and nothing is sent to
 * them until somebody here decides; of others it is taken, and said. See docs/adr/0024.
 */
export class KeyChanges {
  readonly #core: Core;
  readonly #notices: Notices;
  readonly #objections: Objections;
  readonly #onTaken: () => void;
  readonly #queue = new KeyedQueue<"people">();

  /** @param onTaken - called after somebody here has decided about a key, or read a notice */
  constructor(
    core: Core,
    parts: {
      readonly notices: Notices;
      readonly objections: Objections;
      readonly onTaken: () => void;
    },
  ) {
    this.#core = core;
    this.#notices = parts.notices;
    this.#objections = parts.objections;
    this.#onTaken = parts.onTaken;
  }

  /** Nobody's key changes while `work` is under way, but by it. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#queue.run("people", work);
  }

  /** To be called {@link exclusively}. @returns the person under the new key where it is taken at once; null: it isn't */
  async note(changes: Changes, other: OtherKey): Promise<TrustedPerson | null> {
    const { userId } = other.user;
    if (userId === this.#core.self.userId) {
      this.#notices.tell(changes, [{ kind: "own-key" }]);
      return null;
    }
    const { trusted } = this.#core.store;
    const isVerified = trusted.verification(userId) !== undefined;
    const pending = trusted.pendingKey(userId);
    if (!isVerified && pending === undefined) {
      const person = await this.#take(changes, userId, other);
      const line = { kind: "key-changed", by: userId, stopped: false } as const;
      if (person !== null) await noteInShared(this.#core, changes, userId, [line]);
      return person;
    }
    if (pending !== undefined && pending.issuedAtMs > other.user.issuedAtMs) return null;
    await this.#hold(changes, other, pending?.accountKey);
    return null;
  }

  /** Keeps another key of somebody who was verified; each one is told once. */
  async #hold(
    changes: Changes,
    { user, version, records }: OtherKey,
    before: Uint8Array | undefined,
  ): Promise<void> {
    const { userId, accountKey, issuedAtMs } = user;
    const nowMs = this.#core.time.now();
    const entry = encodeCbor(records);
    changes.write("pendingKey.put", userId, accountKey, issuedAtMs, nowMs, version, entry);
    if (before !== undefined && equalBytes(before, accountKey)) return;
    const line = { kind: "key-changed", by: userId, stopped: true } as const;
    await noteInShared(this.#core, changes, userId, [line]);
    for (const { conversationId } of sharedWith(this.#core, userId)) changes.touch(conversationId);
  }

  /** The issuer names the known key again, later than the other one: nobody has to decide any more. To be called {@link exclusively}. */
  noteKnown(changes: Changes, { userId, issuedAtMs }: UserRecord): void {
    const pending = this.#core.store.trusted.pendingKey(userId);
    if (pending === undefined || pending.issuedAtMs >= issuedAtMs) return;
    changes.write("pendingKey.delete", userId);
    this.#letGo(changes, userId);
  }

  /** The person has read a notice, which may be about a key. */
  async dismiss(notice: NoticeName): Promise<void> {
    this.#core.ensureWritable();
    await this.exclusively(async () => {
      const changes = new Changes();
      this.#notices.dismiss(changes, notice);
      await this.#core.commit(changes);
    });
    this.#onTaken();
  }

  /** The key that is to be compared with a person: the one that waits, if there is one. @throws AppError `not-found` */
  keyOf(userId: UserId): Uint8Array {
    const key =
      this.#core.store.trusted.pendingKey(userId)?.accountKey ??
      this.#core.people.get(userId)?.user.accountKey;
    if (key === undefined || userId === this.#core.self.userId) throw new AppError("not-found");
    return key;
  }

  /** @throws AppError `not-found` */
  safetyNumber(userId: UserId): Promise<{ readonly digits: string; readonly code: string }> {
    const accountKey = this.keyOf(userId);
    return this.#core.worker.call("safetyNumber.compute", { userId, accountKey });
  }

  /** @throws AppError `not-found` */
  async compare(userId: UserId, code: string): Promise<CodeVerdict> {
    const params = { userId, accountKey: this.keyOf(userId), code };
    return (await this.#core.worker.call("safetyNumber.compare", params)).verdict;
  }

  /**
   * Takes a person's key as verified, or as it is.
   *
   * @throws AppError `safety-number-changed` when it isn't the one that was shown, `not-found`
   */
  async accept({ userId, digits, how }: Decision): Promise<void> {
    this.#core.ensureWritable();
    await this.exclusively(() => this.#decide({ userId, digits, how }));
    this.#onTaken();
  }

  async #decide({ userId, digits, how }: Decision): Promise<void> {
    const core = this.#core;
    const accountKey = this.keyOf(userId);
    if ((await this.safetyNumber(userId)).digits !== digits) {
      throw new AppError("safety-number-changed");
    }
    const changes = new Changes();
    const pending = core.store.trusted.pendingKey(userId);
    if (how !== null) {
      changes.write("verification.put", userId, accountKey, core.time.now(), how);
    } else if (pending !== undefined) {
      changes.write("verification.delete", userId);
    }
    let taken: TrustedPerson | null = null;
    if (pending !== undefined) {
      const { version, records } = pending;
      taken = await this.#take(changes, userId, { version, records });
      if (taken === null) throw new AppError("record-invalid");
      changes.write("pendingKey.delete", userId);
      const line = { kind: "key-taken", by: userId, verified: how !== null } as const;
      await noteInShared(core, changes, userId, [line]);
      const { objections } = taken;
      await this.#objections.tell(changes, [{ person: core.people.view(userId), objections }]);
    }
    this.#letGo(changes, userId);
    await core.commit(changes);
    if (taken !== null) core.people.put([taken]);
  }

  async clear(userId: UserId): Promise<void> {
    this.#core.ensureWritable();
    await this.exclusively(async () => {
      const changes = new Changes();
      changes.write("verification.delete", userId);
      await this.#core.commit(changes);
    });
    this.#onTaken();
  }

  /** Puts another key in the place of the known one, whose devices are no longer the person's. */
  async #take(
    changes: Changes,
    userId: UserId,
    { version, records }: Pick<OtherKey, "version" | "records">,
  ): Promise<TrustedPerson | null> {
    const { store, worker } = this.#core;
    const { user, devices, revocations = [], suspension = null } = records;
    const known = store.trusted.records(userId);
    const former: readonly FormerRecords[] =
      known === undefined
        ? []
        : [...(known.former ?? []), { user: known.user, devices: known.devices }];
    const next: PersonRecords = {
      user,
      devices,
      revocations,
      suspension,
      former: former.slice(-mostFormer),
    };
    const { person } = await worker.call("directory.acceptKey", { records: next });
    if (person === null) return null;
    const entry = encodeCbor({ ...next, ...person.kept });
    changes.write("directory.put", userId, version, entry);
    return person;
  }

  /** What waited for a decision goes out. */
  #letGo(changes: Changes, userId: UserId): void {
    for (const { conversationId } of sharedWith(this.#core, userId)) {
      changes.touch(conversationId);
      changes.outboxes.add(conversationId);
    }
  }
}
