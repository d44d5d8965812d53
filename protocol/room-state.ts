import * as v from "valibot";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { userIdSchema, type UserId } from "./ids.ts";
import { nameSchema, parse } from "./schema.ts";
import { timersSchema, type Timers } from "./timers.ts";

/** `direct`: two people. `group`: equals with administrators. `room`: moderators decide who comes and what holds. */
export type ConversationKind = "direct" | "group" | "room";
export type Role = "administrator" | "member";

/**
 * What all members of a conversation agree on. It lives in a GroupContext extension (private type 0xF0A0), so it changes only by
 * commit and the relay never sees it.
 */
export interface RoomState {
  readonly kind: ConversationKind;
  /** Empty for a direct conversation, which shows the other person's name. */
  readonly name: string;
  /** Administrators (moderators of a room); everybody else is a member. At least one. */
  readonly administrators: readonly UserId[];
  readonly timers: Timers;
}

/** The GroupContext extension type. Source: RFC 9420 §17.3, private use range. */
export const roomStateExtensionType = 0xf0a0;

const maxAdministrators = 100;
const maxRoomStateBytes = 8192;

export const roomStateSchema: v.GenericSchema<unknown, RoomState> = v.strictObject({
  kind: v.picklist(["direct", "group", "room"]),
  name: v.union([v.literal(""), nameSchema]),
  administrators: v.pipe(
    v.array(userIdSchema),
    v.minLength(1),
    v.maxLength(maxAdministrators),
    v.check((ids) => new Set(ids).size === ids.length, "an administrator is named twice"),
  ),
  timers: timersSchema,
});

/** The extension's data: deterministic CBOR. */
export function encodeRoomState(state: RoomState): Uint8Array {
  return encodeCbor(parse(roomStateSchema, state, "argument-invalid"));
}

/** @throws AppError `frame-malformed`, `frame-too-large` */
export function decodeRoomState(bytes: Uint8Array): RoomState {
  return parse(roomStateSchema, decodeCbor(bytes, maxRoomStateBytes));
}

/** What somebody wants to do to a conversation. */
export type RoomAction =
  "add-member" | "remove-member" | "rename" | "set-timers" | "set-roles" | "leave";

/**
 * Whether a role allows an action. The one place where it is decided: asked before a commit is made, and by every receiver
 * before one is applied.
 */
export function roleAllows(kind: ConversationKind, role: Role, action: RoomAction): boolean {
  switch (action) {
    case "leave":
      return true;
    case "set-timers":
      return kind === "direct" || role === "administrator";
    case "add-member":
    case "rename":
      return kind !== "direct" && (kind === "group" || role === "administrator");
    case "remove-member":
    case "set-roles":
      return kind !== "direct" && role === "administrator";
  }
}

/**
 * A conversation's state once `people` are its members: in groups and rooms its administrators are those named who are present. If none
 * is, the first of `people` succeeds them, so that somebody can always act. The one place where it is decided: whoever makes a commit
 * puts it in, and every receiver computes it again.
 *
 * @param people - in the order of their leaves, which is the same for everybody
 * @returns `state` itself when nothing changes; a direct conversation has no roles, and keeps naming its two people
 */
export function settledRoomState(state: RoomState, people: readonly UserId[]): RoomState {
  if (state.kind === "direct") return state;
  const present = state.administrators.filter((id) => people.includes(id));
  if (present.length === state.administrators.length) return state;
  return { ...state, administrators: present.length > 0 ? present : people.slice(0, 1) };
}

/** The role of a person in a conversation of which they are a member. */
export function roleOf(state: RoomState, userId: UserId): Role {
  return state.administrators.includes(userId) ? "administrator" : "member";
}
