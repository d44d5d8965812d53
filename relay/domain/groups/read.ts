import {
  AppError,
  type ConversationId,
  type GroupEntry,
  type ParsedRelayParams,
  type RelayResult,
} from "#protocol";
import type { StorageKey } from "../../storage/port.ts";
import type { DeviceCaller, RelayContext } from "../context.ts";
import {
  entryBytesSlot,
  entrySlot,
  groupHeadSlot,
  groupInfoSlot,
  groupRosterSlot,
  lastToken,
  memberships,
  membershipSlot,
  type StoredEntry,
} from "../layout.ts";
import { maxPageBytes } from "../pages.ts";
import { openGroup, openGroupAsMember } from "./access.ts";
import { decodeReopening } from "./reopening.ts";
import { loadRoster } from "./roster.ts";

/** An entry without a message, at most, bytes. */
const maxPlainEntryBytes = 2048;

/** Entries behind a sequence, in order and without gaps. */
export async function readGroup(
  context: RelayContext,
  params: ParsedRelayParams<"group.read">,
  { deviceId }: DeviceCaller,
): Promise<RelayResult<"group.read">> {
  const { conversationId, afterSequence, limit } = params;
  const { membership, headSequence, epoch } = await openGroup(
    context.reader,
    conversationId,
    deviceId,
  );
  const nowMs = context.clock.nowMs();
  // Only whoever reads what was there before they came needs to know where they were before that.
  const removed =
    afterSequence < membership.joinedSequence
      ? (await loadRoster(context.reader, conversationId)).removed
      : [];
  const stays = removed.filter((place) => place.deviceId === deviceId);
  const entries: GroupEntry[] = [];
  let sizeBytes = 0;
  for (
    let sequence = afterSequence + 1;
    sequence <= headSequence && entries.length < limit;
    sequence += 1
  ) {
    // What was said before a device came isn't for it, and it couldn't open it; but it may have been there before.
    const absent =
      sequence <= membership.joinedSequence &&
      !stays.some((stay) => stay.joinedSequence < sequence && sequence <= stay.removedSequence);
    const entry = absent ? dropped(sequence) : await loadEntry(context, conversationId, sequence);
    const shown = isOver(entry, nowMs) ? dropped(sequence) : entry;
    sizeBytes += "bytes" in shown ? shown.bytes.length + 200 : maxPlainEntryBytes;
    if (entries.length > 0 && sizeBytes > maxPageBytes) break;
    entries.push(shown);
  }
  return { entries, headSequence, epoch };
}

/** Every conversation the caller reads, with how far its log is for it. */
export async function listGroups(
  context: RelayContext,
  { deviceId }: DeviceCaller,
): Promise<RelayResult<"group.list">> {
  const ids = await conversationsOf(context, deviceId);
  const groups = [];
  for (const conversationId of ids) {
    const [head, membership, roster] = [
      await context.reader.load(groupHeadSlot(conversationId)),
      await context.reader.load(membershipSlot(deviceId, conversationId)),
      await context.reader.load(groupRosterSlot(conversationId)),
    ];
    // Left between the listing and now.
    if (head === undefined || membership === undefined || roster === undefined) continue;
    const { removed } = membership;
    const place = [...roster.members, ...roster.removed].find((at) => at.deviceId === deviceId);
    // A device that comes in has what was before, in the relay's eyes; it has said nothing yet.
    const hasSpoken = place !== undefined && place.acknowledgedSequence > place.joinedSequence;
    groups.push({
      conversationId,
      epoch: removed?.epoch ?? head.epoch,
      headSequence: removed?.sequence ?? head.headSequence,
      acknowledgedSequence: hasSpoken ? place.acknowledgedSequence : 0,
    });
  }
  return { groups };
}

/** The ids of the conversations that a device is or was in and may read. */
export async function conversationsOf(
  { reader }: RelayContext,
  deviceId: DeviceCaller["deviceId"],
): Promise<readonly ConversationId[]> {
  const ids: ConversationId[] = [];
  for (let after: StorageKey | null = null; ;) {
    const keys: readonly StorageKey[] = await reader.listKeys({
      prefix: memberships(deviceId),
      after,
      limit: 1000,
    });
    ids.push(...keys.map((key) => lastToken(key) as ConversationId));
    after = keys.at(-1) ?? null;
    if (keys.length < 1000) return ids;
  }
}

/** The newest GroupInfo, for a member that lost its state. */
export async function groupInfo(
  context: RelayContext,
  { conversationId }: ParsedRelayParams<"group.info">,
  { deviceId }: DeviceCaller,
): Promise<RelayResult<"group.info">> {
  await openGroupAsMember(context.reader, conversationId, deviceId);
  const info = await context.reader.load(groupInfoSlot(conversationId));
  if (info === undefined) throw new AppError("not-found", { data: { what: "group-info" } });
  return { epoch: info.epoch, groupInfo: info.bytes };
}

async function loadEntry(
  context: RelayContext,
  conversationId: ConversationId,
  sequence: number,
): Promise<GroupEntry> {
  const entry: StoredEntry | undefined = await context.reader.load(
    entrySlot(conversationId, sequence),
  );
  if (entry === undefined) return dropped(sequence);
  const bytes = await context.reader.load(entryBytesSlot(conversationId, sequence));
  // Dropped between the two reads.
  if (bytes === undefined) return dropped(sequence);
  const { kind, epoch, sender, receivedAtMs, expiresAtMs } = entry;
  if (kind === "reopened") {
    return { kind, sequence, epoch, sender, receivedAtMs, ...decodeReopening(bytes) };
  }
  return kind === "commit"
    ? { kind, sequence, epoch, sender, receivedAtMs, bytes }
    : { kind, sequence, epoch, sender, receivedAtMs, expiresAtMs, bytes };
}

/** An end holds from its moment on, whether or not the sweeper has come by. */
function isOver(entry: GroupEntry, nowMs: number): boolean {
  return entry.kind === "application" && entry.expiresAtMs !== null && entry.expiresAtMs <= nowMs;
}

const dropped = (sequence: number): GroupEntry => ({ kind: "dropped", sequence });
