import fc from "fast-check";
import {
  burnSecondsKey,
  maxTimerSeconds,
  type ExternalPart,
  type ExtensionKey,
  type MimiContent,
  type NestedPart,
  type SinglePart,
} from "#protocol";
import { bytesOf, messageIdArbitrary, unicodeText } from "./protocol-arbitraries.ts";
import { fromHex } from "./protocol.ts";

const text = unicodeText;
const byte = fc.nat({ max: 255 });
const uint32 = fc.nat({ max: 2 ** 32 - 1 });
const common = { disposition: byte, language: fc.constantFrom("", "en", "de,en") };
const contentType = fc.constantFrom("text/plain;charset=utf-8", "image/png", "application/x");
const bytes = fc.uint8Array({ maxLength: 20 });

const nullPart = fc.record({ kind: fc.constant("null" as const), ...common });
const singlePart: fc.Arbitrary<SinglePart> = fc.record({
  kind: fc.constant("single" as const),
  ...common,
  contentType,
  content: bytes,
});
const externalPart: fc.Arbitrary<ExternalPart> = fc.record({
  kind: fc.constant("external" as const),
  ...common,
  contentType,
  url: fc.constantFrom("https://example.com/a", "https://example.com/ä?b#c", ""),
  expiresSeconds: uint32,
  sizeBytes: fc.maxSafeNat(),
  encryptionAlgorithm: fc.nat({ max: 0xffff }),
  key: bytes,
  nonce: bytes,
  additionalData: bytes,
  hashAlgorithm: byte,
  contentHash: bytes,
  description: text,
  filename: text,
});

function partOf(depth: number): fc.Arbitrary<NestedPart> {
  const leaf = fc.oneof(nullPart, singlePart, externalPart);
  if (depth === 1) return leaf;
  const multiPart = fc.record({
    kind: fc.constant("multi" as const),
    ...common,
    semantics: fc.constantFrom(
      "choose-one" as const,
      "single-unit" as const,
      "process-all" as const,
    ),
    parts: fc.array(partOf(depth - 1), { minLength: 2, maxLength: 3 }),
  });
  return fc.oneof({ arbitrary: leaf, weight: 2 }, multiPart);
}

/** Bodies of up to four levels. */
const nestedPart = partOf(4);

/** CBOR that our own codec would refuse, but that an extension may hold: tags, floats, numbers above 2^53, undefined. */
const extensionValue = fc
  .constantFrom(
    ...["00", "1bffffffffffffffff", "f6", "f7", "f97e00", "f93c00", "fb3ff199999999999a"],
    ...["d82076687474703a2f2f7777772e6578616d706c652e636f6d", "c249010000000000000000"],
    ...["8181a16161f5", "a201020304", "40", "818180"],
  )
  .map(fromHex);
const extensionKey: fc.Arbitrary<ExtensionKey> = fc.oneof(
  fc.maxSafeInteger().filter((key) => key !== 1 && key !== 2),
  fc.string({ minLength: 1, maxLength: 60 }).filter((key) => key !== burnSecondsKey),
);
const others = fc
  .uniqueArray(fc.tuple(extensionKey, extensionValue), { selector: ([key]) => key, maxLength: 5 })
  .map((entries) => new Map(entries));

/** Everything that MIMI content can say. */
export const mimiContent: fc.Arbitrary<MimiContent> = fc.record({
  salt: bytesOf(16),
  replaces: fc.option(messageIdArbitrary),
  topicId: bytes,
  expires: fc.option(fc.record({ relative: fc.boolean(), timeSeconds: uint32 })),
  inReplyTo: fc.option(messageIdArbitrary),
  extensions: fc.record({
    senderUri: fc.option(fc.constant("mimi://example.com/u/ada")),
    roomUri: fc.option(fc.constant("mimi://example.com/r/räume")),
    burnSeconds: fc.option(fc.integer({ min: 1, max: maxTimerSeconds })),
    others,
  }),
  nestedPart,
});
