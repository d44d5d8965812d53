import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  decodeRecord,
  idFromBytes,
  suiteNames,
  decodeCbor,
  type DeviceId,
  type DirectoryEntry,
  type Frame,
  type PersonDetailsView,
  type Policy,
  type SignedRecord,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { HostileRelay } from "../../support/hostile-relay.ts";
import { TestKey, testBytes } from "../../support/relay-identity.ts";

/*
 * What a relay can do with what it tells of itself, of people and their devices, of the policy, and with the frames themselves. Nothing of it is
 * believed, and what is refused is said.
 */

let world: World;
let ada: Person;
let ben: Person;
let cem: Person;
let relay: HostileRelay;

beforeAll(async () => {
  world = await World.start();
  [ada, ben, cem] = (await world.people("Ada", "Ben", "Cem")) as [Person, Person, Person];
});
afterAll(() => world.dispose());
beforeEach(() => {
  relay = new HostileRelay(ben);
});
afterEach(async () => {
  relay.repent();
  ben.client.retryNow();
  await ben.online();
});

/** Ben loses his connection, and gets one on which the relay does what it was told to. */
function connectAnew(): void {
  ben.cable.unplug();
  ben.cable.plug();
  ben.client.retryNow();
}

async function expectRefused(code: string): Promise<void> {
  await until(`Ben is told: ${code}`, () => relay.told.has(code)).catch((cause: unknown) => {
    throw new Error(`told: ${[...relay.told].join(", ")}`, { cause });
  });
}

const peopleOf = (person: Person): Promise<readonly PersonDetailsView[]> =>
  person.client.commands["people.list"]({});

type Hello = Readonly<Record<string, unknown>> & {
  readonly network: Readonly<Record<string, unknown>>;
};

function onHello(change: (hello: Hello) => Readonly<Record<string, unknown>>): void {
  relay.event("hello", (body) => change(body as Hello));
  connectAnew();
}

const dayMs = 86_400_000;
const stranger = new TestKey();

/** A record of ours, signed anew by somebody else. */
const forged = (record: SignedRecord, label: string): SignedRecord => ({
  payload: record.payload,
  signature: stranger.signMessage(label, record.payload),
});

async function policyOf(changes: Partial<Policy>): Promise<SignedRecord> {
  await ada.loadNetworkKey();
  const policy = readFact(ada.vault, "policy");
  if (policy === undefined) throw new Error("no policy");
  const value = { ...decodeRecord("policy", policy.payload), ...changes };
  return (await ada.worker.call("record.sign", { kind: "policy", value })).record;
}

describe("a relay that says of itself", () => {
  test("that it serves another network", async () => {
    onHello((hello) => ({
      ...hello,
      network: { ...hello.network, networkKey: stranger.publicKey },
    }));
    await expectRefused("relay-identity-changed");
  });

  test("that another key issues user records", async () => {
    onHello((hello) => ({ ...hello, issuerKey: stranger.publicKey }));
    await expectRefused("relay-identity-changed");
  });

  test("that somebody else has certified its key", async () => {
    onHello((hello) => ({
      ...hello,
      network: {
        ...hello.network,
        issuerCertificate: forged(
          hello.network["issuerCertificate"] as SignedRecord,
          "IssuerCertificate",
        ),
      },
    }));
    await expectRefused("relay-identity-changed");
  });

  test("that it serves no network any more", async () => {
    onHello((hello) => ({ ...hello, network: null }));
    await expectRefused("relay-identity-changed");
  });

  test("that it speaks only a protocol nobody knows", async () => {
    onHello((hello) => ({ ...hello, protocolVersions: [999] }));
    await until("Ben is off line, with a reason", () => relay.told.size > 0);
  });

  test("that it is tomorrow already", async () => {
    relay.answer("session.signIn", (result) => ({ ...result, relayTimeMs: Date.now() + dayMs }));
    connectAnew();
    await expectRefused("clock-differs");
  });

  test("that it is still yesterday", async () => {
    relay.answer("session.signIn", (result) => ({ ...result, relayTimeMs: Date.now() - dayMs }));
    connectAnew();
    await expectRefused("clock-differs");
  });

  test("a challenge that is too short to be one", async () => {
    onHello((hello) => ({ ...hello, challenge: new Uint8Array(31) }));
    await expectRefused("frame-malformed");
  });
});

