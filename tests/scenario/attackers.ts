import type { ConversationId } from "#protocol";
import { createTrustGate } from "../../crypto/mls/client-config.ts";
import { openEntry, proposeLeave } from "../../crypto/mls/group-messages.ts";
import type { GroupMemory } from "../../crypto/mls/memory.ts";
import { readPieces } from "../../crypto/mls/pieces.ts";
import { suiteNames } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
  type MlsWorld,
} from "../support/mls-device.ts";
import { seededRandom, type SeededRandom } from "../support/seeded.ts";

/** How members go. */
const removalKinds = ["single", "several", "leave", "leaves", "concurrent", "replaced"] as const;
type RemovalKind = (typeof removalKinds)[number];

/** What came of sitting in attackers' seats. */
export interface Outcome {
  /** Members that were removed, or messages that were read. */
  readonly victims: number;
  /** How often a kept state was tried on what it must not open. */
  readonly tries: number;
  readonly opened: number;
}

const id: ConversationId = conversationId(1);
/** As many seats go on trying, rounds after their device was removed and perhaps came back. */
const seatsKept = 12;

async function newWorld(): Promise<MlsWorld> {
  return createMlsWorld(await loadPrimitives(), { suite: suiteNames.aes128 });
}

/** A full copy of what a device has of a group, taken from its stored rows: it forgets nothing that they say. */
class Seat {
  readonly #rows: ReadonlyMap<string, Uint8Array>;
  readonly #device: MlsDevice;
  /** The last epoch that was its own. */
  readonly epoch: number;

  constructor(device: MlsDevice) {
    this.#device = device;
    this.#rows = new Map([...device.rows.get(id)!].map(([name, row]) => [name, row.slice()]));
    this.epoch = device.summary(id).epoch;
  }

