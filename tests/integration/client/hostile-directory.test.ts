import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  decodeCbor,
  decodeRecord,
  idFromBytes,
  type ConversationId,
  type DeviceId,
  type DirectoryEntry,
  type PersonDetailsView,
  type SignedRecord,
  type UserId,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { playing } from "../../support/hostile/attack.ts";
import { HostileRelay } from "../../support/hostile/hostile-relay.ts";
import { issuedUser } from "../../support/reissue.ts";
import { TestKey } from "../../support/relay-identity.ts";

/*
 * What a relay can do with what it tells of people and their devices. Nothing of it is believed, nothing that was known is forgotten, and the person is told
 * once what was refused, and of whom: see `attacks.ts`.
 */

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let direct: ConversationId;
let relay: HostileRelay;

beforeAll(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
  direct = await ada.create("direct", [ben]);
  await ada.look(direct);
  await ben.finds(direct);
});
afterAll(() => world.dispose());
beforeEach(() => {
  relay = new HostileRelay(ben);
  ben.told.clear();
});
afterEach(async () => {
  relay.repent();
  ben.client.retryNow();
  await ben.online();
  await read();
});

/** Ben has read what he was told. */
async function read(): Promise<void> {
  for (const { kind } of ben.client.ownNotices) {
    if (kind !== "own-device") await ben.client.commands["verification.dismiss"]({ kind });
  }
}

type Entry = Omit<DirectoryEntry, "version">;

const stranger = new TestKey();
const newId = () => crypto.getRandomValues(new Uint8Array(16));

/** As the relay gave it out: what Cem has kept of it. */
function entryOf(person: Person): Entry {
  const entries = cem.vault.read("directory", []).map((row): Entry => {
    const kept = decodeCbor(row["entry"] as Uint8Array, 1_000_000) as Entry;
    const { user, devices, revocations, suspension } = kept;
    return { user, devices, revocations, suspension };
  });
  return entries.find(({ user }) => userOf(user).userId === person.userId)!;
}

const userOf = (record: SignedRecord) => decodeRecord("user", record.payload);
const deviceOf = ({ devices }: Entry) => decodeRecord("device", devices[0]!.payload);

const knownVersion = (): number => readFact(ben.vault, "directoryVersion") ?? 0;

/** Tells Ben that the directory has changed, and gives him this for an entry. */
async function give(entry: Entry): Promise<void> {
  const version = knownVersion() + 1;
  relay.answer("directory.list", () => ({ entries: [{ ...entry, version }], version }));
  ben.cable.deliver({ kind: "event", name: "directory.changed", body: { version } });
  await until("Ben has taken it", () => knownVersion() === version);
}

const people = (): Promise<readonly PersonDetailsView[]> => ben.client.commands["people.list"]({});

/** Whatever was refused: people are who they were, also after a start, and what is said to Ada's device is read there. */
async function expectUnharmed(before: readonly PersonDetailsView[]): Promise<void> {
  expect(await people()).toEqual(before);
  relay.repent();
  await ben.restart();
  await ben.online();
  expect(await people()).toEqual(before);
  await ben.look(direct);
  const text = `to Ada alone, ${crypto.randomUUID()}`;
  await ben.say(direct, text);
  await ada.sees(direct, text);
}

/** A device of somebody's that a stranger has signed. */
const listener = (entry: Entry): SignedRecord =>
  stranger.signRecord("device", {
    ...deviceOf(entry),
    deviceId: idFromBytes<DeviceId>(newId()),
    deviceName: "A quiet listener",
    signatureKey: stranger.publicKey,
  });

