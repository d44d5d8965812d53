import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRoomUri, parseUserUri, roomUri, userUri } from "#protocol";
import { conversationId, networkId, userId } from "../../../support/protocol-arbitraries.ts";

test("a person's URI names network and person, and is no conversation's", () => {
  fc.assert(
    fc.property(networkId, userId, (network, user) => {
      const uri = userUri(network, user);
      expect(uri).toBe(`mimi://${network}/u/${user}`);
      expect(parseUserUri(uri)).toEqual({ networkId: network, userId: user });
      expect(parseRoomUri(uri)).toBeUndefined();
    }),
  );
});

test("a conversation's URI names network and conversation, and is no person's", () => {
  fc.assert(
    fc.property(networkId, conversationId, (network, conversation) => {
      const uri = roomUri(network, conversation);
      expect(uri).toBe(`mimi://${network}/r/${conversation}`);
      expect(parseRoomUri(uri)).toEqual({ networkId: network, conversationId: conversation });
      expect(parseUserUri(uri)).toBeUndefined();
    }),
  );
});

const id = "AAAAAAAAAAAAAAAAAAAAAA";
test.each([
  "",
  id,
  `mimi://${id}/u/`,
  `mimi://${id}/u/${id}/`,
  `mimi://${id}/u/${id}?a`,
  `mimi://${id}/u/${id}\n`,
  `mimi://${id}/u/${id}A`,
  `mimi://${id}/u/${id.slice(1)}`,
  `mimi://${id}/u/${id.slice(1)}B`,
  `MIMI://${id}/u/${id}`,
  `https://${id}/u/${id}`,
  `mimi://example.com/u/alice-smith`,
])("%j is nobody's URI", (text) => {
  expect(parseUserUri(text)).toBeUndefined();
  expect(parseRoomUri(text.replace("/u/", "/r/"))).toBeUndefined();
});
