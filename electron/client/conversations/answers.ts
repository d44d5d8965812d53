import {
  decodeMessage,
  encodeAgain,
  maxAgainBytes,
  roomUri,
  userUri,
  type Again,
  type DecodedMessage,
  type DeviceId,
  type MissingRequest,
  type SaidAgain,
  type SentPlace,
} from "#protocol";
import type { Core } from "../core/core.ts";
import { localEnd } from "../core/timers.ts";
import { everybody, type StoredSent } from "../store/missing.ts";
import type { StoredConversation } from "../store/rows.ts";
import { openBodies } from "../views/bodies.ts";
import type { Taking } from "./content.ts";
import { enqueue } from "./enqueue.ts";
import { sharedSince } from "./newcomers.ts";

const hourMs = 60 * 60 * 1000;
/** What one device gets answered in an hour: requests, and messages that are said again. */
export const answerLimits = { requestsPerHour: 30, itemsPerHour: 300, itemsPerRequest: 100 };
/** How often one message is said again to one device: the relay may drop answers, too. */
const maxTimes = 4;
/** How long one message isn't said again to who could read it, milliseconds: an answer is for all who miss it and may have it. */
const againAfterMs = 3000;

type Request = Extract<DecodedMessage, { readonly kind: "missing" }>;

/** What an answer is made of, while a request is gone through. */
interface Answering {
  readonly taking: Taking;
  readonly requester: DeviceId;
  /** What isn't for all is sealed to it. */
  readonly answerKey: Uint8Array;
  /** The first epoch that the requester was there for. */
  readonly since: number;
  /** The first epoch that everybody was there for. */
  readonly sharedSince: number;
  /** How many messages may still be said again. */
  left: number;
  readonly over: SentPlace[];
  readonly unknown: SentPlace[];
}

/**
 * Answers a device that misses messages of this one: says them again as they were while they live, or that they are over. What was said
 * before the device was there isn't for it; what was said before others were there is sealed to it. Nobody can make this device send without end.
 */
export async function answerMissing(
  taking: Taking,
  { messageId, request }: Request,
): Promise<void> {
  const { core, changes, conversation, arrival } = taking;
  const { conversationId } = conversation;
  const { deviceId: requester } = arrival;
  if (conversation.state !== "active" || requester === null) return;
  const { missing } = core.store;
  const nowMs = core.time.now();
  const sinceMs = nowMs - hourMs;
  const answered = (kind: "request" | "item") =>
    missing.answeredSince(conversationId, requester, { kind, sinceMs });
  const repeated = missing.answered(conversationId, requester, {
    kind: "request",
    itemId: messageId,
  });
  const { requestsPerHour, itemsPerHour, itemsPerRequest } = answerLimits;
  if (repeated > 0 || answered("request") >= requestsPerHour) return;
  changes.write("answer.note", conversationId, requester, "request", messageId, nowMs);
  const answering: Answering = {
    taking,
    requester,
    answerKey: request.answerKey,
    since: missing.joinedIn(conversationId, requester),
    sharedSince: sharedSince(core, conversation),
    left: Math.min(itemsPerRequest, Math.max(0, itemsPerHour - answered("item"))),
    over: [],
    unknown: [],
  };
  await answerAll(answering, request);
  await sayPlaces(taking, "over", answering.over);
  await sayPlaces(taking, "unknown", answering.unknown);
}

async function answerAll(answering: Answering, request: MissingRequest): Promise<void> {
  const { taking, since } = answering;
  const { core, conversation } = taking;
  const { conversationId, sinceEpoch } = conversation;
  const { missing } = core.store;
  const found = new Map<StoredSent["itemId"], StoredSent>();
  for (const { deviceId, epoch, first, last } of request.generations) {
    if (deviceId !== core.self.deviceId || epoch < since) continue;
    const sent = missing.sentByGeneration(conversationId, epoch, { first, last });
    const known = new Set(sent.map(({ generation }) => generation));
    for (const item of sent) found.set(item.itemId, item);
    for (let generation = first; generation <= last; generation += 1) {
      if (known.has(generation)) continue;
      // What was sent in an epoch that this device has lost may be alive; of the others it remembers all that is.
      const place = { epoch, generation, sequence: null };
      (epoch < sinceEpoch ? answering.unknown : answering.over).push(place);
    }
  }
  for (const range of request.sequences) {
    for (const item of missing.sentBySequence(conversationId, range)) found.set(item.itemId, item);
  }
  for (const item of found.values()) if (item.epoch >= since) await answerOne(answering, item);
}

