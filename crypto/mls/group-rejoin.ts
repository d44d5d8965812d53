import { joinGroupExternal, type ClientState, type GroupInfo, type PublicMessage } from "ts-mls";
import { ratchetTreeFromExtension } from "ts-mls/groupInfo.js";
import {
  AppError,
  type ConversationId,
  type DeviceId,
  type ErrorCode,
  type GroupChange,
  type GroupMember,
  type UserId,
} from "#protocol";
import { wipe } from "../primitives/index.ts";
import { encodePublicMessage } from "./codec.ts";
import { mapMlsError } from "./errors.ts";
import { groupInfoOf, type GroupContextOfWorker } from "./group-begin.ts";
import { conversationEpoch, placeOfGroup } from "./group-id.ts";
import { createKeyPackage } from "./key-packages.ts";
import { wipeState, withoutPast, type GroupMemory } from "./memory.ts";
import { leafOf, leavesOf, peopleAmong } from "./room.ts";
import { judgeRejoin, judgeRejoinedLeaves, memberOf } from "./rules.ts";

/** An external commit, and the group that waits for the relay to order it. */
export interface PreparedRejoin {
  readonly memory: GroupMemory;
  /** The epoch that the commit was made for. */
  readonly epoch: number;
  readonly bytes: Uint8Array;
  /** For the epoch that the commit leads to. */
  readonly groupInfo: Uint8Array;
  /** Who vouches for the GroupInfo, by their leaf's signature: members and all. */
  readonly signer: GroupMember;
  /** Who is in the group that this joins, this device's person among them. */
  readonly people: readonly UserId[];
}

/**
 * Joins a group anew in the place of this device's leaf, without anything of its state. Source: RFC 9420 §12.4.3.2.
 *
 * @param groupInfo - the newest one, as the relay gave it: signed by a member whom the directory knows
 * @throws AppError `device-unknown`, `commit-refused`; `members-unvouched` when an excluded device signed it
 */
export async function prepareRejoin(
  context: GroupContextOfWorker,
  conversationId: ConversationId,
  groupInfo: GroupInfo,
): Promise<PreparedRejoin> {
  const { impl, gate, device, nowMs } = context;
  const { groupContext } = groupInfo;
  gate.takeUnknown();
  let state: ClientState | null = null;
  try {
    if (placeOfGroup(groupContext.groupId).conversationId !== conversationId) {
      throw new AppError("commit-refused", {
        data: { reason: "another conversation's GroupInfo" },
      });
    }
    const own = await createKeyPackage(impl, device, { nowMs, lastResort: false });
    const { initPrivateKey, hpkePrivateKey } = own;
    // The path gives the leaf another key: what the key package had is never used.
    wipe(initPrivateKey, hpkePrivateKey);
    const { newState, publicMessage } = await joinGroupExternal(
      groupInfo,
      own.keyPackage,
      { initPrivateKey, hpkePrivateKey, signaturePrivateKey: device.signaturePrivateKey },
      true,
      impl,
      undefined,
      gate.clientConfig,
    );
    state = newState;
    requireKnown(gate.takeUnknown());
    const signer = signerOf(groupInfo);
    // Who was cut off can go on with a copy of the group alone, and sign for what it comes to.
    if (!gate.standing.mayBeAdded(signer, "now")) throw new AppError("members-unvouched");
    const change = judgeOwn(groupInfo, newState, publicMessage);
    const next = withoutPast(newState);
    return {
      memory: { impl, gate, state: next, pending: { kind: "rejoin", change } },
      epoch: conversationEpoch(groupContext),
      bytes: encodePublicMessage(publicMessage),
      groupInfo: await groupInfoOf(impl, next),
      signer,
      people: peopleAmong(leavesOf(next.ratchetTree)),
    };
  } catch (error) {
    if (state !== null) wipeState(state, null);
    const [unknown] = gate.takeUnknown();
    if (unknown !== undefined) requireKnown([unknown]);
    const mapped = mapMlsError(error, "commit-refused");
    if (passedOn.has(mapped.code)) throw mapped;
    throw new AppError("commit-refused", { cause: mapped });
  }
}

const passedOn: ReadonlySet<ErrorCode> = new Set([
  "device-unknown",
  "commit-refused",
  "members-unvouched",
]);

/** The member whose signature key the library has verified the GroupInfo by. Source: RFC 9420 §12.4.3. */
function signerOf(groupInfo: GroupInfo): GroupMember {
  const leaf = leafOf(ratchetTreeFromExtension(groupInfo) ?? [], groupInfo.signer);
  if (leaf === undefined) {
    throw new AppError("commit-refused", { data: { reason: "a GroupInfo of no member" } });
  }
  return memberOf(leaf);
}

function requireKnown([unknown]: readonly DeviceId[]): void {
  if (unknown !== undefined) throw new AppError("device-unknown", { data: { deviceId: unknown } });
}

/** As every receiver will judge it. */
function judgeOwn(
  groupInfo: GroupInfo,
  { ratchetTree }: ClientState,
  { content }: PublicMessage,
): GroupChange {
  const { extensions } = groupInfo.groupContext;
  const leaves = leavesOf(ratchetTreeFromExtension(groupInfo) ?? []);
  if (content.contentType !== "commit") throw new AppError("internal");
  const proposals = content.commit.proposals.flatMap((entry) =>
    entry.proposalOrRefType === "proposal"
      ? [{ proposal: entry.proposal, senderLeafIndex: undefined }]
      : [],
  );
  const former = judgeRejoin({ extensions, leaves, proposals });
  return judgeRejoinedLeaves({ extensions, leaves }, leavesOf(ratchetTree), former);
}
