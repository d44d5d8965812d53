import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concatBytes,
  decodeMimiContent,
  disposition,
  encodeCbor,
  encodeMimiContent,
  idToBytes,
  maxContentBytes,
  maxParts,
  messageId,
  toHex,
  type Extensions,
  type MimiContent,
  type NestedPart,
} from "#protocol";
import { mimiContent } from "../../../support/content-arbitraries.ts";
import { errorWith, fromHex } from "../../../support/protocol.ts";

const noExtensions: Extensions = {
  senderUri: null,
  roomUri: null,
  burnSeconds: null,
  others: new Map(),
};
const note: NestedPart = {
  kind: "single",
  disposition: disposition.render,
  language: "",
  contentType: "text/plain",
  content: Uint8Array.of(0x68, 0x69),
};
const content: MimiContent = {
  salt: fromHex("5eed9406c2545547ab6f09f20a18b003"),
  replaces: null,
  topicId: new Uint8Array(),
  expires: null,
  inReplyTo: null,
  extensions: noExtensions,
  nestedPart: note,
};

/** The fields as they stand in CBOR, to be changed one at a time. */
const fields = [content.salt, null, new Uint8Array(), null, null, {}, [1, "", 0]] as const;

function withField(index: number, value: unknown): Uint8Array {
  return encodeCbor(fields.with(index, value as never));
}

/** Content whose extension map is given as CBOR. */
function withExtensions(hex: string): Uint8Array {
  const items = fields.map((field) => encodeCbor(field)).with(5, fromHex(hex));
  return concatBytes(Uint8Array.of(0x87), ...items);
}

test("what is written is read as the same content, and written again as the same bytes", () => {
  fc.assert(
    fc.property(mimiContent, (value) => {
      const bytes = encodeMimiContent(value);
      const read = decodeMimiContent(bytes);
      expect(read).toEqual(value);
      expect(encodeMimiContent(read)).toEqual(bytes);
    }),
    { numRuns: 150 },
  );
});

test("a changed byte is read as something else or refused, never kept silently", () => {
  fc.assert(
    fc.property(mimiContent, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
      const bytes = encodeMimiContent(value);
      bytes[at % bytes.length]! ^= change;
      try {
        expect(encodeMimiContent(decodeMimiContent(bytes))).toEqual(bytes);
      } catch (error) {
        expect(error).toEqual(errorWith("frame-malformed"));
      }
    }),
    { numRuns: 300 },
  );
});

// Source: draft-ietf-mimi-content-08 §5.1.
test("the draft's first example has the draft's id", () => {
  const senderUri = "mimi://example.com/u/alice-smith";
  const roomUri = "mimi://example.com/r/engineering_team";
  const message = encodeMimiContent({
    ...content,
    extensions: { ...noExtensions, senderUri, roomUri },
    nestedPart: {
      ...note,
      contentType: "text/markdown;variant=GFM-MIMI",
      content: new TextEncoder().encode(
        "Hi everyone, we just shipped release 2.0. __Good  work__!",
      ),
    },
  });
  expect(message).toHaveLength(193);
  const id = messageId({ senderUri, roomUri, message, salt: content.salt });
  expect(toHex(idToBytes(id))).toBe(
    "017ce54837404c3696e0c747b985cb172716d0ed0a3d249ca63ace7d82a096f4",
  );
});

