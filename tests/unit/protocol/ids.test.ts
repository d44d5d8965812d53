import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  conversationIdSchema,
  deviceIdSchema,
  idFromBytes,
  idToBytes,
  inviteIdSchema,
  messageIdSchema,
  networkIdSchema,
  parse,
  toBase64url,
  userIdSchema,
  vaultIdSchema,
  type UserId,
} from "#protocol";
import { bytesOf } from "../../support/protocol-arbitraries.ts";
import { errorWith } from "../../support/protocol.ts";

const schemas = [
  ["NetworkId", networkIdSchema, 16],
  ["UserId", userIdSchema, 16],
  ["DeviceId", deviceIdSchema, 16],
  ["ConversationId", conversationIdSchema, 16],
  ["VaultId", vaultIdSchema, 16],
  ["InviteId", inviteIdSchema, 16],
  ["MessageId", messageIdSchema, 32],
] as const;

describe.each(schemas)("%s", (_name, schema, sizeBytes) => {
  test("is its bytes in base64url, and nothing else", () => {
    fc.assert(
      fc.property(bytesOf(sizeBytes), (bytes) => {
        const id = parse(schema, toBase64url(bytes));
        expect(idToBytes(id)).toEqual(bytes);
        expect(idFromBytes(bytes)).toBe(id);
      }),
    );
  });

  test.each([
    ["one byte less", toBase64url(new Uint8Array(sizeBytes - 1))],
    ["one byte more", toBase64url(new Uint8Array(sizeBytes + 1))],
    ["spare bits that aren't zero", `${toBase64url(new Uint8Array(sizeBytes)).slice(0, -1)}B`],
    ["padding", `${toBase64url(new Uint8Array(sizeBytes))}==`],
    ["white space", ` ${toBase64url(new Uint8Array(sizeBytes))}`],
    ["nothing", ""],
    ["bytes", new Uint8Array(sizeBytes)],
  ])("refuses %s", (_case, value) => {
    expect(() => parse(schema, value)).toThrow(errorWith("frame-malformed"));
  });
});

test.each([0, 1, 15, 17, 31, 33, 65])("no id has %d bytes", (sizeBytes) => {
  expect(() => idFromBytes<UserId>(new Uint8Array(sizeBytes))).toThrow(errorWith("internal"));
});

test("bytes of something that isn't an id are not made up", () => {
  expect(() => idToBytes("not an id" as UserId)).toThrow(errorWith("internal"));
});
