import {
  policySuite,
  suiteLimits,
  roleAllows,
  roleOf,
  type NamedDeviceView,
  type ConversationId,
  type ConversationRowView,
  type ConversationView,
  type CryptoWorker,
  type DeviceId,
  type GroupMember,
  type MemberView,
  type MessageId,
  type Policy,
  type RoomAction,
  type RowPreview,
  type UserId,
  type SuiteName,
  type VoucherView,
} from "#protocol";
import type { Voucher } from "../core/core.ts";
import { devicesWithoutRoom } from "../conversations/membership.ts";
import { conversationBound } from "../core/timers.ts";
import type { Draft, StoredConversation, StoredMessage } from "../store/rows.ts";
import { isLeavingElsewhere, stoppedFor } from "../store/stopped.ts";
import { peopleOf, type Store } from "../store/store.ts";
import { openBodies, textOf, type SealedBody } from "./bodies.ts";
import { isCovered, sealedBody } from "./message-views.ts";
import type { People } from "./people.ts";
import { decodeLine, lineView } from "./system-line.ts";

/** What conversation views are made from. */
export interface ConversationViewSources {
  readonly store: Store;
  readonly people: People;
  readonly worker: CryptoWorker;
  readonly me: UserId;
  readonly now: () => number;
  readonly policy: () => Policy;
  /** See `Core.awaited`. */
  readonly awaited: ReadonlyMap<ConversationId, readonly DeviceId[]>;
  /** See `Core.unvouched`. */
  readonly unvouched: ReadonlyMap<ConversationId, Voucher>;
}

const maxPreviewLength = 160;
const roomActions: readonly RoomAction[] = [
  "add-member",
  "remove-member",
  "rename",
  "set-timers",
  "set-roles",
  "leave",
];

/** A conversation's name: its own, or the other person's. */
function titleOf(conversation: StoredConversation, people: People): string {
  if (conversation.kind === "direct" && conversation.peer !== null) {
    return people.view(conversation.peer).displayName;
  }
  if (conversation.roomState.name !== "") return conversation.roomState.name;
  return peopleOf(conversation.members)
    .slice(0, 4)
    .map((userId) => people.view(userId).displayName)
    .join(", ");
}

function avatarSeed({ conversationId, kind, peer }: StoredConversation): string {
  return kind === "direct" && peer !== null ? peer : conversationId;
}

function memberViews(
  { members, roomState }: StoredConversation,
  { people, me, store }: ConversationViewSources,
): readonly MemberView[] {
  const trustIn = store.trusted.states((userId) => people.get(userId)?.user.accountKey);
  return peopleOf(members)
    .map((userId) => ({
      ...people.view(userId),
      role: roleOf(roomState, userId),
      me: userId === me,
      trust: trustIn(userId),
      deviceCount: members.filter((member) => member.userId === userId).length,
    }))
    .toSorted((left, right) => left.displayName.localeCompare(right.displayName));
}

/** An open conversation as the interface shows it. */
export async function conversationView(
  conversation: StoredConversation,
  sources: ConversationViewSources,
): Promise<ConversationView> {
  const { store, people, me, worker } = sources;
  const { conversationId, kind, roomState } = conversation;
  const draft = shownDraft(conversation, sources.now());
  const leavingElsewhere = isLeavingElsewhere(store, conversation, me);
  const active = conversation.state === "active" && !leavingElsewhere;
  const role = roleOf(roomState, me);
  const suite = policySuite(sources.policy());
  const nextSuite = suite === conversation.suite || !active ? null : suite;
  const drafts: readonly SealedBody[] =
    draft === null ? [] : [{ messageId: draft.draftId, leaf: draft.leaf, sealed: draft.sealed }];
  const opened = await openBodies(worker, drafts);
  return {
    conversationId,
    kind,
    title: titleOf(conversation, people),
    avatarSeed: avatarSeed(conversation),
    timers: roomState.timers,
    bound: conversationBound(roomState.timers, sources.policy()),
    members: memberViews(conversation, sources),
    allowed: active ? roomActions.filter((action) => roleAllows(kind, role, action)) : [],
    active,
    leavingElsewhere,
    stoppedFor: stoppedFor(store, conversation).map((userId) => people.view(userId)),
    unvouched: voucherView(conversation, sources),
    pinned: conversation.pinned,
    muted: conversation.muted,
    draft: draft === null ? "" : (textOf(opened, draft.draftId) ?? ""),
    encryption: {
      suite: conversation.suite,
      nextSuite,
      nextSuiteLimit: limitOf(conversation, nextSuite),
      awaited: nextSuite === null ? [] : awaitedViews(conversation, sources),
      withoutRoom: active
        ? devicesWithoutRoom(conversation, people).map((member) => deviceView(member, people))
        : [],
      epoch: conversation.epoch,
      epochAuthenticator: conversation.authenticator,
      doubtful: conversation.doubtful,
      ...missingCounts(conversation, store),
    },
    firstUnreadId: store.firstUnread(conversation, sources.now())?.messageId ?? null,
  };
}

