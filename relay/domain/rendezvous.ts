import {
  AppError,
  encodeFrame,
  maxRendezvousMessages,
  type ParsedRelayParams,
  type RelayResult,
  type RendezvousId,
} from "#protocol";
import { equalSecrets, sha256 } from "../primitives.ts";
import type { Transaction } from "../storage/transaction.ts";
import {
  deviceTopic,
  rendezvousScope,
  schedule,
  storeNote,
  type AnyCaller,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "./context.ts";
import {
  rendezvousListSlot,
  rendezvousMessageSlot,
  rendezvousSlot,
  type Rendezvous,
  type RendezvousSide,
} from "./layout.ts";

/*
 * Where a device of an account and a computer that is to become another one leave sealed messages for each other. The relay sees who opened it,
 * sizes and times. Nobody but the holder of the code knows the id; the first guest takes the one seat (docs/adr/0025).
 */

/** Places of one person that are open at a time. */
const maxOpen = 8;
/** A place that ended is still told from one that never was. */
const shownAfterEndMs = 3_600_000;

const others = { owner: "guest", guest: "owner" } as const;

/** Makes a place, or lets one live longer. */
export function openRendezvous(
  context: RelayContext,
  { rendezvousId, lifetimeMs }: ParsedRelayParams<"rendezvous.open">,
  { userId, deviceId }: DeviceCaller,
): Promise<RelayResult<"rendezvous.open">> {
  return context.units.run(rendezvousScope, async (transaction) => {
    const slot = rendezvousSlot(rendezvousId);
    const found = await transaction.load(slot);
    const expiresAtMs = context.clock.nowMs() + lifetimeMs;
    if (found !== undefined) ensureOwner(found, deviceId);
    if (found?.closed === true) throw new AppError("not-allowed");
    await makeRoom(context, transaction, userId, rendezvousId);
    const unused: Rendezvous = {
      userId,
      owner: deviceId,
      expiresAtMs,
      closed: false,
      seat: null,
      guest: null,
      sides: { owner: { sent: 0, taken: 0 }, guest: { sent: 0, taken: 0 } },
    };
    transaction.store(slot, { ...(found ?? unused), expiresAtMs });
    schedule(context, transaction, {
      atMs: expiresAtMs + shownAfterEndMs,
      subject: `rendezvous.${rendezvousId}`,
      due: { kind: "rendezvous", rendezvousId },
    });
    return { expiresAtMs };
  });
}

/** Ends a place at once; that it was there is remembered until its time is over. */
export function closeRendezvous(
  context: RelayContext,
  { rendezvousId }: ParsedRelayParams<"rendezvous.close">,
  { deviceId }: DeviceCaller,
): Promise<Done> {
  return context.units.run(rendezvousScope, async (transaction) => {
    const found = await transaction.load(rendezvousSlot(rendezvousId));
    if (found === undefined) throw new AppError("link-code-unknown");
    ensureOwner(found, deviceId);
    close(transaction, rendezvousId, found);
    await giveRoomBack(transaction, found.userId, rendezvousId);
    announce(context, transaction, rendezvousId, found.guest);
    return {};
  });
}

/** Leaves a message for the other side. */
export function sendToRendezvous(
  context: RelayContext,
  params: ParsedRelayParams<"rendezvous.send">,
  caller: AnyCaller,
): Promise<RelayResult<"rendezvous.send">> {
  const { rendezvousId, bytes } = params;
  return context.units.run(rendezvousScope, async (transaction) => {
    const { side, place } = await enter(context, transaction, { ...params, takes: true, caller });
    const own = place.sides[side];
    const waiting = own.sent - place.sides[others[side]].taken;
    const lastSequence = own.sent;
    const sequence = params.sequence ?? lastSequence + 1;
    if (sequence === lastSequence) return { kind: "accepted" as const, lastSequence };
    if (sequence !== lastSequence + 1) throw new AppError("argument-invalid");
    if (waiting >= maxRendezvousMessages) return { kind: "full" as const, lastSequence };
    const sides = { ...place.sides, [side]: { ...own, sent: sequence } };
    transaction.store(rendezvousSlot(rendezvousId), { ...place, sides });
    storeNote(context, transaction, {
      slot: rendezvousMessageSlot(rendezvousId, side, sequence),
      value: bytes,
      retentionMs: place.expiresAtMs - context.clock.nowMs() + shownAfterEndMs,
    });
    announce(context, transaction, rendezvousId, side === "guest" ? place.owner : place.guest);
    return { kind: "accepted" as const, lastSequence: sequence };
  });
}

/** What waits for a side; what it has taken goes. */
export function receiveFromRendezvous(
  context: RelayContext,
  params: ParsedRelayParams<"rendezvous.receive">,
  caller: AnyCaller,
): Promise<RelayResult<"rendezvous.receive">> {
  const { rendezvousId, afterSequence } = params;
  return context.units.run(rendezvousScope, async (transaction) => {
    const { side, place } = await enter(context, transaction, { ...params, takes: false, caller });
    const from = others[side];
    const { sent } = place.sides[from];
    const own = place.sides[side];
    const taken = Math.min(Math.max(own.taken, afterSequence), sent);
    for (let gone = own.taken + 1; gone <= taken; gone += 1) {
      transaction.remove(rendezvousMessageSlot(rendezvousId, from, gone));
    }
    const sides = { ...place.sides, [side]: { ...own, taken } };
    if (taken !== own.taken) transaction.store(rendezvousSlot(rendezvousId), { ...place, sides });
    const sequences = Array.from({ length: sent - taken }, (_, index) => taken + 1 + index);
    const found = await transaction.loadAll(
      sequences.map((sequence) => rendezvousMessageSlot(rendezvousId, from, sequence)),
    );
    return {
      messages: sequences.flatMap((sequence, index) => {
        const bytes = found[index];
        return bytes === undefined ? [] : [{ sequence, bytes }];
      }),
    };
  });
}

/** A place whose time is over is forgotten. */
export async function forgetRendezvous(
  context: RelayContext,
  transaction: Transaction,
  rendezvousId: RendezvousId,
): Promise<void> {
  const found = await transaction.load(rendezvousSlot(rendezvousId));
  // It was opened again meanwhile: that has its own due time.
  if (found === undefined || found.expiresAtMs + shownAfterEndMs > context.clock.nowMs()) return;
  close(transaction, rendezvousId, found);
  transaction.remove(rendezvousSlot(rendezvousId));
  await giveRoomBack(transaction, found.userId, rendezvousId);
}

interface Entering extends Pick<ParsedRelayParams<"rendezvous.receive">, "rendezvousId" | "seat"> {
  readonly caller: AnyCaller;
  /** Whether a guest who comes first takes the seat. */
  readonly takes: boolean;
}

/** @throws AppError `link-code-unknown`, `link-code-used`, `link-ended` */
async function enter(
  context: RelayContext,
  transaction: Transaction,
  { rendezvousId, seat, takes, caller }: Entering,
): Promise<{ readonly side: RendezvousSide; readonly place: Rendezvous }> {
  const found = await transaction.load(rendezvousSlot(rendezvousId));
  const deviceId = "deviceId" in caller ? caller.deviceId : null;
  if (found === undefined) throw new AppError("link-code-unknown");
  const isOver = !isOpen(context, found);
  if (seat === null) {
    // A stranger learns nothing, not even that there is something.
    if (deviceId === null || found.owner !== deviceId) throw new AppError("link-code-unknown");
    if (isOver) throw new AppError("link-ended");
    return { side: "owner", place: found };
  }
  const hash = sha256(seat);
  if (found.seat === null) {
    if (isOver || !takes) throw new AppError("link-code-unknown");
  } else if (!equalSecrets(found.seat, hash)) throw new AppError("link-code-used");
  if (isOver) throw new AppError("link-ended");
  return { side: "guest", place: { ...found, seat: hash, guest: deviceId ?? found.guest } };
}

function ensureOwner({ owner }: Rendezvous, deviceId: DeviceCaller["deviceId"]): void {
  if (owner !== deviceId) throw new AppError("not-allowed");
}

function isOpen({ clock }: RelayContext, { closed, expiresAtMs }: Rendezvous): boolean {
  return !closed && expiresAtMs > clock.nowMs();
}

/** Lists a place as its person's latest. What has ended takes no room; of those that are open and too many the oldest ends. */
async function makeRoom(
  context: RelayContext,
  transaction: Transaction,
  userId: DeviceCaller["userId"],
  rendezvousId: RendezvousId,
): Promise<void> {
  const list = rendezvousListSlot(userId);
  const { ids } = (await transaction.load(list)) ?? { ids: [] };
  const rest = ids.filter((id) => id !== rendezvousId);
  const places = await transaction.loadAll(rest.map(rendezvousSlot));
  const open = rest.flatMap((id, index) => {
    const place = places[index];
    return place !== undefined && isOpen(context, place) ? [{ id, place }] : [];
  });
  const tooMany = Math.max(0, open.length + 1 - maxOpen);
  for (const { id, place } of open.slice(0, tooMany)) close(transaction, id, place);
  transaction.store(list, { ids: [...open.slice(tooMany).map(({ id }) => id), rendezvousId] });
}

async function giveRoomBack(
  transaction: Transaction,
  userId: DeviceCaller["userId"],
  rendezvousId: RendezvousId,
): Promise<void> {
  const list = rendezvousListSlot(userId);
  const { ids } = (await transaction.load(list)) ?? { ids: [] };
  transaction.store(list, { ids: ids.filter((id) => id !== rendezvousId) });
}

function close(transaction: Transaction, rendezvousId: RendezvousId, place: Rendezvous): void {
  transaction.store(rendezvousSlot(rendezvousId), { ...place, closed: true });
  for (const side of ["owner", "guest"] as const) {
    const { sent } = place.sides[side];
    const { taken } = place.sides[others[side]];
    for (let sequence = taken + 1; sequence <= sent; sequence += 1) {
      transaction.remove(rendezvousMessageSlot(rendezvousId, side, sequence));
    }
  }
}

function announce(
  context: RelayContext,
  transaction: Transaction,
  rendezvousId: RendezvousId,
  deviceId: DeviceCaller["deviceId"] | null,
): void {
  if (deviceId === null) return;
  const frame = encodeFrame({
    kind: "event",
    name: "rendezvous.arrived",
    body: { rendezvousId },
  });
  transaction.afterCommit(() => {
    context.storage.announce(deviceTopic(deviceId), { frame, join: null, leave: [] });
  });
}
