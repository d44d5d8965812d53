import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  decodeFrame,
  encodeFrame,
  groupEntrySchema,
  inboxEntrySchema,
  isErrorCode,
  maxPageEntries,
  maxRosterDevices,
  parse,
  relayEvents,
  relayMethods,
  type RelayMethodName,
} from "#protocol";
import { errorWith } from "../../../support/protocol.ts";

const id = "AAAAAAAAAAAAAAAAAAAAAA";
const otherId = "AAAAAAAAAAAAAAAAAAAAAQ";
const messageId = "A".repeat(43);
const record = { payload: new Uint8Array(3), signature: new Uint8Array(64) };
const bytes = Uint8Array.of(1, 2, 3);

/** Parameters that each method takes. */
const good: Readonly<Record<RelayMethodName, Readonly<Record<string, unknown>>>> = {
  "network.claim": {
    claimCode: "1234-5678",
    networkKey: new Uint8Array(32),
    issuerCertificate: record,
    policy: record,
  },
  "invite.redeem": {
    token: new Uint8Array(16),
    displayName: "Ada",
    accountKey: new Uint8Array(32),
    userId: id,
    device: record,
  },
  "session.signIn": {
    protocolVersion: 1,
    deviceId: id,
    signature: new Uint8Array(64),
    vaultSequence: 0,
  },
  "policy.get": {},
  "policy.set": { policy: record },
  "invite.create": { expiresAtMs: 1, uses: 1 },
  "invite.list": {},
  "invite.revoke": { inviteId: id },
  "directory.list": { afterVersion: 0 },
  "device.add": { device: record },
  "device.revoke": { revocation: record },
  "user.suspend": { suspension: record },
  "keyPackages.publish": { keyPackages: [bytes], lastResort: null },
  "keyPackages.claim": { devices: [id, otherId] },
  "group.create": { conversationId: id, groupInfo: bytes },
  "group.commit": {
    conversationId: id,
    epoch: 0,
    bytes,
    groupInfo: bytes,
    add: [id],
    remove: [],
    welcome: bytes,
  },
  "group.reject": {
    conversationId: id,
    epoch: 1,
    sequence: 2,
    commitHash: new Uint8Array(32),
    signature: new Uint8Array(64),
  },
  "group.append": { conversationId: id, epoch: 0, messageId, expiresAtMs: null, bytes },
  "group.read": { conversationId: id, afterSequence: 0, limit: maxPageEntries },
  "group.acknowledge": { conversationId: id, sequence: 1 },
  "group.drop": { conversationId: id, sequences: [1, 2] },
  "group.list": {},
  "group.info": { conversationId: id },
  "inbox.read": { afterSequence: 0 },
  "inbox.acknowledge": { sequence: 0 },
  "rendezvous.open": { rendezvousId: id, lifetimeMs: 600_000 },
  "rendezvous.close": { rendezvousId: id },
  "rendezvous.send": { rendezvousId: id, seat: new Uint8Array(16), sequence: 1, bytes },
  "rendezvous.receive": { rendezvousId: id, seat: null, afterSequence: 0 },
};
const names = Object.keys(relayMethods) as RelayMethodName[];

describe.each(names)("%s", (name) => {
  const { params, errors } = relayMethods[name];

  test("takes its parameters as they come out of a frame", () => {
    const frame = decodeFrame(
      encodeFrame({ kind: "request", id: 1, method: name, params: good[name] }),
    );
    expect(frame).toMatchObject({ kind: "request", method: name });
    if (frame.kind === "request") expect(parse(params, frame.params)).toEqual(good[name]);
  });

  test("refuses them with one missing, one more, or one of another type", () => {
    for (const key of Object.keys(good[name])) {
      const { [key]: _left, ...rest } = good[name];
      expect(() => parse(params, rest)).toThrow(errorWith("frame-malformed", { path: key }));
      expect(() => parse(params, { ...rest, [key]: { a: 1 } })).toThrow(
        errorWith("frame-malformed"),
      );
    }
    expect(() => parse(params, { ...good[name], more: 1 })).toThrow(errorWith("frame-malformed"));
    expect(() => parse(params, null)).toThrow(errorWith("frame-malformed"));
    expect(() => parse(params, "text")).toThrow(errorWith("frame-malformed"));
  });

  test("names errors that exist, each once", () => {
    expect(errors.every(isErrorCode)).toBe(true);
    expect(new Set<string>(errors).size).toBe(errors.length);
  });
});

