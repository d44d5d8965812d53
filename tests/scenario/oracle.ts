import type { ConversationId, MessageId, SuiteName } from "#protocol";
import type { Device } from "./device.ts";
import type { TrueLog } from "./simulated-relay.ts";

/** For so long the relay keeps for a removed device what was said while it was there: `relay/domain/groups/roster.ts`. */
const removedRetentionMs = 30 * 86_400_000;

/** Something that isn't as it should be. */
export interface Finding {
  readonly kind:
    | "error"
    | "stuck"
    | "diverged"
    | "doubted"
    | "missing"
    | "foreign"
    | "unopenable"
    | "lost"
    | "alarm";
  readonly text: string;
}

/** A device, as it is looked at in the end. */
export type Witness = Pick<Device, "name" | "userId" | "deviceId" | "doubts" | "look">;

/** What was said, by whom, where. */
export type Sent = Map<
  MessageId,
  { readonly conversationId: ConversationId; readonly text: string; readonly by: Witness }
>;

/** What is held against what. */
export interface End {
  readonly devices: readonly Witness[];
  readonly logs: ReadonlyMap<ConversationId, TrueLog>;
  /** The one that the policy names. */
  readonly suite: SuiteName;
  readonly sent: Sent;
  /** Up to where in each log a device that was put back from a copy may have lost messages. */
  readonly rolledBack: ReadonlyMap<Witness, ReadonlyMap<ConversationId, number>>;
  /** What whoever said it knows no more: they were put back to a copy from before it. */
  readonly forgotten: ReadonlySet<MessageId>;
  readonly nowMs: number;
  /** By person and conversation: from where on who asked to leave needn't read, until they are added again. */
  readonly leaving: ReadonlyMap<string, readonly number[]>;
}

/** What the end of a run comes to. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly deliveries: number;
  readonly unopenable: number;
  readonly unopenableAfterLoss: number;
}

/** What holds at the end of a run. */
export function checkEnd(end: End): Verdict {
  const findings: Finding[] = [];
  let deliveries = 0;
  let unopenable = 0;
  let unopenableAfterLoss = 0;
  for (const [conversationId, log] of end.logs) {
    const views = new Map<string, string[]>();
    for (const device of end.devices) {
      const row = rowOf(device, conversationId);
      const isIn = isMember(log, device);
      const closed = Number(row?.["unopenable"] ?? 0);
      // What went with a state that was lost is told of as such.
      if (end.rolledBack.has(device)) {
        unopenableAfterLoss += closed;
      } else if (closed > 0) {
        unopenable += closed;
        findings.push({ kind: "unopenable", text: `${device.name} can't open ${String(closed)}` });
      }
      deliveries += checkMessages(end, { conversationId, log, device }, findings);
      const state = String(row?.["state"] ?? "none");
      // Who is alone goes without a commit.
      const isAlone = end.devices.every((other) => other === device || !isMember(log, other));
      if (isIn && !isAlone && state !== "active") {
        findings.push({ kind: "diverged", text: `${device.name} is a member, and says ${state}` });
      }
      if (!isIn && (state === "active" || state === "leaving")) {
        findings.push({ kind: "diverged", text: `${device.name} is no member, and says ${state}` });
      }
      if (!isIn || row === undefined) continue;
      if (Number(row["epoch"]) !== log.epoch) {
        findings.push({
          kind: "diverged",
          text: `${device.name} is at epoch ${String(row["epoch"])} of ${String(log.epoch)}`,
        });
      }
      // Everybody has been here since the policy has named it, and so has keys of it.
      if (state === "active" && row["suite"] !== end.suite) {
        findings.push({
          kind: "diverged",
          text: `${device.name} is in ${String(row["suite"])}, not ${end.suite}`,
        });
      }
      const view = [row["authenticator"], row["members"], row["room_state"]].map(plain).join(" ");
      views.set(view, [...(views.get(view) ?? []), device.name]);
    }
    if (views.size > 1) {
      const camps = [...views.values()].map((names) => names.join(",")).join(" | ");
      findings.push({ kind: "diverged", text: `they disagree: ${camps}` });
    }
  }
  findings.push(...doubts(end), ...lostOnes(end), ...falseAlarms(end));
  return { findings, deliveries, unopenable, unopenableAfterLoss };
}

function plain(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}

function rowOf(device: Witness, conversationId: ConversationId) {
  return device.look(
    `SELECT state, epoch, suite, authenticator, members, room_state, unopenable FROM conversations
     WHERE conversation_id = '${conversationId}'`,
  )[0];
}

/** Whether a device is in a conversation, as the relay has ordered it. */
export function isMember(
  { creator, items }: TrueLog,
  { deviceId }: Pick<Witness, "deviceId">,
): boolean {
  let inside = creator === deviceId;
  for (const item of items) {
    if (item.kind === "message") continue;
    if (item.remove.includes(deviceId)) inside = false;
    if (item.add.includes(deviceId)) inside = true;
  }
  return inside;
}