async function answerOne(answering: Answering, item: StoredSent): Promise<void> {
  const { taking, requester } = answering;
  const { core, changes, conversation } = taking;
  const { conversationId } = conversation;
  const place = placeOf(item);
  if (item.kind === "status") {
    // Receipts tell what holds now, and all of it once more.
    changes.write("message.reoweAll", conversationId);
    changes.owing.add(conversationId);
  }
  const { content, leaf, itemId, targetId, endsAtMs, takenAtMs } = item;
  if (content === null || leaf === null || endsAtMs <= core.time.now()) {
    answering.over.push(place);
    return;
  }
  const nowMs = core.time.now();
  const { missing } = core.store;
  const times = missing.answered(conversationId, requester, { kind: "item", itemId });
  const tooSoon = nowMs - missing.saidAgainAtMs(conversationId, itemId, requester) < againAfterMs;
  // It has it meanwhile or asks again later, or has asked too often.
  if (answering.left <= 0 || times >= maxTimes || tooSoon) return;
  const opened = await openBodies(core.worker, [{ messageId: itemId, leaf, sealed: content }]);
  const plain = opened.get(itemId);
  if (plain === undefined || plain.length > maxAgainBytes) {
    answering.unknown.push(place);
    return;
  }
  const again = await forWhom(answering, {
    outcome: "again",
    ...{ place, takenAtMs, content: plain },
  });
  // Its key isn't one of this conversation's suite, which may have changed: it asks again with another.
  if (again === null) return;
  answering.left -= 1;
  for (const device of again.outcome === "again" ? [requester, everybody] : [requester]) {
    changes.write("answer.note", conversationId, device, "item", itemId, nowMs);
  }
  const { messageId } = await enqueue(core, changes, {
    conversationId,
    kind: "answer",
    intent: { kind: "again", again },
    endsAtMs,
    burnSeconds: null,
    target: targetId === null ? null : { messageId: targetId, leaf },
  });
  changes.write("outbox.deleteOver", messageId, itemId);
}

/** Says it to all, where all were there when it was said; else to the requester alone. */
async function forWhom(answering: Answering, said: SaidAgain): Promise<Again | null> {
  if (isShared(said, answering.sharedSince)) return said;
  const { taking, requester, answerKey: publicKey } = answering;
  const { core, conversation } = taking;
  const { conversationId, suite } = conversation;
  const plain = encodeAgain(said);
  const { sealed } = await core.worker.call("missing.sealAnswer", {
    ...{ conversationId, suite, requester, publicKey, plain },
  });
  return sealed === null ? null : { outcome: "sealed", requester, ...sealed };
}

/** What this device found out only to have sent may be of any epoch. */
function isShared({ place: { epoch } }: SaidAgain, sharedSinceEpoch: number): boolean {
  return epoch !== null && epoch >= sharedSinceEpoch;
}

/** Whether an answer of this device that waits to be sent says to all what isn't for all: somebody came after it was written. */
export function saysTooMuch(
  core: Core,
  conversation: StoredConversation,
  content: Uint8Array,
): boolean {
  const { networkId, userId } = core.self;
  const room = roomUri(networkId, conversation.conversationId);
  const decoded = decodeMessage(content, userUri(networkId, userId), room);
  if (decoded.kind !== "again" || decoded.again.outcome !== "again") return false;
  return !isShared(decoded.again, sharedSince(core, conversation));
}

/** Where an item is, as far as is known. */
function placeOf({ epoch, generation, sequence }: StoredSent): SentPlace {
  return generation === null
    ? { epoch: null, generation: null, sequence }
    : { epoch, generation, sequence };
}

async function sayPlaces(
  { core, changes, conversation }: Taking,
  outcome: "over" | "unknown",
  places: readonly SentPlace[],
): Promise<void> {
  if (places.length === 0) return;
  const { conversationId, roomState } = conversation;
  await enqueue(core, changes, {
    conversationId,
    kind: "answer",
    intent: { kind: "again", again: { outcome, places } },
    endsAtMs: localEnd(core.time.now(), roomState.timers, core.policy).endsAtMs,
    burnSeconds: null,
    target: null,
  });
}