describe("before sign-in", () => {
  test("only claiming, redeeming and signing in are open", () => {
    const open = names.filter((name) => relayMethods[name].access === "open");
    expect(open).toEqual(["network.claim", "invite.redeem", "session.signIn"]);
  });
});

describe("limits", () => {
  test.each<[RelayMethodName, string, unknown]>([
    ["network.claim", "claimCode", "x".repeat(65)],
    ["invite.create", "uses", 0],
    ["invite.create", "uses", 1001],
    ["keyPackages.publish", "keyPackages", new Array(201).fill(bytes)],
    ["keyPackages.publish", "keyPackages", [new Uint8Array(16_385)]],
    ["keyPackages.claim", "devices", new Array(maxRosterDevices + 1).fill(id)],
    ["group.commit", "add", new Array(maxRosterDevices + 1).fill(id)],
    ["group.read", "limit", 0],
    ["group.read", "limit", maxPageEntries + 1],
    ["group.drop", "sequences", new Array(maxPageEntries + 1).fill(1)],
    ["group.append", "expiresAtMs", -1],
    ["group.append", "messageId", id],
    ["session.signIn", "vaultSequence", 2 ** 53],
  ])("%s refuses %s beyond its bounds", (name, key, value) => {
    expect(() => parse(relayMethods[name].params, { ...good[name], [key]: value })).toThrow(
      errorWith("frame-malformed"),
    );
  });
});

describe("log and inbox entries", () => {
  const application = {
    kind: "application",
    sequence: 1,
    epoch: 0,
    sender: id,
    receivedAtMs: 1,
    expiresAtMs: 2,
    bytes,
  };
  const commit = { kind: "commit", sequence: 1, epoch: 0, sender: id, receivedAtMs: 1, bytes };

  test("are taken by kind", () => {
    for (const entry of [application, commit, { kind: "dropped", sequence: 1 }]) {
      expect(parse(groupEntrySchema, entry)).toEqual(entry);
    }
  });

  test.each([
    ["a commit that expires", { ...commit, expiresAtMs: 1 }],
    ["a dropped entry with bytes", { kind: "dropped", sequence: 1, bytes }],
    ["an unknown kind", { kind: "proposal", sequence: 1 }],
    ["no kind", { sequence: 1 }],
    ["a message without its end", { ...application, expiresAtMs: undefined }],
  ])("are refused: %s", (_name, entry) => {
    expect(v.is(groupEntrySchema, entry)).toBe(false);
  });

  test("of an inbox are Welcomes only", () => {
    const welcome = {
      sequence: 1,
      kind: "welcome",
      conversationId: id,
      groupSequence: 1,
      sender: id,
      receivedAtMs: 1,
      bytes,
    };
    expect(parse(inboxEntrySchema, welcome)).toEqual(welcome);
    expect(v.is(inboxEntrySchema, { ...welcome, kind: "control" })).toBe(false);
  });
});

describe("hello", () => {
  const hello = {
    protocolVersions: [1],
    challenge: new Uint8Array(32),
    relayTimeMs: 1,
    issuerKey: new Uint8Array(32),
    network: null,
  };

  test("is taken from a relay with and without a network", () => {
    const network = {
      networkId: id,
      networkKey: new Uint8Array(32),
      issuerCertificate: record,
      policy: record,
    };
    expect(parse(relayEvents.hello, hello)).toEqual(hello);
    expect(parse(relayEvents.hello, { ...hello, network })).toEqual({ ...hello, network });
  });

  test.each([
    { protocolVersions: [] },
    { protocolVersions: new Array(21).fill(1) },
    { challenge: new Uint8Array(31) },
    { issuerKey: new Uint8Array(33) },
    { network: {} },
    { more: 1 },
  ])("is refused with %j", (change) => {
    expect(v.is(relayEvents.hello, { ...hello, ...change })).toBe(false);
  });
});
