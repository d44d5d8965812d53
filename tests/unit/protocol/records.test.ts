import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeCbor,
  decodeRecord,
  encodeCbor,
  encodeRecord,
  parse,
  recordKinds,
  signInPayload,
  signedRecordSchema,
  signingInput,
  toHex,
  type RecordKindName,
  type RecordValue,
} from "#protocol";
import {
  bytesOf,
  deviceId,
  networkId,
  personName,
  timestampMs,
  userId,
} from "../../support/protocol-arbitraries.ts";
import { errorWith, fromHex } from "../../support/protocol.ts";

const records: { readonly [Kind in RecordKindName]: fc.Arbitrary<RecordValue<Kind>> } = {
  issuerCertificate: fc
    .record({
      networkId,
      issuerKey: bytesOf(32),
      notBeforeMs: timestampMs,
      lifeMs: fc.integer({ min: 1 }),
    })
    .map(({ lifeMs, ...rest }) => ({ ...rest, notAfterMs: rest.notBeforeMs + lifeMs })),
  user: fc.record({
    networkId,
    userId,
    displayName: personName,
    role: fc.constantFrom("administrator" as const, "member" as const),
    accountKey: bytesOf(32),
    issuedAtMs: timestampMs,
  }),
  device: fc.record({
    networkId,
    userId,
    deviceId,
    deviceName: personName,
    platform: fc.constantFrom("linux", "darwin", "win32"),
    signatureKey: bytesOf(32),
    createdAtMs: timestampMs,
  }),
  revocation: fc.record({ networkId, userId, deviceId, revokedAtMs: timestampMs }),
  suspension: fc.record({
    networkId,
    userId,
    suspended: fc.boolean(),
    issuedAtMs: timestampMs,
  }),
  policy: fc.record({
    networkId,
    networkName: personName,
    version: fc.nat(),
    issuedAtMs: timestampMs,
    maxExpirationSeconds: fc.integer({ min: 5000, max: 10_000 }),
    defaultExpirationSeconds: fc.integer({ min: 5, max: 5000 }),
    membersMayInvite: fc.boolean(),
  }),
};
const kinds = Object.keys(recordKinds) as RecordKindName[];

describe.each(kinds)("a record of kind %s", (kind) => {
  const values: fc.Arbitrary<RecordValue<RecordKindName>> = records[kind];
  const [sample] = fc.sample(values, { seed: 1, numRuns: 1 });

  test("is read as what was written, and written again the same", () => {
    fc.assert(
      fc.property(values, (value) => {
        const payload = encodeRecord(kind, value);
        expect(decodeRecord(kind, payload)).toEqual(value);
        expect(encodeRecord(kind, decodeRecord(kind, payload))).toEqual(payload);
      }),
    );
  });

  test("is refused without any one of its fields, or with one more", () => {
    const fields = { ...sample } as Record<string, unknown>;
    for (const name of Object.keys(fields)) {
      const { [name]: _left, ...rest } = fields;
      expect(() => decodeRecord(kind, encodeCbor(rest))).toThrow(
        errorWith("record-invalid", { path: name }),
      );
    }
    expect(() => decodeRecord(kind, encodeCbor({ ...fields, more: 1 }))).toThrow(
      errorWith("record-invalid", { path: "more" }),
    );
  });

  test("is refused with a field of another type", () => {
    const fields = { ...sample } as Record<string, unknown>;
    for (const name of Object.keys(fields)) {
      expect(() => decodeRecord(kind, encodeCbor({ ...fields, [name]: [fields[name]] }))).toThrow(
        errorWith("record-invalid", { path: name }),
      );
    }
  });

  test("is not read as a record of another kind", () => {
    const payload = encodeRecord(kind, sample!);
    for (const other of kinds.filter((name) => name !== kind)) {
      expect(() => decodeRecord(other, payload)).toThrow(errorWith("record-invalid"));
    }
  });
});

describe("a record's payload", () => {
  test("is refused when it is too large, or no CBOR", () => {
    expect(() => decodeRecord("user", new Uint8Array(4097))).toThrow(errorWith("frame-too-large"));
    expect(() => decodeRecord("user", Uint8Array.of(0xff))).toThrow(errorWith("frame-malformed"));
  });

  test("can't be written from a wrong value", () => {
    const [user] = fc.sample(records.user, 1);
    expect(() => encodeRecord("user", { ...user!, accountKey: new Uint8Array(31) })).toThrow(
      errorWith("record-invalid", { path: "accountKey" }),
    );
  });
});

describe("an issuer certificate", () => {
  test("that is never valid is refused", () => {
    const [certificate] = fc.sample(records.issuerCertificate, 1);
    const payload = encodeCbor({ ...certificate!, notAfterMs: certificate!.notBeforeMs });
    expect(() => decodeRecord("issuerCertificate", payload)).toThrow(errorWith("record-invalid"));
  });
});

describe("a signed record", () => {
  test("has a payload that is bounded and a signature of 64 bytes", () => {
    const record = { payload: new Uint8Array(4096), signature: new Uint8Array(64) };
    expect(parse(signedRecordSchema, record)).toEqual(record);
    for (const change of [
      { payload: new Uint8Array(4097) },
      { signature: new Uint8Array(63) },
      { signature: new Uint8Array(65) },
      { payload: "text" },
      { more: 1 },
    ]) {
      expect(() => parse(signedRecordSchema, { ...record, ...change })).toThrow(
        errorWith("frame-malformed"),
      );
    }
  });
});

describe("signingInput", () => {
  test("keeps its form, on which every stored signature depends", () => {
    expect(signingInput("Policy", Uint8Array.of(1, 2))).toEqual(
      fromHex(`8270${toHex(new TextEncoder().encode("Sotto 1.0 Policy"))}420102`),
    );
  });

  test("has a label of its own for every kind of record", () => {
    const labels = kinds.map((kind) => recordKinds[kind].label);
    expect(new Set([...labels, "SignIn"]).size).toBe(kinds.length + 1);
  });

  test("differs whenever label or payload differ", () => {
    const input = fc.tuple(fc.string(), fc.uint8Array());
    fc.assert(
      fc.property(input, input, ([labelA, payloadA], [labelB, payloadB]) => {
        const same = labelA === labelB && toHex(payloadA) === toHex(payloadB);
        const [a, b] = [signingInput(labelA, payloadA), signingInput(labelB, payloadB)];
        expect(toHex(a) === toHex(b)).toBe(same);
      }),
    );
  });
});

test("a device signs network, device, challenge and vault sequence to sign in", () => {
  fc.assert(
    fc.property(
      networkId,
      deviceId,
      bytesOf(32),
      fc.nat(),
      (network, device, challenge, sequence) => {
        const payload = signInPayload(network, device, challenge, sequence);
        expect(decodeCbor(payload, 200)).toEqual([network, device, challenge, sequence]);
      },
    ),
  );
});
