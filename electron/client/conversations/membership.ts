import { ensureAppError, type ConversationId, type DeviceId, type UserId } from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { peopleOf } from "../store/store.ts";
import type { People } from "../views/people.ts";
import type { Commits } from "./commits.ts";

/** How long each further member waits for the ones before it, milliseconds. */
const stepMs = 2000;
const longestMs = 60_000;
/** Pauses before a device that couldn't be added, perhaps because it has no key packages yet, is tried again, milliseconds. */
const firstRetryMs = 5000;
const longestRetryMs = 60 * 60_000;

/** What the leaves of one person lack to be what the directory says. */
export interface DevicesPlan {
  readonly add: readonly DeviceId[];
  readonly remove: readonly DeviceId[];
}

/** Whether a member's leaf is to go: its device was revoked, or its person suspended. */
function isExcluded(people: People, userId: UserId, deviceId: DeviceId): boolean {
  const person = people.get(userId);
  return person !== undefined && (person.suspended || person.revoked.includes(deviceId));
}

/**
 * What is to be done about the devices of one person who is in a conversation.
 *
 * @returns undefined when there is nothing to do
 */
export function planDevices(
  { members }: Pick<StoredConversation, "members">,
  people: People,
  userId: UserId,
): DevicesPlan | undefined {
  const present = members.filter((member) => member.userId === userId);
  const person = people.get(userId);
  if (person === undefined || present.length === 0) return undefined;
  const here = new Set(present.map(({ deviceId }) => deviceId));
  const remove = [...here].filter((deviceId) => isExcluded(people, userId, deviceId));
  const add = person.suspended
    ? []
    : person.devices.map(({ deviceId }) => deviceId).filter((deviceId) => !here.has(deviceId));
  return add.length + remove.length === 0 ? undefined : { add, remove };
}

/**
 * Carries out in conversations what the directory says: missing devices of their people are added, leaves of revoked devices and suspended
 * people removed. Any member may and one is enough, so that they come forward one after another, the person's own devices first; who
 * comes late finds nothing left to do. See docs/adr/0021.
 */
export class Membership {
  readonly #core: Core;
  readonly #commits: Commits;
  readonly #waiting = new Map<ConversationId, () => void>();
  readonly #failures = new Map<ConversationId, number>();
  #closed = false;

  constructor(core: Core, commits: Commits) {
    this.#core = core;
    this.#commits = commits;
  }

  /** The directory has changed, or this device was away: looks at every conversation. */
  audit(): void {
    this.#failures.clear();
    for (const conversation of this.#core.store.conversations()) {
      const [first] = this.#peopleToDo(conversation);
      if (first !== undefined) this.#later(conversation, first);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  /** The people of a conversation whose leaves aren't what the directory says, removals first. */
  #peopleToDo(conversation: StoredConversation): readonly UserId[] {
    const { store, people, self } = this.#core;
    const { conversationId, state, members, blocked, stale } = conversation;
    if (state !== "active" || blocked !== null || stale) return [];
    if (isExcluded(people, self.userId, self.deviceId)) return [];
    const leavers = new Set(store.leavers(conversationId));
    return peopleOf(members)
      .filter((userId) => !leavers.has(userId))
      .flatMap((userId) => {
        const plan = planDevices(conversation, people, userId);
        return plan === undefined ? [] : [{ userId, urgent: plan.remove.length > 0 }];
      })
      .toSorted((left, right) => Number(right.urgent) - Number(left.urgent))
      .map(({ userId }) => userId);
  }

  #later(conversation: StoredConversation, userId: UserId): void {
    // A commit that ends after this was closed plans nothing.
    if (this.#closed) return;
    const { conversationId } = conversation;
    this.#waiting.get(conversationId)?.();
    const rankMs = Math.min(this.#rank(conversation, userId) * stepMs, longestMs);
    const failures = this.#failures.get(conversationId) ?? 0;
    const pauseMs =
      failures === 0 ? 0 : Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs);
    const cancel = this.#core.clock.setTimeout(() => {
      this.#waiting.delete(conversationId);
      void this.#carryOut(conversationId);
    }, rankMs + pauseMs);
    this.#waiting.set(conversationId, cancel);
  }

  /** How many come before this device, the person's own first. */
  #rank({ members }: StoredConversation, userId: UserId): number {
    const { people, self } = this.#core;
    const able = members.filter((member) => !isExcluded(people, member.userId, member.deviceId));
    const own = able.filter((member) => member.userId === userId);
    const others = able.filter((member) => member.userId !== userId);
    const ordered = [own, others].flatMap((group) =>
      group.map(({ deviceId }) => deviceId).toSorted(),
    );
    return Math.max(0, ordered.indexOf(self.deviceId));
  }

  async #carryOut(conversationId: ConversationId): Promise<void> {
    const { store, online, closed } = this.#core;
    // Somebody was faster, or the next session looks again.
    if (closed || !online) return;
    const conversation = store.conversation(conversationId);
    if (conversation === undefined) return;
    for (const userId of this.#peopleToDo(conversation)) {
      // What fails for one person keeps nobody else's devices out, or in.
      await this.#commits.run(conversationId, { kind: "devices", userId }).catch(ensureAppError);
    }
    this.#lookAgain(conversationId);
  }

  #lookAgain(conversationId: ConversationId): void {
    const conversation = this.#core.store.conversation(conversationId);
    const [left] = conversation === undefined ? [] : this.#peopleToDo(conversation);
    if (conversation === undefined || left === undefined || this.#core.closed) {
      this.#failures.delete(conversationId);
      return;
    }
    this.#failures.set(conversationId, (this.#failures.get(conversationId) ?? 0) + 1);
    this.#later(conversation, left);
  }
}