describe("a relay that gives out a policy", () => {
  test("older than the one that is known", async () => {
    const older = await policyOf({ version: 0 });
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy: older } });
    await expectRefused("policy-rollback");
  });

  test("signed by somebody else", async () => {
    const policy = forged(await policyOf({ version: 99 }), "Policy");
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await expectRefused("signature-invalid");
  });

  test("with its terms changed", async () => {
    const { payload, signature } = await policyOf({ version: 99 });
    const policy = { payload: payload.with(payload.length - 1, payload.at(-1)! ^ 1), signature };
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await expectRefused("signature-invalid");
  });

  test("of another network", async () => {
    const other = { networkId: idFromBytes<Policy["networkId"]>(testBytes(16)), version: 99 };
    const policy = await policyOf(other);
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await expectRefused("record-invalid");
  });
});

describe("a relay that changes the directory", () => {
  type Entry = Omit<DirectoryEntry, "version">;

  /** As the relay gave it out: what Cem has kept of it. */
  function directory(): { readonly entries: readonly Entry[]; readonly version: number } {
    const entries = cem.vault.read("directory", []).map((row): Entry => {
      const kept = decodeCbor(row["entry"] as Uint8Array, 1_000_000) as Entry;
      const { user, devices, revocations, suspension } = kept;
      return { user, devices, revocations, suspension };
    });
    return { entries, version: readFact(ben.vault, "directoryVersion") ?? 0 };
  }

  /** Tells Ben that Ada's entry has changed, and gives him this one. */
  async function giveEntry(change: (entry: Entry) => Entry): Promise<void> {
    const { entries, version } = directory();
    const adas = entries.find(
      ({ user }) => decodeRecord("user", user.payload).userId === ada.userId,
    )!;
    let given = false;
    relay.answer("directory.list", () => {
      given = true;
      return { entries: [{ ...change(adas), version: version + 1 }], version: version + 1 };
    });
    ben.cable.deliver({
      kind: "event",
      name: "directory.changed",
      body: { version: version + 1 },
    });
    await until("Ben has fetched it", () => given);
    await until("Ben has taken it", async () => (await peopleOf(ben)).length === 3);
  }

  const adaOf = async () => (await peopleOf(ben)).find(({ userId }) => userId === ada.userId);

  test("by a device that its person has not signed", async () => {
    const before = await adaOf();
    await giveEntry((entry) => {
      const record = stranger.signRecord("device", {
        ...decodeRecord("device", entry.devices[0]!.payload),
        deviceId: idFromBytes<DeviceId>(testBytes(16)),
        deviceName: "A quiet listener",
        signatureKey: stranger.publicKey,
      });
      return { ...entry, devices: [...entry.devices, record] };
    });
    expect(await adaOf()).toEqual(before);
  });

  test("by another key in the place of a device's: the device stays who it was", async () => {
    const before = await adaOf();
    await giveEntry((entry) => {
      const device = decodeRecord("device", entry.devices[0]!.payload);
      const record = stranger.signRecord("device", { ...device, signatureKey: stranger.publicKey });
      return { ...entry, devices: [record] };
    });
    await expectKnown(before);
  });

  test("by leaving a device out that nobody has revoked: it stays known", async () => {
    const before = await adaOf();
    await giveEntry((entry) => ({ ...entry, devices: [] }));
    await expectKnown(before);
  });

  /** Also after a start, by what is stored; and what is said to Ada's device is read there. */
  async function expectKnown(before: PersonDetailsView | undefined): Promise<void> {
    expect(await adaOf()).toEqual(before);
    relay.repent();
    await ben.restart();
    await ben.online();
    expect(await adaOf()).toEqual(before);
    const direct = await ben.create("direct", [ada]);
    await ben.look(direct);
    await ada.finds(direct);
    await ben.say(direct, "to Ada alone");
    await ada.sees(direct, "to Ada alone");
  }

  test("by a user record that the issuer has not signed", async () => {
    await giveEntry((entry) => {
      const user = decodeRecord("user", entry.user.payload);
      return { ...entry, user: stranger.signRecord("user", { ...user, displayName: "Adam" }) };
    });
    expect((await adaOf())?.displayName).toBe("Ada");
  });

  test("by versions that go backwards", async () => {
    const { entries, version } = directory();
    relay.answer("directory.list", () => ({
      entries: entries.map((entry, index) => ({
        ...entry,
        version: version + 10 - index,
      })),
      version: version + 10,
    }));
    ben.cable.deliver({
      kind: "event",
      name: "directory.changed",
      body: { version: version + 10 },
    });
    await expectRefused("frame-out-of-order");
  });

  test("by forgetting everybody: nobody is forgotten here", async () => {
    let asked = 0;
    relay.answer("directory.list", () => {
      asked += 1;
      return { entries: [], version: 0 };
    });
    ben.cable.deliver({ kind: "event", name: "directory.changed", body: { version: 1_000_000 } });
    await until("it was asked", () => asked > 0);
    expect((await peopleOf(ben)).length).toBe(3);
  });
});