describe("content is refused", () => {
  const longTopic = new Uint8Array(4097);
  const foreignHash = new Uint8Array(32).fill(2);
  test.each([
    ["with a short salt", 0, new Uint8Array(15)],
    ["with a long salt", 0, new Uint8Array(17)],
    ["without a salt", 0, null],
    ["that replaces a short id", 1, new Uint8Array(31)],
    ["that replaces an id of an unknown hash", 1, foreignHash],
    ["that replaces a text", 1, "01"],
    ["with a topic that is too long", 2, longTopic],
    ["without a topic", 2, null],
    ["with an end that is no pair", 3, [false]],
    ["with an end that has more than it should", 3, [false, 1, 1]],
    ["with an end of unknown kind", 3, [0, 1]],
    ["with an end beyond 32 bits", 3, [false, 2 ** 32]],
    ["with an end in fractions", 3, [true, 0.5]],
    ["with a negative end", 3, [true, -1]],
    ["in reply to an id of an unknown hash", 4, foreignHash],
    ["in reply to a list", 4, [new Uint8Array(32)]],
    ["with extensions that aren't a map", 5, []],
    ["without extensions", 5, null],
    ["with a sender that isn't text", 5, new Map([[1, new Uint8Array(3)]])],
    ["with an empty sender", 5, new Map([[1, ""]])],
    ["with a sender that is too long", 5, new Map([[1, "x".repeat(1025)]])],
    ["with a room that isn't text", 5, new Map([[2, 2]])],
    ["with a burn time that isn't a number", 5, { "sotto.burnSeconds": "30" }],
    ["with a burn time of nothing", 5, { "sotto.burnSeconds": 0 }],
    ["with a burn time without end", 5, { "sotto.burnSeconds": 315_360_001 }],
    ["with an extension named by nothing", 5, { "": 1 }],
    ["with an extension whose name is too long", 5, { ["x".repeat(256)]: 1 }],
    ["with an extension named by a byte string", 5, new Map([[new Uint8Array(1), 1]])],
    ["with an extension named by null", 5, new Map([[null, 1]])],
    ["with too many extensions", 5, new Map(Array.from({ length: 65 }, (_, key) => [key + 3, 0]))],
    ["with a body that isn't a list", 6, 1],
    ["with an empty body", 6, []],
    ["with a body of unknown cardinality", 6, [1, "", 4]],
    ["with a body whose disposition is above 255", 6, [256, "", 0]],
    ["with a body whose language isn't text", 6, [1, null, 0]],
    ["with a null body that has more", 6, [1, "", 0, 0]],
    ["with a single body without content", 6, [1, "", 1, "text/plain"]],
    ["with a single body of text instead of bytes", 6, [1, "", 1, "text/plain", "hi"]],
    ["with a single body that has more", 6, [1, "", 1, "text/plain", new Uint8Array(), 0]],
    ["with a content type that is too long", 6, [1, "", 1, "x".repeat(256), new Uint8Array()]],
    ["with an external body that is cut off", 6, [6, "", 2, "a/b", "https://x", 0, 0, 1]],
    ["with a multipart of one", 6, [1, "", 3, 0, [[1, "", 0]]]],
    ["with a multipart of nothing", 6, [1, "", 3, 0, []]],
    [
      "with unknown part semantics",
      6,
      [
        1,
        "",
        3,
        3,
        [
          [1, "", 0],
          [1, "", 0],
        ],
      ],
    ],
    ["with parts that aren't parts", 6, [1, "", 3, 0, [1, 2]]],
    ["with a map in its body", 6, [1, "", 1, "text/plain", {}]],
  ])("%s", (_name, index, value) => {
    expect(() => decodeMimiContent(withField(index, value))).toThrow(errorWith("frame-malformed"));
  });

  test("with six or eight fields", () => {
    expect(() => decodeMimiContent(encodeCbor(fields.slice(0, 6)))).toThrow(
      errorWith("frame-malformed"),
    );
    expect(() => decodeMimiContent(encodeCbor([...fields, 0]))).toThrow(
      errorWith("frame-malformed"),
    );
  });

  test.each([
    ["an extension twice", "a203000301"],
    ["extensions out of order", "a204000300"],
    ["text keys before numbers", "a2616100" + "0300"],
    ["a sender twice", "a2016161016162"],
    ["a key in too many bytes", "a1180300"],
    ["a key above 2^53 - 1", "a11b002000000000000000"],
    ["a fraction as key", "a1f93e0000"],
    ["an indefinite value", "a1039f00ff"],
    ["a value that is cut off", "a10342"],
    ["a value in too many bytes", "a1031817"],
    ["an unusual NaN", "a103f97e01"],
    ["NaN in 4 bytes", "a103fa7fc00000"],
    ["a float in too many bytes", "a103fa3fc00000"],
    ["a float in too many bytes", "a103fb3ff8000000000000"],
    ["a simple value without meaning", "a103f0"],
    ["text that isn't UTF-8", "a10361ff"],
    ["four levels below the map", "a10381818180"],
    ["tags that go too deep", "a103c1c1c1c100"],
    ["a map's keys out of order inside a value", "a103a202000100"],
    ["an array of 2^32 items", "a1039b0000000100000000"],
  ])("with %s in its extensions", (_name, hex) => {
    expect(() => decodeMimiContent(withExtensions(hex))).toThrow(errorWith("frame-malformed"));
  });

  test("when it is above 1 MiB, before it is looked at", () => {
    expect(() => decodeMimiContent(new Uint8Array(maxContentBytes + 1))).toThrow(
      errorWith("frame-too-large", { sizeBytes: maxContentBytes + 1, maxBytes: maxContentBytes }),
    );
  });
});

