import { expect, test } from "vitest";
import { decodeMessage, encodeMessage, messageId, type MessageIntent } from "#protocol";

const id = messageId({
  senderUri: "mimi://a/u/b",
  roomUri: "mimi://a/r/c",
  message: new Uint8Array(),
  salt: new Uint8Array(16),
});
const envelope = {
  salt: new Uint8Array(16).fill(7),
  senderUri: "mimi://a/u/b",
  roomUri: "mimi://a/r/c",
  expiresAtMs: 1_800_000_000_001,
  burnSeconds: 30,
};
const intents: readonly MessageIntent[] = [
  { kind: "text", markdown: "**hi**", replyTo: id, replaces: null },
  { kind: "text", markdown: "**hi**", replyTo: null, replaces: id },
  { kind: "reaction", emoji: "❤️", to: id, replaces: null },
  { kind: "unreact", replaces: id, to: id },
  { kind: "recall", replaces: id },
  { kind: "status", statuses: [{ messageId: id, status: 2 }] },
];

test.each(intents)("what is sent as $kind is read as that", (intent) => {
  const sent = encodeMessage(intent, envelope);
  expect(sent.expiresAtMs).toBe(1_800_000_001_000);
  expect(decodeMessage(sent.bytes, envelope.senderUri, envelope.roomUri)).toEqual({
    messageId: sent.messageId,
    expiresAtMs: sent.expiresAtMs,
    burnSeconds: 30,
    ...intent,
  });
});
