import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeMessage,
  encodeMessage,
  idFromBytes,
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
);

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
    const write = () => encodeMessage({ kind: "missing", request: asked }, envelope);
    expect(write).toThrow(errorWith("argument-invalid"));
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

test("bytes that came otherwise are refused, and never break anything", () => {
  const { bytes } = encodeMessage(
    {
      kind: "missing",
      request: { generations: [], sequences: [{ first: 1, last: 3 }] },
    },
    envelope,
  );
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
