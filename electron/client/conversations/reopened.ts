import { equalBytes, type ConversationId, type GroupEntry, type GroupMember } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import type { FreshCommit } from "../store/mendings.ts";
import { encodeMembers, nobody, type StoredConversation } from "../store/rows.ts";
import { addLines } from "./group-change.ts";
import { decodeIntent, decodeOffer } from "./intent.ts";

type Reopened = Extract<GroupEntry, { readonly kind: "reopened" }>;

/**
 * Takes it that a commit is void and its epoch open again (docs/adr/0022), if a member has signed that. A device that couldn't take the commit
 * just goes on. One that has followed it, as its committer has, goes back only on the signed word of somebody else in the conversation: else a
 * relay could undo what it likes, a removal for one. It joins anew then, and says and does again what it had said and done.
 *
 * @returns `followed`: it has been told so, and must join anew; `refused`: nobody who counts has signed it, or its place can't be
 */
export async function takeReopened(
  core: Core,
  changes: Changes,
  { conversation, entry }: { readonly conversation: StoredConversation; readonly entry: Reopened },
): Promise<"taken" | "followed" | "refused"> {
  const { conversationId, epoch } = conversation;
  const { voids, sequence } = entry;
  const followed = epoch > entry.epoch;
  const fresh = followed ? freshOf(core, conversationId, entry) : undefined;
  // What is void lies before the entry, and an epoch's commit behind the place where the epoch began.
  if (voids >= sequence) return "refused";
  // The rejections don't name the entry's own place: said once more, it would have what came after it be void too.
  if (voids <= conversation.reopenedAt) return "refused";
  if (!followed && voids <= (conversation.epochStart ?? -1)) return "refused";
  const witnesses = followed ? witnessesOf(core, conversation, fresh) : conversation.members;
  if (!(await isWitnessed(core, conversation, { entry, witnesses }))) return "refused";
  // The places that it covers looked like dropped entries.
  changes.write("conversation.setReopenedAt", conversationId, sequence);
  changes.write("conversation.addLost", conversationId, voids - sequence);
  changes.write("gap.deletePlaces", conversationId, voids, sequence - 1);
  const by = core.people.ownerOf(entry.sender) ?? nobody;
  await addLines(core, changes, conversation, [{ kind: "reopened", by }]);
  if (!followed) {
    await withdrawVoidOffer(core, changes, { conversationId, entry });
    changes.outboxes.add(conversationId);
    return "taken";
  }
  takeBack(core, changes, { conversationId, entry });
  // By that, what it is joined anew from is judged (docs/adr/0029).
  if (fresh !== undefined && fresh.membersBefore !== null) {
    changes.write("conversation.setMembers", conversationId, encodeMembers(fresh.membersBefore));
  }
  if (fresh !== undefined && fresh.suiteBefore !== null) {
    changes.write("conversation.setSuite", conversationId, fresh.suiteBefore);
  }
  takeUpAgain(core, changes, { conversationId, entry });
  changes.write("conversation.goBack", conversationId, entry.epoch);
  changes.write("conversation.setStale", conversationId);
  changes.write("piece.deleteAll", conversationId);
  changes.groups.add(conversationId);
  return "followed";
}

/** The commit that a device has taken, and that nobody else is known to have followed, if that is the one: no old word counts again. */
function freshOf(
  core: Core,
  conversationId: ConversationId,
  { epoch, voids, commitHash }: Reopened,
): FreshCommit | undefined {
  return core.store.mendings
    .freshCommits(conversationId)
    .find(
      (commit) =>
        commit.sequence === voids &&
        commit.epoch === epoch &&
        (commit.hash === null || equalBytes(commit.hash, commitHash)),
    );
}

/**
 * Who can witness against a commit that this device has taken: who was there before it and still is, since nobody voids their own removal,
 * without this person and the committer.
 */
function witnessesOf(
  core: Core,
  { members }: StoredConversation,
  fresh: FreshCommit | undefined,
): readonly GroupMember[] {
  if (fresh === undefined) return [];
  const { committer, membersBefore } = fresh;
  const others = members.filter(({ userId }) => userId !== core.self.userId);
  // Of a commit from before the roster was kept, or that this device came in by, only the present members are known.
  if (membersBefore === null) return others;
  const before = new Set(membersBefore.map(({ deviceId }) => deviceId));
  return others.filter(({ userId, deviceId }) => userId !== committer && before.has(deviceId));
}

/** Whether one of the witnesses' devices has signed that it couldn't take the commit. */
async function isWitnessed(
  core: Core,
  { conversationId }: StoredConversation,
  { entry, witnesses }: { readonly entry: Reopened; readonly witnesses: readonly GroupMember[] },
): Promise<boolean> {
  if (witnesses.length === 0) return false;
  const { epoch, voids, commitHash, rejections } = entry;
  const place = { conversationId, epoch, sequence: voids, commitHash };
  const { devices } = await core.worker.call("rejection.check", { place, rejections });
  return devices.some((device) => witnesses.some(({ deviceId }) => deviceId === device));
}

/** This device's own commit was void before it heard that it had been ordered. */
async function withdrawVoidOffer(
  core: Core,
  changes: Changes,
  { conversationId, entry }: { readonly conversationId: ConversationId; readonly entry: Reopened },
): Promise<void> {
  const offer = core.store.intent(conversationId)?.offer ?? null;
  if (offer === null) return;
  if (!equalBytes(await digestOf(decodeOffer(offer).bytes), entry.commitHash)) return;
  await core.loadGroup(conversationId);
  const settled = { conversationId, accepted: false };
  const { writes } = await core.worker.call("group.settleCommit", settled);
  changes.writeGroup(writes);
  changes.write("intent.withdrawOffer", conversationId);
}

/** What was said in the epochs that never were goes out again, before anything else. */
function takeBack(
  core: Core,
  changes: Changes,
  { conversationId, entry }: { readonly conversationId: ConversationId; readonly entry: Reopened },
): void {
  const { voids, sequence } = entry;
  changes.write("outbox.unsealIn", conversationId);
  const places = { first: voids + 1, last: sequence };
  for (const { itemId, kind, content } of core.store.missing.sentBySequence(
    conversationId,
    places,
  )) {
    if (kind !== "text" || content === null) continue;
    changes.write("message.setWaiting", itemId);
    changes.upsert(conversationId, itemId);
  }
  changes.write("outbox.takeBack", conversationId, voids, sequence + 1);
  changes.write("sent.deleteBehind", conversationId, voids);
  changes.write("doomed.spareOutbox", conversationId);
  changes.write("message.reoweAll", conversationId);
  changes.owing.add(conversationId);
}

/**
 * What the void commit was for is to be done again, before anything more is said: a removal must not be forgotten. Of several that were void
 * together one is; a removal comes first.
 */
function takeUpAgain(
  core: Core,
  changes: Changes,
  { conversationId, entry }: { readonly conversationId: ConversationId; readonly entry: Reopened },
): void {
  const intents = core.store.mendings
    .freshCommits(conversationId)
    .flatMap(({ sequence, intent }) => (sequence < entry.voids || intent === null ? [] : [intent]));
  changes.write("freshCommit.deleteAll", conversationId);
  if (core.store.intent(conversationId) !== undefined) {
    changes.write("intent.withdrawOffer", conversationId);
    return;
  }
  const removal = intents.find((intent) => decodeIntent(intent).kind === "remove");
  const again = removal ?? intents.at(-1);
  if (again !== undefined) changes.write("intent.put", conversationId, again, 0, null);
}
