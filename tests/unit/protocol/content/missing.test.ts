import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAgain,
  decodeMessage,
  encodeAgain,
  encodeCbor,
  encodeMessage,
  idFromBytes,
  maxAgainBytes,
  maxMissingPlaces,
  type Again,
  type DeviceId,
  type MessageIntent,
  type MissingRequest,
  type SentPlace,
} from "#protocol";
import { errorWith } from "../../../support/protocol.ts";

const senderUri = "mimi://AAAAAAAAAAAAAAAAAAAAAA/u/AQEBAQEBAQEBAQEBAQEBAQ";
const roomUri = "mimi://AAAAAAAAAAAAAAAAAAAAAA/r/AgICAgICAgICAgICAgICAg";
const envelope = {
  salt: new Uint8Array(16).fill(7),
  senderUri,
  roomUri,
  expiresAtMs: 1_900_000_000_000,
  burnSeconds: null,
};

function through(intent: MessageIntent) {
  return decodeMessage(encodeMessage(intent, envelope).bytes, senderUri, roomUri);
}

const device = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => idFromBytes<DeviceId>(bytes));
const count = fc.nat({ max: 2 ** 40 });
const range = fc
  .tuple(count, fc.nat({ max: 3 }))
  .map(([first, more]) => ({ first, last: first + more }));
const request: fc.Arbitrary<MissingRequest> = fc
  .record({
    answerKey: fc.uint8Array({ minLength: 1, maxLength: 1568 }),
    generations: fc.array(
      fc.tuple(device, count, range).map(([deviceId, epoch, numbers]) => ({
        deviceId,
        epoch,
        ...numbers,
      })),
      { maxLength: 20 },
    ),
    sequences: fc.array(range, { maxLength: 20 }),
  })
  .filter(({ generations, sequences }) => generations.length + sequences.length > 0);
const place: fc.Arbitrary<SentPlace> = fc.oneof(
  fc.record({ epoch: count, generation: count, sequence: fc.option(count) }),
  fc.record({ epoch: fc.constant(null), generation: fc.constant(null), sequence: count }),
);
const again: fc.Arbitrary<Again> = fc.oneof(
  fc.record({
    outcome: fc.constant("again" as const),
    place,
    takenAtMs: count,
    content: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.record({
    outcome: fc.constantFrom("over" as const, "unknown" as const),
    places: fc.array(place, { minLength: 1, maxLength: 20 }),
  }),
  fc.record({
    outcome: fc.constant("sealed" as const),
    requester: device,
    kemOutput: fc.uint8Array({ maxLength: 200 }),
    ciphertext: fc.uint8Array({ maxLength: 200 }),
  }),
);

const answerKey = new Uint8Array(32).fill(5);
const one = { answerKey, generations: [], sequences: [{ first: 1, last: 3 }] };

describe("a request for messages that are missing", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(request, (asked) => {
        expect(through({ kind: "missing", request: asked })).toMatchObject({
          kind: "missing",
          request: asked,
        });
      }),
    );
  });

  test.each([
    ["no place", { generations: [], sequences: [] }],
    ["a range that runs backwards", { generations: [], sequences: [{ first: 2, last: 1 }] }],
    [
      "more places than one request may name",
      { generations: [], sequences: [{ first: 1, last: maxMissingPlaces + 1 }] },
    ],
    [
      "more ranges than one request may have",
      {
        generations: [],
        sequences: Array.from({ length: 129 }, (_, index) => ({
          first: 2 * index,
          last: 2 * index,
        })),
      },
    ],
  ] as const)("with %s isn't written", (_, asked) => {
    const request = { answerKey, ...asked };
    const write = () => encodeMessage({ kind: "missing", request }, envelope);
    expect(write).toThrow(errorWith("argument-invalid"));
  });

  test.each([0, 1569])("with a key of %i bytes isn't written", (length) => {
    const request = { ...one, answerKey: new Uint8Array(length) };
    const write = () => encodeMessage({ kind: "missing", request }, envelope);
    expect(write).toThrow(errorWith("argument-invalid"));
  });

  test("as large as it can be is read", () => {
    const most = 2 ** 53 - 1;
    const deviceId = idFromBytes<DeviceId>(new Uint8Array(16).fill(255));
    const far = Array.from({ length: 128 }, () => ({ first: most - 1, last: most }));
    const request = {
      answerKey: new Uint8Array(1568),
      generations: far.map((numbers) => ({ deviceId, epoch: most, ...numbers })),
      sequences: far,
    };
    expect(through({ kind: "missing", request })).toMatchObject({ kind: "missing", request });
  });
});

describe("an answer to one", () => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(again, (said) => {
        expect(through({ kind: "again", again: said })).toMatchObject({
          kind: "again",
          again: said,
        });
      }),
    );
  });

  test("names a place, or it isn't written", () => {
    const nowhere = { epoch: null, generation: null, sequence: null };
    const half = { epoch: 1, generation: null, sequence: 2 };
    for (const places of [[], [nowhere], [half]]) {
      const said = { outcome: "over", places } as const;
      const write = () => encodeMessage({ kind: "again", again: said }, envelope);
      expect(write).toThrow(errorWith("argument-invalid"));
    }
  });
});

describe("an answer for one device alone", () => {
  const requester = idFromBytes<DeviceId>(new Uint8Array(16).fill(9));
  const bytes = new Uint8Array(16);

  test("holds the largest content under the longest key", () => {
    const most = 2 ** 53 - 1;
    const said = encodeAgain({
      outcome: "again",
      place: { epoch: most, generation: most, sequence: most },
      takenAtMs: most,
      content: new Uint8Array(maxAgainBytes),
    });
    // And what an AEAD adds.
    const ciphertext = new Uint8Array(said.length + 16);
    const kemOutput = new Uint8Array(1568);
    const sealed = { outcome: "sealed", requester, kemOutput, ciphertext } as const;
    const decoded = through({ kind: "again", again: sealed });
    expect(decoded.kind === "again" && decoded.again.outcome === "sealed").toBe(true);
  });

  test.each([
    ["no device", [3, new Uint8Array(), bytes, bytes]],
    ["a device's text", [3, requester, bytes, bytes]],
    ["a KEM output that is too long", [3, bytes, new Uint8Array(1569), bytes]],
    ["nothing sealed", [3, bytes, bytes]],
    ["a null", [3, bytes, bytes, null]],
    ["more than that", [3, bytes, bytes, bytes, bytes]],
    ["another outcome", [4, bytes, bytes, bytes]],
  ])("with %s is refused", (_, fields) => {
    expect(() => decodeAgain(encodeCbor(fields))).toThrow(errorWith("frame-malformed"));
  });
});

test("bytes that came otherwise are refused, and never break anything", () => {
  const { bytes } = encodeMessage({ kind: "missing", request: one }, envelope);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (index, value) => {
      const changed = bytes.slice();
      changed[index] = value;
      try {
        decodeMessage(changed, senderUri, roomUri);
      } catch (error) {
        expect(error).toMatchObject({ code: "frame-malformed" });
      }
    }),
  );
});
