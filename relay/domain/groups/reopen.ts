import {
  AppError,
  equalBytes,
  maxRejections,
  rejectionLabel,
  rejectionPayload,
  signingInput,
  type ConversationId,
  type ParsedRelayParams,
  type RelayResult,
  type UserId,
} from "#protocol";
import { verifyEd25519 } from "../../primitives.ts";
import type { Transaction } from "../../storage/transaction.ts";
import { standingsOf } from "../accounts.ts";
import { groupScope, schedule, type DeviceCaller, type RelayContext } from "../context.ts";
import { deviceSlot, groupHeadSlot, undecidedSlot, type Undecided } from "../layout.ts";
import { openGroupAsMember } from "./access.ts";
import { reopenEpoch } from "./undo.ts";
import { isVoid, loadVoids, voterDevices } from "./undecided.ts";

/** After the first rejection others have this long to say that they have taken the commit; devices acknowledge within a second. */
const graceMs = 5_000;
/** As long as only one person rejects it: somebody who comes back may have taken it. */
const loneGraceMs = 20_000;

type Rejection = ParsedRelayParams<"group.reject">;

/** A commit at its place. */
interface Place {
  readonly conversationId: ConversationId;
  readonly sequence: number;
}

/**
 * Notes that a device can't take a commit, and reopens its epoch when nobody else is left who might.
 *
 * @throws AppError `signature-invalid`, `not-allowed`, `not-found`
 */
export function rejectCommit(
  context: RelayContext,
  params: Rejection,
  caller: DeviceCaller,
): Promise<RelayResult<"group.reject">> {
  const { conversationId, sequence, commitHash } = params;
  return context.units.run(groupScope(conversationId), async (transaction) => {
    const { head } = await openGroupAsMember(transaction, conversationId, caller.deviceId);
    await checkSignature(transaction, params, caller);
    const slot = undecidedSlot(conversationId, sequence);
    const undecided = head.undecided.includes(sequence) ? await transaction.load(slot) : undefined;
    if (undecided === undefined) {
      const known = isVoid(await loadVoids(transaction, conversationId), sequence);
      return { kind: known ? "reopened" : "stands" };
    }
    const may =
      undecided.epoch === params.epoch &&
      equalBytes(undecided.commitHash, commitHash) &&
      undecided.person !== caller.userId &&
      voterDevices(undecided).includes(caller.deviceId);
    if (!may) return { kind: "stands" };
    const noted = withRejection(undecided, params, { ...caller, atMs: context.clock.nowMs() });
    if (noted !== undecided) {
      transaction.store(slot, noted);
      schedule(context, transaction, {
        atMs: verdictAtMs(noted),
        subject: `verdict.${conversationId}.${String(sequence)}`,
        due: { kind: "verdict", conversationId, sequence },
      });
    }
    const reopened = await decide(context, transaction, { conversationId, sequence });
    return { kind: reopened ? "reopened" : "noted" };
  });
}

/**
 * Reopens an epoch if its commit is void: nobody but its committer's own devices has taken it, and either everybody else rejects it or the time
 * for saying otherwise is over. To be run in the conversation's scope.
 *
 * @returns whether it is void
 */
export async function decide(
  context: RelayContext,
  transaction: Transaction,
  { conversationId, sequence }: Place,
): Promise<boolean> {
  const head = await transaction.load(groupHeadSlot(conversationId));
  const undecided = await transaction.load(undecidedSlot(conversationId, sequence));
  // Somebody has taken it meanwhile.
  if (head?.undecided.includes(sequence) !== true || undecided === undefined) return false;
  if (undecided.rejections.length === 0) return false;
  const over = context.clock.nowMs() >= verdictAtMs(undecided);
  if (!over && !(await allReject(transaction, undecided))) return false;
  await reopenEpoch(context, transaction, { conversationId, sequence, head });
  return true;
}

async function checkSignature(
  transaction: Transaction,
  params: Rejection,
  { deviceId }: DeviceCaller,
): Promise<void> {
  const device = await transaction.load(deviceSlot(deviceId));
  const message = signingInput(rejectionLabel, rejectionPayload(params));
  const valid =
    device !== undefined && verifyEd25519(device.signatureKey, message, params.signature);
  if (!valid) throw new AppError("signature-invalid", { data: { signature: "rejection" } });
}

function withRejection(
  undecided: Undecided,
  { signature }: Rejection,
  { deviceId, userId, atMs }: DeviceCaller & { readonly atMs: number },
): Undecided {
  const { rejections } = undecided;
  const said = rejections.some((rejection) => rejection.deviceId === deviceId);
  if (said || rejections.length >= maxRejections) return undecided;
  return { ...undecided, rejections: [...rejections, { deviceId, userId, signature, atMs }] };
}

function verdictAtMs({ rejections }: Undecided): number {
  const firstAtMs = Math.min(...rejections.map(({ atMs }) => atMs));
  const people = new Set<UserId>(rejections.map(({ userId }) => userId));
  return firstAtMs + (people.size > 1 ? graceMs : loneGraceMs);
}

async function allReject(transaction: Transaction, undecided: Undecided): Promise<boolean> {
  const devices = voterDevices(undecided);
  const rejecting = new Set(undecided.rejections.map(({ deviceId }) => deviceId));
  // Of so many, all can't have their rejections noted.
  if (devices.length > 2 * maxRejections) return false;
  const standings = await standingsOf(transaction, devices);
  return devices.every((deviceId, index) => {
    const standing = standings[index];
    // Who is excluded will say nothing any more.
    if (standing?.refusal !== null) return true;
    return standing.userId === undecided.person || rejecting.has(deviceId);
  });
}
