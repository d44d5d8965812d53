import {
  decodeAgain,
  ensureAppError,
  type Again,
  type DeviceId,
  type SaidAgain,
  type SealedAgain,
  type SentPlace,
} from "#protocol";
import { keyColumns, type Gap, type GapKey } from "../store/missing.ts";
import { openSealed } from "./answer-keys.ts";
import type { Taking } from "./content.ts";

/** Under what a message may be missed here: what its sender says of it, and its place in the log. */
function keysOf(deviceId: DeviceId, { epoch, generation, sequence }: SentPlace): readonly GapKey[] {
  const keys: GapKey[] = [];
  if (sequence !== null) keys.push({ deviceId: null, epoch: 0, number: sequence });
  if (epoch !== null && generation !== null) keys.push({ deviceId, epoch, number: generation });
  return keys;
}

/**
 * Takes what a sender says of messages that are missed here. Whatever isn't missed is passed over: who has read a message, burned or deleted
 * it, doesn't get it a second time because somebody else had to ask.
 *
 * @param take - takes content as if it had come now, but for its place
 */
export async function takeAgain(
  taking: Taking,
  again: Again,
  take: (taking: Taking) => Promise<void>,
): Promise<void> {
  switch (again.outcome) {
    case "again":
      await takeSaid(taking, again, take);
      return;
    case "sealed": {
      const said = await unsealed(taking, again);
      if (said !== undefined) await takeSaid(taking, said, take);
      return;
    }
    case "over":
    case "unknown":
      for (const place of again.places) settle(taking, place, again.outcome);
  }
}

/** What an answer says to this device alone. One that isn't for it, or can't be opened or read, is none. */
async function unsealed(
  { core, conversation, arrival }: Taking,
  again: SealedAgain,
): Promise<SaidAgain | undefined> {
  if (arrival.deviceId === null) return undefined;
  const plain = await openSealed(core, conversation, arrival.deviceId, again);
  if (plain === null) return undefined;
  try {
    const said = decodeAgain(plain);
    return said.outcome === "again" ? said : undefined;
  } catch (error) {
    ensureAppError(error);
    return undefined;
  }
}

async function takeSaid(
  taking: Taking,
  { place, takenAtMs, content }: SaidAgain,
  take: (taking: Taking) => Promise<void>,
): Promise<void> {
  const { core, arrival } = taking;
  const gaps = missedAt(taking, place);
  const [gap] = gaps;
  if (gap === undefined) return;
  await take({
    ...taking,
    arrival: {
      ...arrival,
      content,
      sequence: place.sequence ?? arrival.sequence,
      epoch: place.epoch ?? arrival.epoch,
      sentAtMs: Math.min(takenAtMs, arrival.sentAtMs, core.time.now()),
      order: gap.order,
    },
  });
  settle(taking, place, "again");
}

/** What is missed here at a place of the arrival's sender. Its place in the log first: it is where it belongs. */
function missedAt({ core, conversation, arrival }: Taking, place: SentPlace): readonly Gap[] {
  const { deviceId } = arrival;
  if (deviceId === null) return [];
  return keysOf(deviceId, place).flatMap((key) => {
    return core.store.missing.gap(conversation.conversationId, key) ?? [];
  });
}

/** It is missed no more. What its sender has lost, too, keeps its line. */
function settle(taking: Taking, place: SentPlace, outcome: "again" | "over" | "unknown"): void {
  const { changes, conversation, arrival } = taking;
  const { conversationId } = conversation;
  const gaps = missedAt(taking, place);
  if (gaps.length === 0 || arrival.deviceId === null) return;
  const lines = gaps.flatMap(({ lineId }) => lineId ?? []);
  // One of them may be as new as this transaction.
  for (const key of keysOf(arrival.deviceId, place)) {
    if (outcome !== "unknown") changes.write("gap.settle", conversationId, ...keyColumns(key));
    changes.write("gap.delete", conversationId, ...keyColumns(key));
  }
  changes.write("gap.deleteLines", conversationId);
  for (const line of lines) changes.upsert(conversationId, line);
  changes.touch(conversationId);
  // What was only asked for counts as missed when it comes, or when nobody has it.
  if (lines.length === 0 && outcome !== "over") {
    changes.write("conversation.countUnopenable", conversationId, 1);
  }
  if (outcome === "again") changes.write("conversation.countRecovered", conversationId, 1);
  else if (outcome === "over" && lines.length > 0) {
    changes.write("conversation.countOver", conversationId, 1);
  }
}
