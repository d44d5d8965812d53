import {
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  emptyPskIndex,
  joinGroup,
  type CiphersuiteImpl,
  type ClientState,
  type PreSharedKeyID,
  type PskIndex,
  type Welcome,
} from "ts-mls";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { accumulatePskSecret } from "ts-mls/pskIndex.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import {
  AppError,
  roleAllows,
  roleOf,
  settledRoomState,
  type ConversationId,
  type DeviceId,
  type ErrorCode,
  type GroupMember,
  type RoomState,
} from "#protocol";
import { wipe } from "../primitives/index.ts";
import type { TrustGate } from "./client-config.ts";
import { encodeGroupInfo } from "./codec.ts";
import { mapMlsError, mappingErrors } from "./errors.ts";
import { firstGroupId, placeOfGroup } from "./group-id.ts";
import { createKeyPackage, type OwnDevice, type OwnKeyPackage } from "./key-packages.ts";
import { wipeState, withoutPast, type GroupMemory } from "./memory.ts";
import { leavesOf, peopleAmong, roomExtensions, roomStateOf } from "./room.ts";
import { memberOf } from "./rules.ts";

/** What beginning a group takes, however it begins. */
export interface GroupContextOfWorker {
  readonly impl: CiphersuiteImpl;
  readonly gate: TrustGate;
  readonly device: OwnDevice;
  readonly nowMs: number;
}

/**
 * A new group of this device alone. Source: RFC 9420 §11.
 *
 * @throws AppError `argument-invalid` when this person isn't the administrator, or one of the two of a direct conversation
 */
export async function beginGroup(
  { impl, gate, device, nowMs }: GroupContextOfWorker,
  conversationId: ConversationId,
  roomState: RoomState,
): Promise<GroupMemory> {
  const [administrator, ...others] = roomState.administrators;
  const named =
    roomState.kind === "direct"
      ? roomState.administrators.includes(device.userId)
      : administrator === device.userId && others.length === 0;
  if (!named) {
    throw new AppError("argument-invalid", { data: { reason: "the creator begins alone" } });
  }
  return mappingErrors("internal", async () => {
    const own = await createKeyPackage(impl, device, { nowMs, lastResort: false });
    const state = await createGroup(
      firstGroupId(conversationId),
      own.keyPackage,
      privatePackage(own, device),
      roomExtensions(roomState),
      impl,
      gate.clientConfig,
    );
    wipe(own.initPrivateKey, own.hpkePrivateKey);
    return { impl, gate, state, pending: null };
  });
}

/** How joining went. */
export type JoinOutcome =
  | { readonly kind: "joined"; readonly memory: GroupMemory; readonly inviter: GroupMember }
  | { readonly kind: "device-unknown"; readonly devices: readonly DeviceId[] }
  | { readonly kind: "refused"; readonly code: ErrorCode };

/**
 * Joins a group through a Welcome, if it is the conversation it says it is, everybody in it is who they say they are, and
 * whoever invited us may invite. Source: RFC 9420 §12.4.3.1.
 */
export async function joinByWelcome(
  { impl, gate, device }: GroupContextOfWorker,
  welcome: Welcome,
  own: OwnKeyPackage,
  conversationId: ConversationId,
): Promise<JoinOutcome> {
  gate.takeUnknown();
  let state: ClientState | null = null;
  let inviter: GroupMember;
  try {
    state = await joinGroup(
      welcome,
      own.keyPackage,
      privatePackage(own, device),
      emptyPskIndex,
      impl,
      undefined,
      undefined,
      gate.clientConfig,
    );
    const { signer } = await readWelcome(impl, welcome, own, emptyPskIndex);
    inviter = judgeJoined(state, { conversationId, device, inviterLeaf: signer });
  } catch (error) {
    gate.takeUnknown();
    if (state !== null) wipeState(state, null);
    return { kind: "refused", code: mapMlsError(error, "commit-refused").code };
  }
  const devices = gate.takeUnknown();
  if (devices.length > 0) {
    wipeState(state, null);
    return { kind: "device-unknown", devices };
  }
  const memory = { impl, gate, state: withoutPast(state), pending: null };
  return { kind: "joined", memory, inviter };
}