  #memory(): GroupMemory {
    const copies = new Map([...this.#rows].map(([name, row]) => [name, row.slice()]));
    const { world, own } = this.#device;
    const gate = createTrustGate(world.trust);
    const read = readPieces(copies, () => own.signaturePrivateKey, gate.clientConfig);
    return { impl: world.impl, gate, ...read };
  }

  /** Whether it opens an entry, as it is or by claiming to be in `epoch`. */
  async opens(bytes: Uint8Array, epoch: number): Promise<boolean> {
    const plain = await openEntry(this.#memory(), id, bytes);
    if (plain.kind === "application") return true;
    const memory = this.#memory();
    const groupContext = { ...memory.state.groupContext, epoch: BigInt(epoch) };
    const state = { ...memory.state, groupContext };
    const claimed = await openEntry({ ...memory, state }, id, bytes);
    return claimed.kind === "application";
  }
}

/**
 * Members are removed in every way and come back; what they kept of their state is tried on everything that is said without them. Whoever stays, loses a race
 * or comes back must read what is said from then on.
 *
 * @throws Error when somebody who belongs to the group is locked out of it
 */
export async function removeMembers(removals: number, seed: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const world = await newWorld();
  const [anna, ben, ...others] = Array.from({ length: 6 }, () => new MlsDevice(world)) as [
    MlsDevice,
    MlsDevice,
    ...MlsDevice[],
  ];
  await groupOf(id, anna, [ben, ...others]);
  const group: Group = { anna, ben, others, random };
  const seats: Seat[] = [];
  let victims = 0;
  let tries = 0;
  let opened = 0;
  for (let round = 0; victims < removals; round += 1) {
    const kind = removalKinds[round % removalKinds.length]!;
    const gone = chooseVictims(group, kind);
    seats.push(...gone.map((device) => new Seat(device)));
    seats.splice(0, seats.length - seatsKept);
    victims += gone.length;
    const stayed = others.filter((device) => !gone.includes(device));
    await remove(group, kind, gone);
    const inside = [anna, ben, ...stayed, ...(kind === "replaced" ? gone : [])];
    for (const bytes of await everybodySpeaks(inside)) {
      for (const seat of seats) {
        tries += 1;
        if (await seat.opens(bytes, anna.summary(id).epoch)) opened += 1;
      }
    }
    if (kind !== "replaced") await comeBack(group, gone, stayed);
    await everybodySpeaks([anna, ben, ...others]);
  }
  return { victims, tries, opened };
}

interface Group {
  readonly anna: MlsDevice;
  readonly ben: MlsDevice;
  readonly others: readonly MlsDevice[];
  readonly random: SeededRandom;
}

function chooseVictims({ others, random }: Group, kind: RemovalKind): readonly MlsDevice[] {
  const first = random.below(others.length);
  const count = kind === "several" || kind === "leaves" ? 2 : 1;
  return Array.from({ length: count }, (_, at) => others[(first + at) % others.length]!);
}

/** Takes them out; those who are told of it let go of their state, as the client does. */
async function remove(group: Group, kind: RemovalKind, gone: readonly MlsDevice[]): Promise<void> {
  const { anna, ben, others } = group;
  const removeDevices = gone.map(({ deviceId }) => deviceId);
  switch (kind) {
    case "single":
    case "several":
      await orderCommit(id, anna, { removeDevices }, { others: [ben, ...others] });
      return;
    case "leave":
    case "leaves":
      for (const leaver of gone) await askToLeave(leaver, [anna, ben, ...others]);
      await orderCommit(id, ben, {}, { others: [anna, ...others] });
      return;
    case "replaced": {
      const addKeyPackages = await Promise.all(gone.map((device) => device.keyPackage()));
      const wanted = { removeDevices, addKeyPackages };
      const stayed = others.filter((device) => !gone.includes(device));
      await orderCommit(id, anna, wanted, { others: [ben, ...stayed], newcomers: gone });
      return;
    }
    case "concurrent": {
      // Both commit for the same epoch; Ben wins, Anna follows and removes anew.
      await anna.prepare(id, { removeDevices });
      const winner = await ben.prepare(id);
      anna.settle(id, false);
      ben.settle(id, true);
      for (const device of [anna, ...others]) await mustFollow(device, winner.bytes);
      await orderCommit(id, anna, { removeDevices }, { others: [ben, ...others] });
    }
  }
}

async function askToLeave(leaver: MlsDevice, everybody: readonly MlsDevice[]): Promise<void> {
  const { memory, entries } = await proposeLeave(leaver.memory(id));
  leaver.keep(id, memory);
  for (const device of everybody) {
    if (device === leaver) continue;
    for (const entry of entries) await device.open(id, entry);
  }
}

async function mustFollow(device: MlsDevice, bytes: Uint8Array): Promise<void> {
  const { kind } = await device.open(id, bytes);
  if (kind !== "commit") throw new Error(`somebody can't follow the winner: ${kind}`);
}

async function comeBack(
  { anna, ben }: Group,
  gone: readonly MlsDevice[],
  stayed: readonly MlsDevice[],
): Promise<void> {
  const addKeyPackages = await Promise.all(gone.map((device) => device.keyPackage()));
  await orderCommit(id, anna, { addKeyPackages }, { others: [ben, ...stayed], newcomers: gone });
}

/** @returns what each of them said, which all others have read */
async function everybodySpeaks(inside: readonly MlsDevice[]): Promise<readonly Uint8Array[]> {
  const said: Uint8Array[] = [];
  for (const speaker of inside) {
    const bytes = await speaker.seal(id, "for those who are here");
    said.push(bytes);
    for (const listener of inside) {
      if (listener === speaker) continue;
      const read = await listener.read(id, bytes);
      if (read !== "for those who are here") throw new Error(`a member is locked out: ${read}`);
    }
  }
  return said;
}

/**
 * Somebody reads messages over several epochs, some of which never come; now and then their stored state is copied, and tried on all that was read, and on what
 * was jumped over.
 */
export async function readMessages(messages: number, seed: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const world = await newWorld();
  const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben]);
  const read: { readonly bytes: Uint8Array; readonly epoch: number }[] = [];
  const looks = new Set([1, 2, 4].map((part) => Math.floor(messages / part)));
  let tries = 0;
  let opened = 0;
  for (let count = 1; count <= messages; count += 1) {
    const bytes = await anna.seal(id, String(count));
    const { epoch } = anna.summary(id);
    const comes = random.below(20) > 0;
    if (comes && (await ben.read(id, bytes)) !== String(count)) throw new Error("not read");
    read.push({ bytes, epoch });
    if (random.below(200) === 0 && count < messages) {
      await orderCommit(id, anna, {}, { others: [ben] });
    }
    if (!looks.has(count)) continue;
    const { epoch: present } = anna.summary(id);
    const fresh = await anna.seal(id, "after what was jumped over");
    // What wasn't read yet it opens: the seat is a good one.
    if (!(await new Seat(ben).opens(fresh, present))) throw new Error("this seat opens nothing");
    await ben.read(id, fresh);
    const seat = new Seat(ben);
    for (const message of read) {
      tries += 1;
      if (await seat.opens(message.bytes, message.epoch)) opened += 1;
    }
  }
  return { victims: messages, tries, opened };
}

/** `npm run test:scenario -- attackers`. @param say - gets a line for each part */
export async function runAttackers(say: (text: string) => void): Promise<boolean> {
  const removed = await removeMembers(1000, 1);
  say(`removals: ${describe(removed)}`);
  const read = await readMessages(10_000, 1);
  say(`messages read: ${describe(read)}`);
  return removed.opened + read.opened === 0;
}

function describe({ victims, tries, opened }: Outcome): string {
  return `${String(victims)}, ${String(tries)} tries with kept states, ${String(opened)} opened`;
}
