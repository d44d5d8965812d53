import fc from "fast-check";
import {
  conversationIdSchema,
  deviceIdSchema,
  maxTimerSeconds,
  messageIdHashAlgorithm,
  minTimerSeconds,
  networkIdSchema,
  parse,
  toBase64url,
  userIdSchema,
  type MessageId,
  type RoomState,
  type Timers,
} from "#protocol";

/** Well-formed text of all Unicode; fast-check's own units take seconds to get ready. */
export const unicodeText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0x80, max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10_ffff }),
      fc.constantFrom(0xfeff, 0x200d, 0x202e, 0xfffd),
    ),
    { maxLength: 20 },
  )
  .map((points) => String.fromCodePoint(...points));

/** Every kind of value that our CBOR holds. */
export const cborValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => value + 0),
    unicodeText,
    fc.uint8Array(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.maxSafeInteger(), unicodeText), tie("value")), {
        selector: ([key]) => key,
        maxLength: 4,
      })
      .map((entries) => new Map<unknown, unknown>(entries)),
  ),
})).value;

/** `sizeBytes` bytes. */
export function bytesOf(sizeBytes: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes });
}

const shortId = bytesOf(16).map(toBase64url);
export const networkId = shortId.map((text) => parse(networkIdSchema, text));
export const userId = shortId.map((text) => parse(userIdSchema, text));
export const deviceId = shortId.map((text) => parse(deviceIdSchema, text));
export const conversationId = shortId.map((text) => parse(conversationIdSchema, text));
export const messageIdArbitrary = bytesOf(31).map(
  (hash) => toBase64url(Uint8Array.of(messageIdHashAlgorithm, ...hash)) as MessageId,
);

/** Milliseconds since 1970. */
export const timestampMs = fc.nat({ max: 4_000_000_000_000 });

/** A name as the schema leaves it. */
export const personName = fc
  .tuple(fc.constantFrom("Ada", "日本", "Zoë", "👩‍🚀", "‏עדה"), fc.stringMatching(/^[\w ]{0,20}$/u))
  .map((parts) => parts.join(" ").trim());

const timerSeconds = fc.integer({ min: minTimerSeconds, max: maxTimerSeconds });
export const timers: fc.Arbitrary<Timers> = fc.record({
  expirationSeconds: timerSeconds,
  burnSeconds: fc.option(timerSeconds),
});

export const roomState: fc.Arbitrary<RoomState> = fc.record({
  kind: fc.constantFrom("direct" as const, "group" as const, "room" as const),
  name: fc.oneof(fc.constant(""), personName),
  administrators: fc.uniqueArray(userId, { minLength: 1, maxLength: 5 }),
  timers,
});
