import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concatBytes,
  decodeFrame,
  encodeCbor,
  encodeFrame,
  errorKinds,
  maxFrameBytes,
  maxUnauthenticatedFrameBytes,
  type ErrorCode,
  type Frame,
} from "#protocol";
import { errorWith } from "../../../support/protocol.ts";

const body = fc.oneof(
  fc.constant(null),
  fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/u),
    fc.oneof(fc.nat(), fc.uint8Array(), fc.string()),
  ),
);
const name = fc.stringMatching(/^[a-zA-Z.]{1,40}$/u);
const data = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,8}$/u),
  fc.oneof(fc.nat(), fc.boolean(), fc.constant(null), fc.string()),
);
const code = fc.constantFrom(...(Object.keys(errorKinds) as ErrorCode[]));
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant("request" as const), id: fc.nat(), method: name, params: body }),
  fc.record({ kind: fc.constant("response" as const), id: fc.nat(), result: body }),
  fc.record({
    kind: fc.constant("failure" as const),
    id: fc.nat(),
    error: fc.oneof(fc.record({ code }), fc.record({ code, data })),
  }),
  fc.record({ kind: fc.constant("event" as const), name, body }),
);

/** Plain objects, whatever made them. */
function plain(value: unknown): unknown {
  return structuredClone(value);
}

test("a frame is read as what was written, and written again the same", () => {
  fc.assert(
    fc.property(frame, (value) => {
      const bytes = encodeFrame(value);
      const read = decodeFrame(bytes);
      expect(plain(read)).toEqual(plain(value));
      expect(encodeFrame(read)).toEqual(bytes);
    }),
  );
});

describe("decodeFrame", () => {
  test.each([
    ["an empty list", []],
    ["an unknown kind", [4, 1, {}]],
    ["a kind that isn't a number", ["request", 1, "x", {}]],
    ["a request without parameters", [0, 1, "x"]],
    ["a request with more than it has", [0, 1, "x", {}, 1]],
    ["a request with a negative id", [0, -1, "x", {}]],
    ["a request with an id that isn't whole", [0, 1.5, "x", {}]],
    ["a request without a method's name", [0, 1, "", {}]],
    ["a request with an endless method name", [0, 1, "x".repeat(41), {}]],
    ["a response without a result", [1, 1]],
    ["a failure without a code", [2, 1, {}]],
    ["a failure with an unknown code", [2, 1, { code: "made-up" }]],
    ["a failure with a code from the prototype", [2, 1, { code: "constructor" }]],
    ["a failure with data that isn't plain", [2, 1, { code: "internal", data: { a: [] } }]],
    ["an event without a name", [3, "", {}]],
    ["an event without a body", [3, "hello"]],
    ["a map", { kind: "request" }],
    ["a number", 0],
    ["null", null],
  ])("refuses %s", (_name, value) => {
    expect(() => decodeFrame(encodeCbor(value))).toThrow(errorWith("frame-malformed"));
  });

  test("refuses an empty message, one that was cut off and one with more after it", () => {
    const bytes = encodeFrame({ kind: "event", name: "hello", body: {} });
    expect(() => decodeFrame(new Uint8Array())).toThrow(errorWith("frame-malformed"));
    expect(() => decodeFrame(bytes.subarray(0, -1))).toThrow(errorWith("frame-malformed"));
    expect(() => decodeFrame(Uint8Array.of(...bytes, 0))).toThrow(errorWith("frame-malformed"));
  });

  test("drops what a failure carries beside code and data", () => {
    const bytes = encodeCbor([2, 1, { code: "internal", stack: "at secret.ts" }]);
    expect(decodeFrame(bytes)).toEqual({ kind: "failure", id: 1, error: { code: "internal" } });
  });

  test("takes what is exactly at its limit and refuses one byte more", () => {
    const overhead = encodeFrame({ kind: "event", name: "x", body: new Uint8Array(70_000) }).length;
    const largest = encodeFrame({
      kind: "event",
      name: "x",
      body: new Uint8Array(70_000 + maxFrameBytes - overhead),
    });
    expect(largest).toHaveLength(maxFrameBytes);
    expect(decodeFrame(largest)).toMatchObject({ kind: "event" });
    expect(() => decodeFrame(concatBytes(largest, Uint8Array.of(0)))).toThrow(
      errorWith("frame-too-large"),
    );
    expect(() => decodeFrame(largest, maxUnauthenticatedFrameBytes)).toThrow(
      errorWith("frame-too-large", {
        sizeBytes: maxFrameBytes,
        maxBytes: maxUnauthenticatedFrameBytes,
      }),
    );
  });

  test("arbitrary bytes are read and written again the same, or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const read = decodeFrame(bytes);
          if (read.kind !== "failure") expect(encodeFrame(read)).toEqual(bytes);
        } catch (error) {
          expect(error).toEqual(errorWith("frame-malformed"));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
