import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  decodeCbor,
  decodeMessage,
  decodeMimiContent,
  encodeCbor,
  encodeMimiContent,
  idToBytes,
  messageId,
  toHex,
} from "#protocol";
import { errorWith } from "../support/protocol.ts";

/*
 * The examples of draft-ietf-mimi-content (their commit is in ../shared/vectors/README.md). `implied-original` isn't a message but what
 * a client derives about one, and its .cbor is older than its .edn.
 */
const folder = join(import.meta.dirname, "..", "..", "..", "shared", "vectors", "mimi-content");

function cborOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, `${name}.cbor`)));
}

/** The id in the comment above the diagnostic form. */
function expectedIdOf(name: string): string {
  const text = readFileSync(join(folder, `${name}.edn`), "utf8");
  const quoted = /message ID = h'([^']+)'/u.exec(text)?.[1];
  if (quoted === undefined) throw new Error(`no message id in ${name}.edn`);
  return quoted.replaceAll(/[^0-9a-f]/gu, "");
}

/** What each example says to a person. */
const meanings: Readonly<Record<string, object>> = {
  attachment: { kind: "unsupported", contentTypes: ["video/mp4"] },
  delete: { kind: "recall" },
  edit: { kind: "text", markdown: "Right on! _Congratulations_ y'all!" },
  expiring: { kind: "text", expiresAtMs: 1_644_390_004_000, burnSeconds: null },
  mention: { kind: "text" },
  "multipart-1": { kind: "text", markdown: "# Welcome!" },
  "multipart-2": { kind: "unsupported", contentTypes: ["text/plain;charset=utf-8"] },
  original: { kind: "text", replyTo: null, replaces: null, expiresAtMs: null },
  reaction: { kind: "reaction", emoji: "❤" },
  reply: { kind: "text", markdown: "Right on! _Congratulations_ 'all!" },
  unlike: { kind: "unreact" },
};

describe.skipIf(!existsSync(folder))("the draft's examples", () => {
  test("are all there", () => {
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".cbor") && name !== "implied-original.cbor")
      .map((name) => name.slice(0, -".cbor".length));
    expect(names).toEqual(Object.keys(meanings));
  });

  describe.each(Object.keys(meanings))("%s", (name) => {
    test("encodes to the same bytes again", () => {
      const bytes = cborOf(name);
      expect(toHex(encodeMimiContent(decodeMimiContent(bytes)))).toBe(toHex(bytes));
    });

    test("gives the message id of its diagnostic form", () => {
      const bytes = cborOf(name);
      const { salt, extensions } = decodeMimiContent(bytes);
      const senderUri = extensions.senderUri!;
      const roomUri = extensions.roomUri!;
      const id = messageId({ senderUri, roomUri, message: bytes, salt });
      const expected = expectedIdOf(name);
      expect(expected).toMatch(/^01[0-9a-f]{62}$/u);
      expect(toHex(idToBytes(id))).toBe(expected);
      expect(decodeMessage(bytes, senderUri, roomUri)).toMatchObject({
        messageId: id,
        ...meanings[name],
      });
    });

    test("is refused when any byte of it is missing", () => {
      const bytes = cborOf(name);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => decodeMimiContent(bytes.subarray(0, length))).toThrow(
          errorWith("frame-malformed"),
        );
      }
    });
  });

  test("what a client derives about a message is not taken for a message", () => {
    const bytes = cborOf("implied-original");
    expect(() => decodeMimiContent(bytes)).toThrow(errorWith("frame-malformed"));
    expect(encodeCbor(decodeCbor(bytes, bytes.length))).toEqual(bytes);
  });
});