/** What a device was to read, and what it may have read. */
function readable(
  end: End,
  { conversationId, log, device }: Place,
): { readonly required: Set<MessageId>; readonly allowed: Set<MessageId> } {
  const required = new Set<MessageId>();
  const allowed = new Set<MessageId>();
  const lostUpTo = end.rolledBack.get(device)?.get(conversationId) ?? 0;
  const backAt = lostUpTo === 0 ? 0 : comesBackAt(log, device, lostUpTo);
  const leaves = end.leaving.get(`${device.userId} ${conversationId}`) ?? [];
  let addedAt = 0;
  let inside = log.creator === device.deviceId;
  for (const item of log.items) {
    if (item.kind === "commit") {
      if (item.remove.includes(device.deviceId)) {
        inside = false;
        // Whoever was away for longer may find gone what was said before.
        if (end.nowMs - item.atMs >= removedRetentionMs) required.clear();
      }
      if (item.add.includes(device.deviceId)) {
        inside = true;
        addedAt = item.sequence;
      }
      continue;
    }
    if (!inside || !end.sent.has(item.messageId)) continue;
    allowed.add(item.messageId);
    const isLeaving = leaves.some((from) => from >= addedAt && from < item.sequence);
    // Only its sender says it again (docs/adr/0023). Where they have forgotten it nobody can, and whoever had no state then can't open it.
    const isLost = item.sequence < backAt && end.forgotten.has(item.messageId);
    if (item.sequence > lostUpTo && !isLeaving && !isLost) required.add(item.messageId);
  }
  return { required, allowed };
}

/**
 * Where a device that was put back is in a conversation again. Its commit may be ordered, and it die before it hears of that: it has no state of that
 * epoch, and joins anew once more. As soon as it says or changes something, it has one.
 *
 * @param lostUpTo - its first commit after that
 */
function comesBackAt(log: TrueLog, { deviceId }: Witness, lostUpTo: number): number {
  let backAt = lostUpTo;
  for (const item of log.items) {
    if (item.by !== deviceId || item.sequence <= lostUpTo) continue;
    if (item.kind === "message" || !item.fromOutside) break;
    backAt = item.sequence;
  }
  return backAt;
}

interface Place {
  readonly conversationId: ConversationId;
  readonly log: TrueLog;
  readonly device: Witness;
}

/** @returns how many messages were to be read */
function checkMessages(end: End, place: Place, findings: Finding[]): number {
  const { conversationId, device } = place;
  const { required, allowed } = readable(end, place);
  const rows = device.look(
    `SELECT message_id, state FROM messages WHERE conversation_id = '${conversationId}' AND kind = 'text'`,
  );
  const read = new Set(rows.map((row) => row["message_id"] as MessageId));
  for (const messageId of required) {
    if (read.has(messageId)) continue;
    findings.push({
      kind: "missing",
      text: `${device.name} hasn't read "${end.sent.get(messageId)?.text ?? ""}"`,
    });
  }
  for (const row of rows) {
    const messageId = row["message_id"] as MessageId;
    const unsent = row["state"] === "failed" || row["state"] === "waiting";
    if (allowed.has(messageId) || unsent || !end.sent.has(messageId)) continue;
    findings.push({
      kind: "foreign",
      text: `${device.name} has read "${end.sent.get(messageId)?.text ?? ""}", which wasn't for it`,
    });
  }
  return required.size;
}

/**
 * Who ever held that others have another view of an epoch (`conversations.doubtful`): with an honest relay nobody has, also after a roll-back. By the end it may
 * be over, since messages of a later epoch have agreed.
 */
function doubts({ devices }: End): readonly Finding[] {
  return devices
    .filter((device) => device.doubts > 0)
    .map(({ name, doubts }) => ({
      kind: "doubted",
      text: `${name} has believed ${String(doubts)} times that a conversation has split`,
    }));
}

/** What was said and neither ordered nor given back to who said it: what can't go out any more because its device is going is given back. */
function lostOnes({ sent, logs, rolledBack, leaving }: End): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [messageId, { conversationId, text, by }] of sent) {
    const items = logs.get(conversationId)?.items ?? [];
    if (items.some((item) => item.kind === "message" && item.messageId === messageId)) continue;
    if (rolledBack.has(by)) continue;
    const [row] = by.look(`SELECT state FROM messages WHERE message_id = '${messageId}'`);
    const wasRemoved = items.some(
      (item) => item.kind === "commit" && item.remove.includes(by.deviceId),
    );
    // Who is alone goes without a commit.
    const wasGoing = wasRemoved || leaving.has(`${by.userId} ${conversationId}`);
    if (row?.["state"] === "failed" && wasGoing) continue;
    findings.push({
      kind: "lost",
      text: `"${text}" was lost: ${String(row?.["state"] ?? "gone")}`,
    });
  }
  return findings;
}

/** This relay is honest: nobody is told that something in its directory was refused, or that it has forgotten anything. */
function falseAlarms({ devices }: End): readonly Finding[] {
  return devices.flatMap((device) =>
    device
      .look(`SELECT name FROM facts WHERE name IN ('objectionsTold', 'behindTold')`)
      .map(({ name }): Finding => {
        return { kind: "alarm", text: `${device.name} was told of the directory: ${String(name)}` };
      }),
  );
}