describe("a relay that tells of the directory", () => {
  const attack = playing("of the directory");

  const entries = {
    "a device that its person has not signed": (entry) => ({
      ...entry,
      devices: [...entry.devices, listener(entry)],
    }),
    "a device less, that nobody has revoked": (entry) => ({ ...entry, devices: [] }),
    "another key in the place of a device's": (entry) => {
      const signatureKey = stranger.publicKey;
      return {
        ...entry,
        devices: [stranger.signRecord("device", { ...deviceOf(entry), signatureKey })],
      };
    },
    "a revocation that its person has not signed": (entry) => {
      const { networkId, userId, deviceId } = deviceOf(entry);
      const value = { networkId, userId, deviceId, revokedAtMs: Date.now() };
      return { ...entry, revocations: [stranger.signRecord("revocation", value)] };
    },
    "a suspension that the network has not signed": (entry) => {
      const { networkId, userId } = deviceOf(entry);
      const value = { networkId, userId, suspended: true, issuedAtMs: Date.now() };
      return { ...entry, suspension: stranger.signRecord("suspension", value) };
    },
    "a user record that the issuer has not signed": (entry) => ({
      ...entry,
      user: stranger.signRecord("user", { ...userOf(entry.user), displayName: "Adam" }),
    }),
    "an older user record than the one that is known": async (entry) => {
      const user = userOf(entry.user);
      const issuedAtMs = user.issuedAtMs - 1;
      return { ...entry, user: await issuedUser(world.relay, { ...user, issuedAtMs }) };
    },
  } as const satisfies Readonly<Record<string, (entry: Entry) => Entry | Promise<Entry>>>;

  for (const way of Object.keys(entries) as (keyof typeof entries)[]) {
    attack(way, async (named) => {
      const before = await people();
      await give(await entries[way](entryOf(ada)));
      await named(ben, direct);
      const { userId } = ada;
      expect(ben.client.ownNotices).toEqual([
        { kind: "relay-objections", people: [{ userId, displayName: "Ada" }] },
      ]);
      await expectUnharmed(before);
    });
  }

  attack("somebody whom the issuer has not signed", async (named) => {
    const before = await people();
    const entry = entryOf(ada);
    const userId = idFromBytes<UserId>(newId());
    const user = stranger.signRecord("user", { ...userOf(entry.user), userId });
    await give({ user, devices: [], revocations: [], suspension: null });
    await named(ben);
    await expectUnharmed(before);
  });

  attack("a further device of who asks", async (named) => {
    const before = await people();
    const entry = entryOf(ben);
    await give({ ...entry, devices: [...entry.devices, listener(entry)] });
    await named(ben);
    await expectUnharmed(before);
    expect((await ben.client.commands["devices.list"]({})).length).toBe(1);
  });

  attack("versions that go backwards", async (named) => {
    const version = knownVersion() + 10;
    const page = [ada, cem].map((person, index) => ({
      ...entryOf(person),
      version: version - index,
    }));
    relay.answer("directory.list", () => ({ entries: page, version }));
    ben.cable.deliver({ kind: "event", name: "directory.changed", body: { version } });
    await named(ben);
  });

  attack("nobody any more", async (named) => {
    const before = await people();
    await give(entryOf(ada));
    relay.answer("directory.list", () => ({ entries: [], version: 0 }));
    ben.cable.deliver({ kind: "event", name: "directory.changed", body: { version: 1_000_000 } });
    await named(ben);
    await expectUnharmed(before);
  });

  attack("at sign-in, an older state", async (named) => {
    const before = await people();
    await give(entryOf(ada));
    relay.answer("session.signIn", (result) => ({ ...result, directoryVersion: 1 }));
    relay.answer("directory.list", () => ({ entries: [], version: 1 }));
    ben.cable.unplug();
    ben.cable.plug();
    ben.client.retryNow();
    await named(ben);
    await expectUnharmed(before);
  });

  test("is told of once, until that was read, however often it gives the same", async () => {
    const objections = (): number =>
      ben.lines(direct).filter((kind) => kind === "relay-objection").length;
    const before = objections();
    const entry = entryOf(ada);
    const forged = { ...entry, devices: [...entry.devices, listener(entry)] };
    await give(forged);
    await until("Ben is told", () => objections() > before);
    await give({ ...forged, devices: [...forged.devices, listener(entry)] });
    await ben.restart();
    expect(ben.client.ownNotices).toMatchObject([{ kind: "relay-objections" }]);
    await ben.online();
    await ben.look(direct);
    expect(objections()).toBe(before + 1);
    await read();
    relay = new HostileRelay(ben);
    await give(forged);
    expect(ben.client.ownNotices).toEqual([]);
    expect(objections()).toBe(before + 1);
  });
});