/** What the relay keeps for devices that must come back by external commit. Source: RFC 9420 §12.4.3.2. */
export async function groupInfoOf(impl: CiphersuiteImpl, state: ClientState): Promise<Uint8Array> {
  return encodeGroupInfo(await createGroupInfoWithExternalPubAndRatchetTree(state, [], impl));
}

/** A key package's private part, as the library takes it. Secret: all of it. */
export function privatePackage(own: OwnKeyPackage, device: OwnDevice) {
  return {
    initPrivateKey: own.initPrivateKey,
    // The group's own copy: it lives as long as the leaf, the key package's private part no longer than joining.
    hpkePrivateKey: own.hpkePrivateKey.slice(),
    signaturePrivateKey: device.signaturePrivateKey,
  };
}

/**
 * What of a Welcome the library keeps to itself: the pre-shared keys that it rests on, and the leaf that signed its GroupInfo. Source: RFC
 * 9420 §12.4.3.1.
 *
 * @throws what the library throws, for a Welcome that isn't for this key package or rests on keys that aren't known
 */
export async function readWelcome(
  impl: CiphersuiteImpl,
  welcome: Welcome,
  own: OwnKeyPackage,
  known: PskIndex,
): Promise<{ readonly psks: readonly PreSharedKeyID[]; readonly signer: number | undefined }> {
  const initKey = await impl.hpke.importPrivateKey(own.initPrivateKey);
  const ref = await makeKeyPackageRef(own.keyPackage, impl.hash);
  const secrets = await decryptGroupSecrets(initKey, ref, welcome, impl.hpke);
  if (secrets === undefined) return { psks: [], signer: undefined };
  const { joinerSecret, pathSecret, psks } = secrets;
  const none = new Uint8Array(impl.kdf.size);
  const [pskSecret] = await accumulatePskSecret(psks, known, impl, none);
  const groupInfo = await decryptGroupInfo(welcome, joinerSecret, pskSecret, impl);
  wipe(joinerSecret, pathSecret, pskSecret);
  return { psks, signer: groupInfo?.signer };
}

/** @returns who signed the Welcome */
function judgeJoined(
  state: ClientState,
  joining: {
    readonly conversationId: ConversationId;
    readonly device: OwnDevice;
    readonly inviterLeaf: number | undefined;
  },
): GroupMember {
  const { conversationId, device, inviterLeaf } = joining;
  if (placeOfGroup(state.groupContext.groupId).conversationId !== conversationId) {
    throw new AppError("commit-refused", { data: { reason: "another conversation's Welcome" } });
  }
  const roomState = roomStateOf(state.groupContext.extensions);
  const leaves = leavesOf(state.ratchetTree);
  const inviter = inviterLeaf === undefined ? undefined : leaves.get(inviterLeaf);
  if (inviter === undefined) {
    throw new AppError("commit-refused", { data: { reason: "invited by nobody" } });
  }
  if (roomState.kind === "direct") {
    const people = new Set([...leaves.values()].map(({ userId }) => userId));
    if (people.size > 2 || !roomState.administrators.includes(device.userId)) {
      throw new AppError("commit-refused", { data: { reason: "a direct conversation is of two" } });
    }
    return memberOf(inviter);
  }
  if (settledRoomState(roomState, peopleAmong(leaves)) !== roomState) {
    throw new AppError("commit-refused", {
      data: { reason: "an administrator who isn't a member" },
    });
  }
  const alreadyMember = [...leaves.values()].some(
    ({ userId, deviceId }) => userId === device.userId && deviceId !== device.deviceId,
  );
  if (alreadyMember) return memberOf(inviter);
  if (!roleAllows(roomState.kind, roleOf(roomState, inviter.userId), "add-member")) {
    throw new AppError("not-allowed", { data: { action: "add-member" } });
  }
  return memberOf(inviter);
}
