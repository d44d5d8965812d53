import fc from "fast-check";
import markdownIt from "markdown-it";
import { describe, expect, test } from "vitest";
import {
  decodeMessage,
  decodeMimiContent,
  disposition,
  encodeMessage,
  encodeMimiContent,
  messageId,
  type DecodedMessage,
  type Extensions,
  type MessageEnvelope,
  type MessageIntent,
  type MimiContent,
  type NestedPart,
} from "#protocol";
import { bytesOf, messageIdArbitrary, unicodeText } from "../../../support/protocol-arbitraries.ts";
import { errorWith } from "../../../support/protocol.ts";

const senderUri = "mimi://AAAAAAAAAAAAAAAAAAAAAA/u/AAAAAAAAAAAAAAAAAAAAAQ";
const roomUri = "mimi://AAAAAAAAAAAAAAAAAAAAAA/r/AAAAAAAAAAAAAAAAAAAAAg";
const other = messageId({
  senderUri,
  roomUri,
  message: new Uint8Array(),
  salt: new Uint8Array(16),
});
const envelope: MessageEnvelope = {
  salt: new Uint8Array(16).fill(7),
  senderUri,
  roomUri,
  expiresAtMs: 1_800_000_000_000,
  burnSeconds: null,
};

const reference = messageIdArbitrary;
const anyText = unicodeText;
const intents: fc.Arbitrary<MessageIntent> = fc.oneof(
  fc.record({
    kind: fc.constant("text" as const),
    markdown: anyText,
    replyTo: fc.option(reference),
    replaces: fc.option(reference),
  }),
  fc.record({
    kind: fc.constant("reaction" as const),
    emoji: fc.constantFrom("❤️", "👍🏽", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "+1"),
    to: reference,
    replaces: fc.option(reference),
  }),
  fc.record({
    kind: fc.constant("unreact" as const),
    replaces: reference,
    to: fc.option(reference),
  }),
  fc.record({ kind: fc.constant("recall" as const), replaces: reference }),
  fc.record({
    kind: fc.constant("status" as const),
    statuses: fc.array(fc.record({ messageId: reference, status: fc.nat({ max: 255 }) })),
  }),
);
const envelopes = fc.record({
  salt: bytesOf(16),
  senderUri: fc.constant(senderUri),
  roomUri: fc.constant(roomUri),
  expiresAtMs: fc.nat({ max: 4_294_967_295_000 }),
  burnSeconds: fc.option(fc.integer({ min: 1, max: 315_360_000 })),
});

