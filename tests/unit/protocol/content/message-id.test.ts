import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { idToBytes, messageId } from "#protocol";
import { bytesOf, unicodeText } from "../../../support/protocol-arbitraries.ts";
import { errorWith } from "../../../support/protocol.ts";

function lengthOf(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return length;
}

// Source: draft-ietf-mimi-content-08 §3.3.
test("is SHA-256 over sender, room, message and salt, with lengths in bytes of UTF-8", () => {
  const uri = unicodeText;
  fc.assert(
    fc.property(uri, uri, fc.uint8Array(), bytesOf(16), (senderUri, roomUri, message, salt) => {
      const hash = createHash("sha256")
        .update(lengthOf(senderUri))
        .update(senderUri)
        .update(lengthOf(roomUri))
        .update(roomUri)
        .update(message)
        .update(salt)
        .digest();
      const expected = new Uint8Array([1, ...hash.subarray(0, 31)]);
      expect(idToBytes(messageId({ senderUri, roomUri, message, salt }))).toEqual(expected);
    }),
  );
});

test("differs for every sender, room, message and salt", () => {
  const input = {
    senderUri: "mimi://a/u/b",
    roomUri: "mimi://a/r/c",
    message: Uint8Array.of(1),
    salt: new Uint8Array(16),
  };
  const ids = [
    input,
    { ...input, senderUri: "mimi://a/u/bb" },
    { ...input, roomUri: "mimi://a/r/d" },
    { ...input, message: Uint8Array.of(2) },
    { ...input, salt: new Uint8Array(16).fill(1) },
    { ...input, senderUri: "mimi://a/u/bmimi", roomUri: "://a/r/c" },
  ].map(messageId);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each([["a".repeat(65_536)], ["ä".repeat(32_768)]])(
  "refuses a URI whose length has no 16 bits",
  (senderUri) => {
    const input = { roomUri: "", message: new Uint8Array(), salt: new Uint8Array(16) };
    expect(() => messageId({ ...input, senderUri })).toThrow(errorWith("argument-invalid"));
    expect(() => messageId({ ...input, senderUri: senderUri.slice(1) })).not.toThrow();
  },
);