/** See `ConversationView.encryption.nextSuiteLimit`. */
function limitOf({ members }: StoredConversation, nextSuite: SuiteName | null): number | null {
  if (nextSuite === null) return null;
  const { takenOver } = suiteLimits[nextSuite];
  return members.length > takenOver ? takenOver : null;
}

/** The devices in a conversation that it waits for; such as have left it meanwhile don't count. */
function awaitedViews(
  { conversationId, members }: StoredConversation,
  { awaited, people }: ConversationViewSources,
): readonly NamedDeviceView[] {
  const waited = awaited.get(conversationId) ?? [];
  return members
    .filter(({ deviceId }) => waited.includes(deviceId))
    .map((member) => deviceView(member, people));
}

function deviceView({ userId, deviceId }: GroupMember, people: People): NamedDeviceView {
  const { displayName } = people.view(userId);
  return { deviceId, displayName, deviceName: people.deviceName(userId, deviceId) };
}

/** By whose word a conversation could be joined anew. */
function voucherView(
  { conversationId, blocked }: StoredConversation,
  { unvouched, people, me }: ConversationViewSources,
): VoucherView | null {
  const voucher = unvouched.get(conversationId);
  if (voucher === undefined || blocked !== "members-unvouched") return null;
  const { userId, deviceId } = voucher.by;
  return {
    by: people.view(userId),
    deviceName: people.deviceName(userId, deviceId),
    people: voucher.people
      .filter((other) => other !== me && other !== userId)
      .map((other) => people.view(other))
      .toSorted((left, right) => left.displayName.localeCompare(right.displayName)),
  };
}

/** What this device could not open or never got, ever: what of it came after all, is asked for, or is lost. */
function missingCounts(
  { conversationId, unopenable, recovered, overdue }: StoredConversation,
  store: Store,
): Pick<
  ConversationView["encryption"],
  "unopenableCount" | "recoveredCount" | "askedCount" | "lostCount"
> {
  const askedCount = store.missing.shownCount(conversationId);
  const lostCount = Math.max(0, unopenable - recovered - overdue - askedCount);
  return { unopenableCount: unopenable, recoveredCount: recovered, askedCount, lostCount };
}

/** The draft, unless its end has come. */
function shownDraft({ draft }: StoredConversation, nowMs: number): Draft | null {
  return draft !== null && draft.endsAtMs > nowMs ? draft : null;
}

/** A conversation and its newest message, if that hasn't ended. */
interface Latest {
  readonly conversation: StoredConversation;
  readonly newest: StoredMessage | null;
}

function previewOf(
  { conversation, newest }: Latest,
  opened: ReadonlyMap<MessageId, Uint8Array>,
  people: People,
): RowPreview {
  if (newest === null) return { kind: conversation.lastOrder === 0 ? "empty" : "ended" };
  const senderName = conversation.kind === "direct" ? null : people.view(newest.sender).displayName;
  if (newest.kind === "recalled") return { kind: "recalled", senderName };
  if (isCovered(newest)) return { kind: "covered", senderName };
  const plain = opened.get(newest.messageId);
  if (newest.kind === "unopenable" || plain === undefined) return { kind: "ended" };
  if (newest.kind === "system") {
    return { kind: "system", line: lineView(decodeLine(plain), people) };
  }
  const text = textOf(opened, newest.messageId) ?? "";
  return { kind: "text", senderName, text: text.slice(0, maxPreviewLength) };
}

/** Rows of the conversation list, in the order of `conversations`. */
export async function rowViews(
  conversations: readonly StoredConversation[],
  endsSoon: ReadonlySet<ConversationId>,
  sources: ConversationViewSources,
): Promise<readonly ConversationRowView[]> {
  const { store, people } = sources;
  const nowMs = sources.now();
  const latest = conversations.map((conversation): Latest => ({
    conversation,
    newest: store.newest(conversation, nowMs) ?? null,
  }));
  const bodies = latest.flatMap(({ newest }) =>
    newest === null || isCovered(newest) ? [] : sealedBody(newest),
  );
  const opened = await openBodies(sources.worker, bodies);
  return latest.map(({ conversation, newest }) => ({
    conversationId: conversation.conversationId,
    kind: conversation.kind,
    title: titleOf(conversation, people),
    avatarSeed: avatarSeed(conversation),
    lastActivityMs: conversation.lastActivityMs,
    preview: previewOf({ conversation, newest }, opened, people),
    unreadCount: store.unreadCount(conversation, nowMs),
    pinned: conversation.pinned,
    muted: conversation.muted,
    endsSoon: endsSoon.has(conversation.conversationId),
    draft: shownDraft(conversation, nowMs) !== null,
    active: conversation.state === "active" && !isLeavingElsewhere(store, conversation, sources.me),
  }));
}