describe("what is sent", () => {
  test("is read as what was meant, with the id and the end that the sender was told", () => {
    fc.assert(
      fc.property(intents, envelopes, (intent, around) => {
        const sent = encodeMessage(intent, around);
        expect(decodeMessage(sent.bytes, senderUri, roomUri)).toEqual({
          messageId: sent.messageId,
          expiresAtMs: sent.expiresAtMs,
          burnSeconds: around.burnSeconds,
          ...intent,
        });
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    [1_800_000_000_000, 1_800_000_000_000],
    [1_800_000_000_001, 1_800_000_001_000],
    [1_800_000_000_999, 1_800_000_001_000],
    [4_294_967_294_001, 4_294_967_295_000],
    [0, 0],
  ])("that is to end at %d ms ends at %d ms, never before its time", (wanted, held) => {
    const intent = { kind: "recall", replaces: other } as const;
    const sent = encodeMessage(intent, { ...envelope, expiresAtMs: wanted });
    expect(sent.expiresAtMs).toBe(held);
    expect(decodeMessage(sent.bytes, senderUri, roomUri).expiresAtMs).toBe(held);
  });

  test("names sender and room, so that its id can be checked by whoever has it", () => {
    const { bytes } = encodeMessage({ kind: "recall", replaces: other }, envelope);
    expect(decodeMimiContent(bytes).extensions).toMatchObject({ senderUri, roomUri });
  });

  test("has another id with another salt", () => {
    const intent = { kind: "text", markdown: "hi", replyTo: null, replaces: null } as const;
    const again = { ...envelope, salt: new Uint8Array(16).fill(8) };
    expect(encodeMessage(intent, envelope).messageId).not.toBe(
      encodeMessage(intent, again).messageId,
    );
  });

  const text = { kind: "text", markdown: "hi", replyTo: null, replaces: null } as const;
  const reaction = { kind: "reaction", emoji: "❤️", to: other, replaces: null } as const;
  test.each<[string, MessageIntent, Partial<MessageEnvelope>, string]>([
    ["half a surrogate pair", { ...text, markdown: "\ud83d" }, {}, "argument-invalid"],
    ["more than 1 MiB", { ...text, markdown: "x".repeat(2 ** 20) }, {}, "message-too-long"],
    ["a reaction of nothing", { ...reaction, emoji: "" }, {}, "argument-invalid"],
    ["a reaction of many words", { ...reaction, emoji: "x y" }, {}, "argument-invalid"],
    ["a reaction with a control", { ...reaction, emoji: "x\u0007" }, {}, "argument-invalid"],
    ["an endless reaction", { ...reaction, emoji: "x".repeat(33) }, {}, "argument-invalid"],
    ["a short salt", text, { salt: new Uint8Array(8) }, "argument-invalid"],
    ["an end after 2106", text, { expiresAtMs: 4_294_967_295_001 }, "argument-invalid"],
    ["an end before 1970", text, { expiresAtMs: -1000 }, "argument-invalid"],
    ["a burn time of nothing", text, { burnSeconds: 0 }, "argument-invalid"],
    ["a burn time in fractions", text, { burnSeconds: 1.5 }, "argument-invalid"],
  ])("is never %s", (_name, intent, change, code) => {
    expect(() => encodeMessage(intent, { ...envelope, ...change })).toThrow(
      errorWith(code as "argument-invalid"),
    );
  });
});

const none: Extensions = { senderUri: null, roomUri: null, burnSeconds: null, others: new Map() };

/** What another MIMI program might send. */
function foreign(change: Partial<MimiContent>): Uint8Array {
  return encodeMimiContent({
    salt: new Uint8Array(16),
    replaces: null,
    topicId: new Uint8Array(),
    expires: null,
    inReplyTo: null,
    extensions: none,
    nestedPart: single("text/markdown", "hi"),
    ...change,
  });
}

function single(contentType: string, text: string | Uint8Array, kind = 1): NestedPart {
  const content = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return { kind: "single", disposition: kind, language: "", contentType, content };
}

function read(change: Partial<MimiContent>): DecodedMessage {
  return decodeMessage(foreign(change), senderUri, roomUri);
}

describe("a message from elsewhere", () => {
  test("may leave sender and room to MLS", () => {
    expect(read({})).toMatchObject({ kind: "text", markdown: "hi", expiresAtMs: null });
  });

  test.each([
    ["another sender", { ...none, senderUri: "mimi://example.com/u/mallory" }],
    ["another room", { ...none, roomUri: "mimi://example.com/r/elsewhere" }],
    ["a sender in other letters", { ...none, senderUri: senderUri.toUpperCase() }],
  ])("that names %s than MLS does is refused", (_name, extensions) => {
    expect(() => read({ extensions })).toThrow(errorWith("frame-malformed"));
  });

  test("that ends some time after it was read burns then", () => {
    expect(read({ expires: { relative: true, timeSeconds: 30 } })).toMatchObject({
      expiresAtMs: null,
      burnSeconds: 30,
    });
  });

  test("that gives two burn times is refused", () => {
    const extensions = { ...none, burnSeconds: 30 };
    expect(() => read({ extensions, expires: { relative: true, timeSeconds: 60 } })).toThrow(
      errorWith("frame-malformed"),
    );
  });

  test.each([
    "text/markdown",
    "text/markdown;variant=GFM-MIMI",
    "text/markdown; variant=CommonMark; charset=UTF-8",
    'TEXT/Markdown;charset="utf-8"',
  ])("in %s is Markdown", (contentType) => {
    expect(read({ nestedPart: single(contentType, "*hi*") })).toMatchObject({
      kind: "text",
      markdown: "*hi*",
    });
  });

  test.each([0, 1, 4, 9, 255])("with disposition %d is shown", (value) => {
    expect(read({ nestedPart: single("text/plain", "hi", value) })).toMatchObject({
      kind: "text",
      markdown: "hi",
    });
  });

  test("with several choices shows the first that can be shown", () => {
    const nestedPart: NestedPart = {
      kind: "multi",
      disposition: disposition.render,
      language: "",
      semantics: "choose-one",
      parts: [single("text/html", "<p>"), single("text/plain", "first"), single("text/plain", "2")],
    };
    expect(read({ nestedPart })).toMatchObject({ kind: "text", markdown: "first" });
  });

  const both: NestedPart = {
    kind: "multi",
    disposition: disposition.render,
    language: "",
    semantics: "single-unit",
    parts: [single("text/plain", "a"), single("image/png", "b"), single("image/png", "c")],
  };
  test.each<[string, Partial<MimiContent>, readonly string[]]>([
    ["HTML", { nestedPart: single("text/html", "<b>") }, ["text/html"]],
    [
      "text in another charset",
      { nestedPart: single("text/plain;charset=utf-16", "") },
      ["text/plain;charset=utf-16"],
    ],
    [
      "an attached text",
      { nestedPart: single("text/plain", "", disposition.attachment) },
      ["text/plain"],
    ],
    ["parts that belong together", { nestedPart: both }, ["text/plain", "image/png"]],
    [
      "a reaction to nothing",
      { nestedPart: single("text/plain", "❤", disposition.reaction) },
      ["text/plain"],
    ],
    [
      "a picture as reaction",
      { nestedPart: single("image/png", "x", disposition.reaction), inReplyTo: other },
      ["image/png"],
    ],
    [
      "an endless reaction",
      { nestedPart: single("text/plain", "x".repeat(33), disposition.reaction), inReplyTo: other },
      ["text/plain"],
    ],
    [
      "nothing in place of nothing",
      { nestedPart: { kind: "null", disposition: 1, language: "" } },
      [],
    ],
  ])("with %s is said to be there, not hidden", (_name, change, contentTypes) => {
    expect(read({ ...change, replaces: null })).toMatchObject({
      kind: "unsupported",
      contentTypes,
      replyTo: change.inReplyTo ?? null,
      replaces: null,
    });
  });

  test("that edits with something we can't show says what it edits", () => {
    expect(read({ replaces: other, nestedPart: both })).toMatchObject({
      kind: "unsupported",
      replaces: other,
    });
  });

  test.each([
    ["text that isn't UTF-8", single("text/markdown", Uint8Array.of(0xff))],
    ["plain text that isn't UTF-8", single("text/plain", Uint8Array.of(0xc0, 0xaf))],
    ["a status report that isn't one", single("application/mimi-message-status", "read")],
  ])("with %s is refused", (_name, nestedPart) => {
    expect(() => read({ nestedPart })).toThrow(errorWith("frame-malformed"));
  });

  test("that isn't MIMI content at all is refused", () => {
    expect(() => decodeMessage(new Uint8Array(), senderUri, roomUri)).toThrow(
      errorWith("frame-malformed"),
    );
    expect(() => decodeMessage(new Uint8Array(2 ** 20 + 1), senderUri, roomUri)).toThrow(
      errorWith("frame-too-large"),
    );
  });
});

describe("plain text", () => {
  const renderer = markdownIt({ html: false, linkify: true, typographer: true });

  /** What a reader of the rendered Markdown sees, line by line. */
  function shown(text: string): { readonly html: string; readonly seen: string } {
    const message = read({ nestedPart: single("text/plain", text) });
    if (message.kind !== "text") throw new Error("not a text");
    const html = renderer.render(message.markdown);
    const seen = html
      .replaceAll(/<br>\n/gu, "\n")
      .replaceAll(/<\/?p>/gu, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&");
    return { html, seen };
  }

  test.each([
    "# no heading",
    "1. no list\n- none either\n+ or here",
    "*no* _emphasis_ ~~at~~ `all` **!**",
    "<b>no tags</b> &amp; no &lt;entities&gt;",
    "[no](https://link.example) ![no](picture.png) https://link.example",
    "no setext\n===\nheading\n---",
    "| no | table |\n| --- | --- |",
    "```\nno fence\n```",
    "\\* a backslash \\",
    "    four spaces\n\ttab",
    "a line\r\nand another\rand one more",
    '(c) "quotes" ... -- ---',
  ])("%j is seen as it was written", (text) => {
    const { html, seen } = shown(text);
    expect(html).not.toMatch(/<(?!\/?p>|br>)/u);
    const expected = text
      .replaceAll(/\r\n|\r/gu, "\n")
      .replaceAll("\t", "    ")
      .replaceAll(/^ +/gmu, (spaces) => "\u00a0".repeat(spaces.length));
    expect(seen.trimEnd()).toBe(expected.trimEnd());
  });

  test("never becomes anything but paragraphs and line breaks", () => {
    const fragments = fc.constantFrom(
      ..."#*_`~[]()<>!|\\-+=:&\"'.1 \t\n\r".split(""),
      ...["\n\n", "www.example.com", "a", "é", "http://", "---", "```", "&lt;", "<b>"],
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 12 }), (parts) => {
        expect(shown(parts.join("")).html).not.toMatch(/<(?!\/?p>|br>)/u);
      }),
      { numRuns: 1000 },
    );
  });
});
