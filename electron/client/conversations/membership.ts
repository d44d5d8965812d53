import {
  ensureAppError,
  policySuite,
  roomFor,
  suiteLimits,
  type ConversationId,
  type DeviceId,
  type GroupMember,
  type UserId,
} from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { StoredConversation } from "../store/rows.ts";
import { peopleOf } from "../store/store.ts";
import type { People } from "../views/people.ts";
import type { Commits } from "./commits.ts";
import type { Intent } from "./intent.ts";

/** How long each further member waits for the ones before it, milliseconds. */
const stepMs = 2000;
const longestMs = 60_000;
/** Pauses before what couldn't be done, perhaps because a device has no key packages yet, is tried again, milliseconds. */
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

type Crowd = Pick<StoredConversation, "members" | "suite">;

/**
 * What is to be done about the devices of one person who is in a conversation. No more come in than fit into one commit: key packages would be
 * used up for nothing.
 *
 * @returns undefined when there is nothing to do
 */
export function planDevices(
  conversation: Crowd,
  people: People,
  userId: UserId,
): DevicesPlan | undefined {
  const present = conversation.members.filter((member) => member.userId === userId);
  const person = people.get(userId);
  if (person === undefined || present.length === 0) return undefined;
  const here = new Set(present.map(({ deviceId }) => deviceId));
  const remove = [...here].filter((deviceId) => isExcluded(people, userId, deviceId));
  const add = people
    .addableDevices(userId)
    .filter((deviceId) => !here.has(deviceId))
    .slice(0, roomIn(conversation));
  return add.length + remove.length === 0 ? undefined : { add, remove };
}

function roomIn({ members, suite }: Crowd): number {
  return roomFor(suite, members.length);
}

/** Devices of people who are in a conversation for which it has no room, until others have left it. */
export function devicesWithoutRoom(conversation: Crowd, people: People): readonly GroupMember[] {
  const { members } = conversation;
  const here = new Set(members.map(({ deviceId }) => deviceId));
  const room = roomIn(conversation);
  return peopleOf(members).flatMap((userId) => {
    const missing = people.addableDevices(userId).filter((deviceId) => !here.has(deviceId));
    return missing.slice(room).map((deviceId) => ({ userId, deviceId }));
  });
}

type Task = Extract<Intent, { readonly kind: "devices" | "suite" }>;

/**
 * Carries out in conversations what the directory and the policy say: missing devices of their people are added, leaves of revoked devices
 * and suspended people removed, and who has another suite than the policy's goes over to that. Any member may and one is enough, so that they
 * come forward one after another, the person's own devices first; who comes late finds nothing left to do. See docs/adr/0021, 0027.
 */
export class Membership {
  readonly #core: Core;
  readonly #commits: Commits;
  readonly #waiting = new Map<ConversationId, () => void>();
  readonly #failures = new Map<ConversationId, number>();
  /** Conversations that had no room for devices, and for how many they had. */
  readonly #full = new Map<ConversationId, number>();
  readonly #unlisten: () => void;
  #closed = false;

  constructor(core: Core, commits: Commits) {
    this.#core = core;
    this.#commits = commits;
    this.#unlisten = core.onCommitted((changes) => {
      this.#follow(changes);
    });
  }

  /**
   * Directory or policy have changed, or this device was away: looks at every conversation without any pause.
   *
   * @param only - a conversation that goes on; the others have to wait as before
   */
  audit(only?: ConversationId): void {
    const { store } = this.#core;
    if (only === undefined) {
      this.#failures.clear();
      for (const conversation of store.conversations()) this.#look(conversation);
      return;
    }
    this.#failures.delete(only);
    const conversation = store.conversation(only);
    if (conversation !== undefined) this.#look(conversation);
  }

  #look(conversation: StoredConversation): void {
    const [first] = this.#tasks(conversation);
    if (first !== undefined) this.#later(conversation, first);
  }

  /** Where some have left there may be room for those who had none. */
  #follow({ conversations }: Changes): void {
    for (const [conversationId, room] of [...this.#full]) {
      if (conversations.get(conversationId)?.whole !== true) continue;
      const conversation = this.#core.store.conversation(conversationId);
      if (conversation === undefined) this.#full.delete(conversationId);
      else if (roomIn(conversation) > room) this.#look(conversation);
    }
  }

  close(): void {
    this.#closed = true;
    this.#unlisten();
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  /**
   * What is to be done in a conversation: removals first, since they are urgent, and additions last, since devices have key packages of the policy's
   * suite alone.
   */
  #tasks(conversation: StoredConversation): readonly Task[] {
    const { store, people, self, policy } = this.#core;
    const { conversationId, state, members, blocked, stale, suite } = conversation;
    this.#full.delete(conversationId);
    if (state !== "active" || blocked !== null || stale) return [];
    if (isExcluded(people, self.userId, self.deviceId)) return [];
    if (devicesWithoutRoom(conversation, people).length > 0) {
      this.#full.set(conversationId, roomIn(conversation));
    }
    const leavers = new Set(store.leavers(conversationId));
    const urgent: Task[] = [];
    const later: Task[] = [];
    for (const userId of peopleOf(members)) {
      const plan = leavers.has(userId) ? undefined : planDevices(conversation, people, userId);
      if (plan === undefined) continue;
      (plan.remove.length > 0 ? urgent : later).push({ kind: "devices", userId });
    }
    const named = policySuite(policy);
    const isOver = suite === named || members.length > suiteLimits[named].takenOver;
    const over: Task[] = isOver ? [] : [{ kind: "suite", suite: named }];
    return [...urgent, ...over, ...later];
  }

  #later(conversation: StoredConversation, task: Task): void {
    // A commit that ends after this was closed plans nothing.
    if (this.#closed) return;
    const { conversationId } = conversation;
    this.#waiting.get(conversationId)?.();
    const rankMs = Math.min(this.#rank(conversation, task) * stepMs, longestMs);
    const failures = this.#failures.get(conversationId) ?? 0;
    const pauseMs =
      failures === 0 ? 0 : Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs);
    const cancel = this.#core.clock.setTimeout(() => {
      this.#waiting.delete(conversationId);
      void this.#carryOut(conversationId);
    }, rankMs + pauseMs);
    this.#waiting.set(conversationId, cancel);
  }

  /** How many come before this device: of whom it is about, then all others. */
  #rank({ members }: StoredConversation, task: Task): number {
    const { people, self } = this.#core;
    const userId = task.kind === "devices" ? task.userId : null;
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
    for (const task of this.#tasks(conversation)) {
      // What fails for one person keeps nobody else's devices out, or in.
      await this.#commits.run(conversationId, task).catch(ensureAppError);
    }
    this.#lookAgain(conversationId);
  }

  #lookAgain(conversationId: ConversationId): void {
    const conversation = this.#core.store.conversation(conversationId);
    const [left] = conversation === undefined ? [] : this.#tasks(conversation);
    if (conversation === undefined || left === undefined || this.#core.closed) {
      this.#failures.delete(conversationId);
      return;
    }
    this.#failures.set(conversationId, (this.#failures.get(conversationId) ?? 0) + 1);
    this.#later(conversation, left);
  }
}
