import {
  AppError,
  idFromBytes,
  maxTimerSeconds,
  policySuite,
  type ConversationId,
  type ConversationKind,
  type RoomState,
  type Timers,
  type UserId,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import { sealBody } from "../core/leaves.ts";
import type { StoredConversation } from "../store/rows.ts";
import { isLive } from "../store/store.ts";
import type { ClientCommands } from "../types.ts";
import { insertBareItem } from "../conversations/enqueue.ts";
import { deleteContent, forgetConversation, groupColumns } from "../conversations/group-change.ts";
import { encodeIntent, successorOf } from "../conversations/intent.ts";
import { sendsReceipts } from "../conversations/receipts.ts";
import { textBytes } from "../views/bodies.ts";
import { conversationView } from "../views/conversation-views.ts";
import type { Engine } from "./engine.ts";

type ConversationCommands = Pick<
  ClientCommands,
  Exclude<
    Extract<keyof ClientCommands, `conversation.${string}` | `conversations.${string}`>,
    "conversation.openAt" | "conversation.loadLater"
  >
>;

/** Items of a conversation that are given at once, and at the most, when it is opened. */
const openItems = 60;
const maxOpenItems = 500;
/** Items before the first unread one. */
const contextItems = 20;
const conversationIdBytes = 16;
const farOrder = Number.MAX_SAFE_INTEGER;

/** Everything that is done to conversations as a whole. */
export function conversationCommands(engine: Engine): ConversationCommands {
  const { core, hub, commits, sync } = engine;
  const { store, time } = core;

  const ensureShown = (conversationId: ConversationId): StoredConversation => {
    const conversation = store.ensureConversation(conversationId);
    if (conversation.state === "creating") throw new AppError("not-found");
    return conversation;
  };
  const ensureActive = (conversationId: ConversationId): StoredConversation => {
    core.ensureWritable();
    const conversation = ensureShown(conversationId);
    if (conversation.state !== "active") throw new AppError("conversation-over");
    return conversation;
  };
  const set = async (
    conversationId: ConversationId,
    write: (changes: Changes) => Promise<void> | void,
    whole = true,
  ): Promise<null> => {
    core.ensureWritable();
    ensureShown(conversationId);
    const changes = new Changes();
    await write(changes);
    changes.touch(conversationId, whole);
    await core.commit(changes);
    return null;
  };

  return {
    "conversations.list": () => hub.currentRows(),

    "conversation.open": async ({ conversationId }) => {
      const conversation = ensureShown(conversationId);
      const nowMs = time.now();
      const unread = store.firstUnread(conversation, nowMs);
      const newer = unread === null ? 0 : store.countSince(conversationId, unread.order, nowMs);
      const limit = Math.min(Math.max(openItems, newer + contextItems), maxOpenItems);
      const stored = store.page(conversationId, farOrder, { limit, nowMs });
      const oldestOrder = stored[0]?.order ?? 0;
      // From here on changes are told, so that none falls between this answer and the first event.
      hub.opened(conversationId, oldestOrder);
      const messages = await hub.messages(stored);
      return {
        conversation: await conversationView(ensureShown(conversationId), hub.sources),
        page: { messages, hasEarlier: store.hasBefore(conversationId, oldestOrder, nowMs) },
      };
    },

    "conversation.close": ({ conversationId }) => {
      hub.closed(conversationId);
      return Promise.resolve(null);
    },

    "conversation.loadEarlier": async ({ conversationId, beforeOrder, limit }) => {
      ensureShown(conversationId);
      const nowMs = time.now();
      const stored = store.page(conversationId, beforeOrder, { limit, nowMs });
      const oldestOrder = stored[0]?.order ?? beforeOrder;
      hub.opened(conversationId, oldestOrder);
      const messages = await hub.messages(stored);
      return { messages, hasEarlier: store.hasBefore(conversationId, oldestOrder, nowMs) };
    },

    "conversation.create": (params) => createConversation(engine, params),

    "conversation.rename": async ({ conversationId, name }) => {
      ensureActive(conversationId);
      await commits.run(conversationId, { kind: "rename", name });
      return null;
    },
    "conversation.setTimers": async ({ conversationId, timers }) => {
      ensureActive(conversationId);
      ensureAllowed(engine, timers);
      await commits.run(conversationId, { kind: "timers", timers });
      return null;
    },
    "conversation.addMembers": async ({ conversationId, people }) => {
      ensureActive(conversationId);
      await ensureKnown(engine, people);
      await commits.run(conversationId, { kind: "add", people });
      return null;
    },
    "conversation.removeMember": async ({ conversationId, userId }) => {
      ensureActive(conversationId);
      await commits.run(conversationId, { kind: "remove", userId });
      return null;
    },
    "conversation.setRole": async ({ conversationId, userId, role }) => {
      ensureActive(conversationId);
      await commits.run(conversationId, { kind: "role", userId, role });
      return null;
    },

    "conversation.joinByWord": async ({ conversationId, userId }) => {
      core.ensureWritable();
      ensureShown(conversationId);
      await sync.joinByWord(conversationId, userId);
      return null;
    },

    "conversation.leave": async ({ conversationId }) => {
      const conversation = ensureActive(conversationId);
      const me = core.self.userId;
      const leavers = store.leavers(conversationId);
      // Who it is is chosen when the change is made: whoever looks right now may turn out to be gone.
      if (successorOf({ conversation, me, leavers }) !== null) {
        await commits.run(conversationId, { kind: "succession" });
      }
      return set(conversationId, (changes) => {
        changes.write("conversation.setState", conversationId, "leaving");
        const endsAtMs = time.now() + maxTimerSeconds * 1000;
        const itemId = core.localId();
        insertBareItem(changes, {
          itemId,
          conversationId,
          kind: "leave",
          endsAtMs,
          sequence: null,
        });
      });
    },

    "conversation.delete": async ({ conversationId }) => {
      const { kind, state } = ensureShown(conversationId);
      const over = state === "left" || state === "removed" || state === "leaving";
      if (!over && kind !== "direct") throw new AppError("not-allowed");
      await set(conversationId, (changes) => {
        if (!isLive(state)) {
          forgetConversation(core, changes, conversationId);
          return;
        }
        // While this device is in the group, its state stays: the conversation comes back when somebody writes.
        deleteContent(core, changes, conversationId);
        changes.write("conversation.setHidden", conversationId, 1);
      });
      return null;
    },

    "conversation.setPinned": ({ conversationId, pinned }) =>
      set(conversationId, (changes) => {
        changes.write("conversation.setPinned", conversationId, pinned ? 1 : 0);
      }),
    "conversation.setMuted": ({ conversationId, muted }) =>
      set(conversationId, (changes) => {
        changes.write("conversation.setMuted", conversationId, muted ? 1 : 0);
      }),
    "conversation.saveDraft": ({ conversationId, text }) =>
      // The window that wrote it knows it: only the list's row changes.
      set(conversationId, (changes) => writeDraft(engine, changes, conversationId, text), false),

    "conversation.markRead": ({ conversationId, order }) => {
      const conversation = ensureShown(conversationId);
      const upTo = Math.min(order, conversation.nextOrder - 1);
      if (upTo <= conversation.readOrder) return Promise.resolve(null);
      return set(conversationId, (changes) => {
        changes.write("conversation.setRead", conversationId, upTo);
        if (!sendsReceipts(conversation)) return;
        changes.write("message.oweRead", conversationId, upTo);
        changes.owing.add(conversationId);
      });
    },
  };
}

/** @throws AppError `policy-forbids` */
function ensureAllowed({ core }: Engine, timers: Timers): void {
  if (timers.expirationSeconds > core.policy.maxExpirationSeconds) {
    throw new AppError("policy-forbids", {
      data: { maxExpirationSeconds: core.policy.maxExpirationSeconds },
    });
  }
}

/** Looks in the directory again before somebody is called unknown. @throws AppError `not-found` */
async function ensureKnown({ core, directory }: Engine, people: readonly UserId[]): Promise<void> {
  const known = () => people.every((userId) => core.people.get(userId) !== undefined);
  if (known()) return;
  await directory.refresh();
  if (!known()) throw new AppError("not-found");
}

/** A draft is kept like a message: sealed under a leaf of its own, with an end. Whatever it says next gets another leaf. */
async function writeDraft(
  { core }: Engine,
  changes: Changes,
  conversationId: ConversationId,
  text: string,
): Promise<void> {
  const earlier = core.store.ensureConversation(conversationId).draft;
  if (earlier !== null) changes.cancelled.push(earlier.draftId);
  if (text === "") {
    changes.write("conversation.deleteDraft", conversationId);
    return;
  }
  const draftId = core.localId();
  const endsAtMs = core.time.now() + core.policy.maxExpirationSeconds * 1000;
  const place = core.leaves.take(changes, endsAtMs);
  const sealed = await sealBody(core.worker, draftId, place, textBytes(text));
  const { hour, leaf } = place;
  changes.write("conversation.setDraft", conversationId, sealed, draftId, endsAtMs, hour, leaf);
  changes.deadlines.push({ messageId: draftId, deadlineMs: endsAtMs });
}

/** What a new conversation is to be. */
interface NewConversation {
  readonly kind: ConversationKind;
  readonly people: readonly UserId[];
  readonly name: string;
  readonly timers: Timers | null;
}

async function createConversation(
  engine: Engine,
  wanted: NewConversation,
): Promise<{ readonly conversationId: ConversationId }> {
  const { core, commits } = engine;
  core.ensureWritable();
  const me = core.self.userId;
  const others = [...new Set(wanted.people)].filter((userId) => userId !== me);
  const [first] = others;
  if (first === undefined || (wanted.kind === "direct" && others.length > 1)) {
    throw new AppError("argument-invalid", { data: { path: "people" } });
  }
  const existing = wanted.kind === "direct" ? core.store.directWith(first) : undefined;
  if (existing !== undefined) return showAgain(engine, existing);
  core.ensureOnline();
  await ensureKnown(engine, others);
  const { defaultExpirationSeconds } = core.policy;
  const timers = wanted.timers ?? {
    expirationSeconds: defaultExpirationSeconds,
    burnSeconds: null,
  };
  ensureAllowed(engine, timers);
  const roomState: RoomState = {
    kind: wanted.kind,
    name: wanted.kind === "direct" ? "" : wanted.name,
    administrators: wanted.kind === "direct" ? [me, first] : [me],
    timers,
  };
  const conversationId = idFromBytes<ConversationId>(core.random(conversationIdBytes));
  await core.groupQueue.run(conversationId, () =>
    makeGroup(engine, { conversationId, roomState, people: others }),
  );
  await commits.finish(conversationId);
  return { conversationId };
}

/** Makes the group at epoch 0, on disk together with who is to come in. */
async function makeGroup(
  { core }: Engine,
  {
    conversationId,
    roomState,
    people,
  }: {
    readonly conversationId: ConversationId;
    readonly roomState: RoomState;
    readonly people: readonly UserId[];
  },
): Promise<void> {
  const { time, worker } = core;
  await core.moveGroup(conversationId, async () => {
    const suite = policySuite(core.policy);
    const made = await worker.call("group.create", { suite, conversationId, roomState });
    const peer = roomState.kind === "direct" ? (people[0] ?? null) : null;
    const intent = encodeIntent({ kind: "create", people, groupInfo: made.groupInfo });
    const changes = new Changes();
    changes.write(
      "conversation.create",
      conversationId,
      "creating",
      ...groupColumns(made.summary, peer),
      0,
      time.now(),
    );
    changes.writeGroup(made.writes);
    changes.write("intent.put", conversationId, intent, 0, null);
    await core.commit(changes);
    core.groupLoaded(conversationId);
  });
}

async function showAgain(
  { core, commits }: Engine,
  conversationId: ConversationId,
): Promise<{ readonly conversationId: ConversationId }> {
  const { state, hidden } = core.store.ensureConversation(conversationId);
  if (state === "creating") await commits.finish(conversationId);
  if (hidden) {
    const changes = new Changes();
    changes.write("conversation.setHidden", conversationId, 0);
    changes.touch(conversationId);
    await core.commit(changes);
  }
  return { conversationId };
}
