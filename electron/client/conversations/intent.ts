import {
  AppError,
  decodeCbor,
  encodeCbor,
  roleAllows,
  roleOf,
  roomFor,
  suiteLimits,
  type DeviceId,
  type Role,
  type RoomAction,
  type RoomState,
  type SuiteName,
  type Timers,
  type UserId,
} from "#protocol";
import type { StoredConversation } from "../store/rows.ts";
import type { DevicesPlan } from "./membership.ts";
import { peopleOf } from "../store/store.ts";

/** What somebody here wants to change in a conversation. It survives restarts and lost races, and is made anew from what then holds. */
export type Intent =
  /** The first people of a new conversation. */
  | {
      readonly kind: "create";
      readonly people: readonly UserId[];
      /** Of epoch 0, for the relay to start the log with. */
      readonly groupInfo: Uint8Array;
    }
  | { readonly kind: "add"; readonly people: readonly UserId[] }
  | { readonly kind: "remove"; readonly userId: UserId }
  | { readonly kind: "rename"; readonly name: string }
  | { readonly kind: "timers"; readonly timers: Timers }
  | { readonly kind: "role"; readonly userId: UserId; readonly role: Role }
  /** Gives the role to somebody else before its last administrator leaves. */
  | { readonly kind: "succession" }
  /** Carries out others' wishes to leave. */
  | { readonly kind: "leavers" }
  /** Takes this person's other devices out: they leave, and nobody else is there to do it. */
  | { readonly kind: "own-devices" }
  /** Brings a person's leaves in line with the directory: see `membership.ts`. */
  | { readonly kind: "devices"; readonly userId: UserId }
  /** Goes over to a suite, for as long as the network's policy names it: docs/adr/0027. */
  | { readonly kind: "suite"; readonly suite: SuiteName }
  /** A new leaf of this device, and nothing else (post-compromise security). */
  | {
      readonly kind: "refresh";
      /** When it was new last, milliseconds. */
      readonly sinceMs: number;
    };

/** A commit that was made and offered to the relay, to be offered again as it is until its outcome is known. */
export interface Offer {
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly groupInfo: Uint8Array;
  readonly add: readonly DeviceId[];
  readonly remove: readonly DeviceId[];
}

const maxStoredBytes = 32 * 1024 * 1024;

export function encodeIntent(intent: Intent): Uint8Array {
  return encodeCbor(intent);
}

/** @param stored - what {@link encodeIntent} gave, come back from the vault */
export function decodeIntent(stored: Uint8Array): Intent {
  return decodeCbor(stored, maxStoredBytes) as Intent;
}

export function encodeOffer(offer: Offer): Uint8Array {
  return encodeCbor(offer);
}

/** @param stored - what {@link encodeOffer} gave, come back from the vault */
export function decodeOffer(stored: Uint8Array): Offer {
  return decodeCbor(stored, maxStoredBytes) as Offer;
}

/** What a commit has to do for an intent. */
export interface CommitPlan {
  /** Devices that are to be added, if they have key packages. */
  readonly addDevices: readonly DeviceId[];
  /** People of whom at least one device must get in. */
  readonly required: readonly UserId[];
  readonly removeDevices: readonly DeviceId[];
  readonly roomState: RoomState | null;
  /** Whether there is nothing to commit when none of the devices has a key package. */
  readonly idleWithoutPackages?: boolean;
  /** The suite that the conversation goes over to, with all of `addDevices` or not at all; left out: it keeps its own. */
  readonly reinitTo?: SuiteName;
}

const actionOf: Readonly<Record<Intent["kind"], RoomAction | null>> = {
  create: null,
  add: "add-member",
  remove: "remove-member",
  rename: "rename",
  timers: "set-timers",
  role: "set-roles",
  succession: null,
  leavers: null,
  "own-devices": null,
  devices: null,
  suite: null,
  refresh: null,
};

/** What is known of the conversation and its people when a plan is made. */
export interface PlanContext {
  readonly conversation: StoredConversation;
  readonly me: UserId;
  readonly thisDevice: DeviceId;
  readonly devicesOf: (userId: UserId) => readonly DeviceId[];
  readonly leavers: readonly UserId[];
  /** When this device's leaf was new last, milliseconds. */
  readonly refreshedAtMs: number;
  readonly planDevices: (userId: UserId) => DevicesPlan | undefined;
}

/**
 * What is to be committed for an intent as things stand.
 *
 * @returns undefined when there is nothing left to do
 * @throws AppError `not-allowed` when this person's role doesn't allow it; `conversation-too-large`, `person-leaving`
 */
export function planCommit(intent: Intent, context: PlanContext): CommitPlan | undefined {
  const { conversation, me } = context;
  const { roomState } = conversation;
  const action = actionOf[intent.kind];
  if (action !== null && !roleAllows(roomState.kind, roleOf(roomState, me), action)) {
    throw new AppError("not-allowed", { data: { action } });
  }
  switch (intent.kind) {
    case "create":
    case "add":
      return planAdd(intent.people, context);
    case "remove":
      return planRemove(intent.userId, context);
    case "rename":
      return intent.name === roomState.name
        ? undefined
        : change({ ...roomState, name: intent.name });
    case "timers":
      return sameTimers(intent.timers, roomState.timers)
        ? undefined
        : change({ ...roomState, timers: intent.timers });
    case "role":
      return planRole(intent, context);
    case "succession":
      return planSuccession(context);
    case "leavers":
      return context.leavers.length === 0 ? undefined : change(null);
    case "own-devices":
      return planOwnDevices(context);
    case "devices":
      return planPersonsDevices(intent.userId, context);
    case "suite":
      return planSuite(intent.suite, context);
    case "refresh":
      // Another commit of ours had a path too, or this one was carried out: either way the leaf is new.
      return intent.sinceMs === context.refreshedAtMs ? change(null) : undefined;
  }
}

