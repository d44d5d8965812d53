import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  decodeCbor,
  decodeMimiContent,
  encodeCbor,
  encodeMimiContent,
  idToBytes,
  messageId,
  toHex,
} from "#protocol";

/*
 * The examples of draft-ietf-mimi-content (see shared/vectors/README.md for their commit). `implied-original` isn't a message but what
 * a client derives about one, and its .cbor is older than its .edn.
 */
const directory = new URL("./mimi-content/", import.meta.url);
const names = readdirSync(directory)
  .filter((name) => name.endsWith(".cbor") && name !== "implied-original.cbor")
  .map((name) => name.slice(0, -".cbor".length));

function cborOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.cbor`, directory)));
}

/** The id in the comment above the diagnostic form. */
function expectedIdOf(name: string): string {
  const text = readFileSync(new URL(`${name}.edn`, directory), "utf8");
  const quoted = /message ID = h'([^']+)'/u.exec(text)?.[1];
  if (quoted === undefined) throw new Error(`no message id in ${name}.edn`);
  return quoted.replaceAll(/[^0-9a-f]/gu, "");
}

test("all eleven messages are there", () => {
  expect(names).toEqual([
    "attachment",
    "delete",
    "edit",
    "expiring",
    "mention",
    "multipart-1",
    "multipart-2",
    "original",
    "reaction",
    "reply",
    "unlike",
  ]);
});

describe.each(names)("%s", (name) => {
  const bytes = cborOf(name);
  const content = decodeMimiContent(bytes);

  test("encodes to the same bytes again", () => {
    expect(toHex(encodeMimiContent(content))).toBe(toHex(bytes));
  });

  test("gives the message id of its diagnostic form", () => {
    const { senderUri, roomUri } = content.extensions;
    const id = messageId({
      senderUri: senderUri!,
      roomUri: roomUri!,
      message: bytes,
      salt: content.salt,
    });
    const expected = expectedIdOf(name);
    expect(expected).toMatch(/^01[0-9a-f]{62}$/u);
    expect(toHex(idToBytes(id))).toBe(expected);
  });
});

test("what a client derives about a message is not taken for a message", () => {
  const bytes = cborOf("implied-original");
  expect(() => decodeMimiContent(bytes)).toThrow(
    expect.objectContaining({ code: "frame-malformed" }),
  );
  expect(encodeCbor(decodeCbor(bytes, bytes.length))).toEqual(bytes);
});