describe("the limits themselves are taken", () => {
  test("three levels below the extension map, as the draft shows", () => {
    const hex = "a1190100818244aabbccddd820627878";
    expect(decodeMimiContent(withExtensions(hex)).extensions.others.get(256)).toEqual(
      fromHex("818244aabbccddd820627878"),
    );
  });

  test("exactly 1 MiB, and one byte more is too long to send", () => {
    const overhead = encodeMimiContent({
      ...content,
      nestedPart: { ...note, content: new Uint8Array(100_000) },
    }).length;
    const fitting = new Uint8Array(100_000 + maxContentBytes - overhead);
    const bytes = encodeMimiContent({ ...content, nestedPart: { ...note, content: fitting } });
    expect(bytes).toHaveLength(maxContentBytes);
    expect(() =>
      encodeMimiContent({
        ...content,
        nestedPart: { ...note, content: new Uint8Array(fitting.length + 1) },
      }),
    ).toThrow(errorWith("message-too-long"));
  });

  const level = (depth: number): NestedPart =>
    depth === 1
      ? note
      : {
          kind: "multi",
          disposition: disposition.render,
          language: "",
          semantics: "choose-one",
          parts: [level(depth - 1), note],
        };

  test("four levels of parts, and not five", () => {
    expect(decodeMimiContent(encodeMimiContent({ ...content, nestedPart: level(4) }))).toEqual({
      ...content,
      nestedPart: level(4),
    });
    expect(() => encodeMimiContent({ ...content, nestedPart: level(5) })).toThrow(
      errorWith("argument-invalid"),
    );
    const nullPart = [1, "", 0];
    const deeper = (part: unknown): unknown => [1, "", 3, 0, [part, nullPart]];
    const five = deeper(deeper(deeper(deeper(nullPart))));
    expect(() => decodeMimiContent(withField(6, five))).toThrow(errorWith("frame-malformed"));
  });

  test("1024 parts, and not 1025, however they are spread", () => {
    const nullPart = [1, "", 0];
    const flat = (count: number): unknown => [1, "", 3, 2, new Array(count).fill(nullPart)];
    const spread = (last: number): unknown => [1, "", 3, 2, [flat(511), flat(last)]];
    expect(decodeMimiContent(withField(6, flat(maxParts - 1))).nestedPart.kind).toBe("multi");
    expect(() => decodeMimiContent(withField(6, flat(maxParts)))).toThrow(
      errorWith("frame-malformed"),
    );
    expect(decodeMimiContent(withField(6, spread(510))).nestedPart.kind).toBe("multi");
    expect(() => decodeMimiContent(withField(6, spread(511)))).toThrow(
      errorWith("frame-malformed"),
    );
  });
});

describe("content that can't be read is not written", () => {
  test.each<[string, Partial<MimiContent>]>([
    ["a short salt", { salt: new Uint8Array(15) }],
    ["an end beyond 2106", { expires: { relative: false, timeSeconds: 2 ** 32 } }],
    ["a disposition above 255", { nestedPart: { ...note, disposition: 256 } }],
    ["an empty sender", { extensions: { ...noExtensions, senderUri: "" } }],
    ["a sender that isn't text", { extensions: { ...noExtensions, senderUri: "\ud800" } }],
    ["a burn time of nothing", { extensions: { ...noExtensions, burnSeconds: 0 } }],
    [
      "a sender among the unknown extensions",
      { extensions: { ...noExtensions, others: new Map([[1, fromHex("6161")]]) } },
    ],
    [
      "an extension that isn't CBOR",
      { extensions: { ...noExtensions, others: new Map([[3, fromHex("ff")]]) } },
    ],
    [
      "an extension of two items",
      { extensions: { ...noExtensions, others: new Map([[3, fromHex("0000")]]) } },
    ],
    [
      "an extension of no items",
      { extensions: { ...noExtensions, others: new Map([[3, new Uint8Array()]]) } },
    ],
    [
      "a key that isn't whole",
      { extensions: { ...noExtensions, others: new Map([[0.5, fromHex("00")]]) } },
    ],
  ])("%s", (_name, change) => {
    expect(() => encodeMimiContent({ ...content, ...change })).toThrow(
      errorWith("argument-invalid"),
    );
  });
});