describe("a relay that hands out key packages", () => {
  const create = () =>
    ben.client.commands["conversation.create"]({
      kind: "group",
      people: [cem.userId],
      name: "The two of us",
      timers: null,
    });

  function handOut(change: (bytes: Uint8Array) => Uint8Array): void {
    relay.answer("keyPackages.claim", (result) => ({
      ...result,
      keyPackages: (result["keyPackages"] as readonly { readonly bytes: Uint8Array }[]).map(
        (each) => ({ ...each, bytes: change(each.bytes) }),
      ),
    }));
  }

  async function expectNobodyAdded(codes: readonly string[]): Promise<void> {
    const before = (await ben.client.commands["conversations.list"]({})).length;
    const code = await create().then(
      () => "none",
      (error: unknown) => (error as { readonly code: string }).code,
    );
    expect(codes).toContain(code);
    expect((await ben.client.commands["conversations.list"]({})).length).toBe(before);
  }

  test("of somebody else's device: whom it chose doesn't come in", async () => {
    const { keyPackages } = await ada.worker.call("keyPackages.generate", {
      suite: suiteNames.default,
      count: 1,
      lastResort: false,
    });
    handOut(() => keyPackages[0]!.bytes);
    await expectNobodyAdded(["key-package-foreign"]);
  });

  test("with another key in it", async () => {
    handOut((bytes) => bytes.with(200, bytes[200]! ^ 1));
    await expectNobodyAdded(["signature-invalid", "commit-refused"]);
  });

  test("that are cut short", async () => {
    handOut((bytes) => bytes.slice(0, -40));
    await expectNobodyAdded(["key-package-foreign"]);
  });

  test("of another suite", async () => {
    const { keyPackages } = await cem.worker.call("keyPackages.generate", {
      suite: suiteNames.aes128,
      count: 1,
      lastResort: false,
    });
    handOut(() => keyPackages[0]!.bytes);
    await expectNobodyAdded(["commit-refused"]);
  });

  test("of nobody: that is said after some tries", async () => {
    relay.answer("keyPackages.claim", () => ({ keyPackages: [null], lacking: [] }));
    await expectNobodyAdded(["key-packages-exhausted"]);
  });
});

describe("a relay whose frames", () => {
  const frames: Readonly<Record<string, Frame | Uint8Array>> = {
    "are noise": testBytes(300),
    "are empty": new Uint8Array(),
    "are larger than any may be": new Uint8Array(5 * 1024 * 1024),
    "answer what was never asked": { kind: "response", id: 4_000_000, result: {} },
    "tell of events that there are none of": { kind: "event", name: "secret.reveal", body: {} },
    "tell of an event in the wrong shape": { kind: "event", name: "group.entry", body: { a: 1 } },
    "ask something of the client": { kind: "request", id: 1, method: "policy.get", params: {} },
  };

  test.each(Object.keys(frames))("%s", async (name) => {
    ben.cable.deliver(frames[name]!);
    await until("Ben has left it, with a reason", () => relay.told.size > 0);
    ben.client.retryNow();
    await ben.online();
  });

  test("answer in the wrong shape", async () => {
    relay.answer("group.list", () => ({ groups: "all of them" }));
    connectAnew();
    await until("Ben has left it, with a reason", () => relay.told.size > 0);
  });
});

describe("a relay that wants a conversation joined anew", () => {
  test("by a GroupInfo that it has changed: nothing is said in it, and that is shown", async () => {
    const direct = await ada.create("direct", [ben]);
    await ben.finds(direct);
    relay.answer("group.info", (result) => {
      const groupInfo = result["groupInfo"] as Uint8Array;
      return { ...result, groupInfo: groupInfo.with(60, groupInfo[60]! ^ 1) };
    });
    // It says so by claiming to know a later vault than this one.
    relay.answer("session.signIn", (result) => ({ ...result, highestVaultSequence: 10_000_000 }));
    connectAnew();
    await until("Ben is told", () => (ben.client.rejoining ?? 0) > 0);
    const messageId = await ben.say(direct, "is anybody there?");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(ben.shown.get(direct)?.get(messageId)).toMatchObject({ delivery: { kind: "waiting" } });
    relay.repent();
    await ben.reconnect();
    await until("everything is joined", () => ben.client.rejoining === 0);
    await ada.look(direct);
    await ada.sees(direct, "is anybody there?");
  });
});
