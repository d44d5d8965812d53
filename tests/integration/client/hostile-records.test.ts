import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import {
  decodeRecord,
  idFromBytes,
  suiteNames,
  type Frame,
  type Policy,
  type SignedRecord,
} from "#protocol";
import { readFact } from "../../../electron/client/store/facts.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { answerTo, playing } from "../../support/hostile/attack.ts";
import { HostileRelay } from "../../support/hostile/hostile-relay.ts";
import type { Telling } from "../../support/hostile/tellings.ts";
import { TestKey, testBytes } from "../../support/relay-identity.ts";

/*
 * What a relay can do with what it tells of itself and of the policy, with key packages and with the frames themselves. Nothing of it is believed, and
 * what is refused is said: see `attacks.ts`.
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
  ben.told.clear();
});
afterEach(async () => {
  relay.repent();
  ben.client.retryNow();
  await ben.online();
});

/** Ben loses his connection, and gets one on which the relay does what it was told to. */
async function connectAnew(): Promise<void> {
  ben.cable.unplug();
  await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
  ben.cable.plug();
  ben.client.retryNow();
}

type Hello = Readonly<Record<string, unknown>> & {
  readonly network: Readonly<Record<string, unknown>>;
};

async function onHello(change: (hello: Hello) => Readonly<Record<string, unknown>>): Promise<void> {
  relay.event("hello", (body) => change(body as Hello));
  await connectAnew();
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
  const attack = playing("of itself");

  attack("that it serves another network", async (named) => {
    await onHello((hello) => ({
      ...hello,
      network: { ...hello.network, networkKey: stranger.publicKey },
    }));
    await named(ben);
  });

  attack("that another key issues user records", async (named) => {
    await onHello((hello) => ({ ...hello, issuerKey: stranger.publicKey }));
    await named(ben);
  });

  attack("that somebody else has certified its key", async (named) => {
    await onHello((hello) => ({
      ...hello,
      network: {
        ...hello.network,
        issuerCertificate: forged(
          hello.network["issuerCertificate"] as SignedRecord,
          "IssuerCertificate",
        ),
      },
    }));
    await named(ben);
  });

  attack("that it serves no network any more", async (named) => {
    await onHello((hello) => ({ ...hello, network: null }));
    await named(ben);
  });

  attack("that it speaks only a protocol nobody knows", async (named) => {
    await onHello((hello) => ({ ...hello, protocolVersions: [999] }));
    await named(ben);
  });

  attack("that it is tomorrow already", async (named) => {
    relay.answer("session.signIn", (result) => ({ ...result, relayTimeMs: Date.now() + dayMs }));
    await connectAnew();
    await named(ben);
  });

  attack("that it is still yesterday", async (named) => {
    relay.answer("session.signIn", (result) => ({ ...result, relayTimeMs: Date.now() - dayMs }));
    await connectAnew();
    await named(ben);
  });

  attack("a challenge that is too short to be one", async (named) => {
    await onHello((hello) => ({ ...hello, challenge: new Uint8Array(31) }));
    await named(ben);
  });
});

describe("a relay that gives out a policy", () => {
  const attack = playing("of the policy");

  attack("older than the one that is known", async (named) => {
    const older = await policyOf({ version: 0 });
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy: older } });
    await named(ben);
  });

  attack("signed by somebody else", async (named) => {
    const policy = forged(await policyOf({ version: 99 }), "Policy");
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await named(ben);
  });

  attack("with its terms changed", async (named) => {
    const { payload, signature } = await policyOf({ version: 99 });
    const policy = { payload: payload.with(payload.length - 1, payload.at(-1)! ^ 1), signature };
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await named(ben);
  });

  attack("of another network", async (named) => {
    const other = { networkId: idFromBytes<Policy["networkId"]>(testBytes(16)), version: 99 };
    const policy = await policyOf(other);
    ben.cable.deliver({ kind: "event", name: "policy.changed", body: { policy } });
    await named(ben);
  });
});

describe("a relay that hands out key packages", () => {
  const attack = playing("of key packages");
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

  /** Nobody is added. @returns what Ben is answered */
  async function refused(): Promise<Telling> {
    const before = (await ben.client.commands["conversations.list"]({})).length;
    const answer = await answerTo(create());
    expect((await ben.client.commands["conversations.list"]({})).length).toBe(before);
    return answer;
  }

  attack("of somebody else's device", async (named) => {
    const { keyPackages } = await ada.worker.call("keyPackages.generate", {
      suite: suiteNames.default,
      count: 1,
      lastResort: false,
    });
    handOut(() => keyPackages[0]!.bytes);
    named.by(await refused());
  });

  attack("with another key in it", async (named) => {
    handOut((bytes) => bytes.with(200, bytes[200]! ^ 1));
    named.by(await refused());
  });

  attack("that are cut short", async (named) => {
    handOut((bytes) => bytes.slice(0, -40));
    named.by(await refused());
  });

  attack("of another suite", async (named) => {
    const { keyPackages } = await cem.worker.call("keyPackages.generate", {
      suite: suiteNames.aes128,
      count: 1,
      lastResort: false,
    });
    handOut(() => keyPackages[0]!.bytes);
    named.by(await refused());
  });

  attack("of nobody", async (named) => {
    relay.answer("keyPackages.claim", () => ({ keyPackages: [null], lacking: [] }));
    named.by(await refused());
  });
});

describe("a relay whose frames", () => {
  const attack = playing("of frames");
  const frames = {
    "are noise": testBytes(300),
    "are empty": new Uint8Array(),
    "are larger than any may be": new Uint8Array(5 * 1024 * 1024),
    "answer what was never asked": { kind: "response", id: 4_000_000, result: {} },
    "tell of events that there are none of": { kind: "event", name: "secret.reveal", body: {} },
    "tell of an event in the wrong shape": { kind: "event", name: "group.entry", body: { a: 1 } },
    "ask something of the client": { kind: "request", id: 1, method: "policy.get", params: {} },
  } as const satisfies Readonly<Record<string, Frame | Uint8Array>>;

  for (const way of Object.keys(frames) as (keyof typeof frames)[]) {
    attack(way, async (named) => {
      ben.cable.deliver(frames[way]);
      await named(ben);
      ben.client.retryNow();
      await ben.online();
    });
  }

  attack("answer in the wrong shape", async (named) => {
    relay.answer("group.list", () => ({ groups: "all of them" }));
    await connectAnew();
    await named(ben);
  });
});

describe("a relay that wants a conversation joined anew", () => {
  const attack = playing("of a rejoin");

  attack("by a GroupInfo that it has changed", async (named) => {
    const direct = await ada.create("direct", [ben]);
    await ben.finds(direct);
    relay.answer("group.info", (result) => {
      const groupInfo = result["groupInfo"] as Uint8Array;
      return { ...result, groupInfo: groupInfo.with(60, groupInfo[60]! ^ 1) };
    });
    // It says so by claiming to know a later vault than this one.
    relay.answer("session.signIn", (result) => ({ ...result, highestVaultSequence: 10_000_000 }));
    await connectAnew();
    await until("it is to be joined anew", () => (ben.client.rejoining ?? 0) > 0);
    await named(ben);
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