function change(roomState: RoomState | null): CommitPlan {
  return { addDevices: [], required: [], removeDevices: [], roomState };
}

function planPersonsDevices(userId: UserId, { planDevices }: PlanContext): CommitPlan | undefined {
  const plan = planDevices(userId);
  if (plan === undefined) return undefined;
  return {
    addDevices: plan.add,
    required: [],
    removeDevices: plan.remove,
    roomState: null,
    idleWithoutPackages: plan.remove.length === 0,
  };
}

/** Nobody who is on the way out is taken along: their removal comes first. */
function planSuite(suite: SuiteName, context: PlanContext): CommitPlan | undefined {
  const { conversation, leavers, thisDevice } = context;
  if (conversation.suite === suite || leavers.length > 0) return undefined;
  if (conversation.members.length > suiteLimits[suite].takenOver) return undefined;
  const addDevices = conversation.members
    .map(({ deviceId }) => deviceId)
    .filter((deviceId) => deviceId !== thisDevice);
  return {
    ...{ addDevices, required: [], removeDevices: [], roomState: null },
    reinitTo: suite,
  };
}

function sameTimers(left: Timers, right: Timers): boolean {
  return (
    left.expirationSeconds === right.expirationSeconds && left.burnSeconds === right.burnSeconds
  );
}

function planAdd(
  people: readonly UserId[],
  { conversation, me, devicesOf }: PlanContext,
): CommitPlan | undefined {
  const present = new Set(conversation.members.map(({ deviceId }) => deviceId));
  const missing = (userId: UserId) => devicesOf(userId).filter((id) => !present.has(id));
  const newPeople = people.filter((id) => !peopleOf(conversation.members).includes(id));
  const theirs = [...new Set(people)].flatMap(missing);
  const most = roomFor(conversation.suite, conversation.members.length);
  // Before key packages are claimed, which would be used up for nothing.
  if (theirs.length > most) throw new AppError("conversation-too-large", { data: { most } });
  // This person's other devices come along, as far as there is room.
  const addDevices = [...new Set([...theirs, ...missing(me)])].slice(0, most);
  if (addDevices.length === 0 && newPeople.length === 0) return undefined;
  return { addDevices, required: newPeople, removeDevices: [], roomState: null };
}

function planRemove(userId: UserId, { conversation, me }: PlanContext): CommitPlan | undefined {
  if (userId === me) throw new AppError("not-allowed", { data: { action: "remove-self" } });
  const { members, roomState } = conversation;
  const removeDevices = members
    .filter((member) => member.userId === userId)
    .map(({ deviceId }) => deviceId);
  if (removeDevices.length === 0) return undefined;
  const administrators = roomState.administrators.filter((id) => id !== userId);
  const demoted = administrators.length < roomState.administrators.length;
  return {
    addDevices: [],
    required: [],
    removeDevices,
    roomState: demoted ? { ...roomState, administrators } : null,
  };
}

function planOwnDevices({ conversation, thisDevice }: PlanContext): CommitPlan | undefined {
  const { members } = conversation;
  const removeDevices = members
    .map(({ deviceId }) => deviceId)
    .filter((deviceId) => deviceId !== thisDevice);
  // Whoever has come meanwhile does it.
  if (peopleOf(members).length > 1 || removeDevices.length === 0) return undefined;
  return { addDevices: [], required: [], removeDevices, roomState: null };
}

function planRole(
  { userId, role }: Extract<Intent, { readonly kind: "role" }>,
  { conversation, leavers }: PlanContext,
): CommitPlan | undefined {
  const { roomState, members } = conversation;
  if (!peopleOf(members).includes(userId)) throw new AppError("not-found");
  // The commit takes them out, and no role outlives that.
  if (leavers.includes(userId)) throw new AppError("person-leaving");
  const others = roomState.administrators.filter((id) => id !== userId);
  const administrators = role === "administrator" ? [...others, userId] : others;
  if (administrators.length === roomState.administrators.length) return undefined;
  // Somebody must be left who can give the role to others.
  const staying = peopleOf(members).filter((id) => !leavers.includes(id));
  if (!administrators.some((id) => staying.includes(id))) {
    throw new AppError("not-allowed", { data: { action: "last-administrator" } });
  }
  return change({ ...roomState, administrators });
}

/**
 * Who becomes administrator when the last one leaves: the first who isn't known to leave as well.
 *
 * @returns null when nobody has to, or nobody stays
 */
export function successorOf({
  conversation,
  me,
  leavers,
}: Pick<PlanContext, "conversation" | "me" | "leavers">): UserId | null {
  const { members, roomState } = conversation;
  if (roomState.kind === "direct" || roleOf(roomState, me) !== "administrator") return null;
  const others = peopleOf(members).filter((id) => id !== me);
  if (others.some((id) => roleOf(roomState, id) === "administrator")) return null;
  return others.find((id) => !leavers.includes(id)) ?? null;
}

function planSuccession(context: PlanContext): CommitPlan | undefined {
  const successor = successorOf(context);
  if (successor === null) return undefined;
  const { roomState } = context.conversation;
  return change({ ...roomState, administrators: [...roomState.administrators, successor] });
}
