import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeMessageStatusReport,
  encodeCbor,
  encodeMessageStatusReport,
  idFromBytes,
  maxReportedMessages,
  messageStatus,
  toHex,
  type MessageId,
} from "#protocol";
import { messageIdArbitrary } from "../../../support/protocol-arbitraries.ts";
import { errorWith, fromHex } from "../../../support/protocol.ts";

const reference = new Uint8Array(32).fill(1);

test("a report is read as what was written, and written again the same", () => {
  const statuses = fc.array(
    fc.record({ messageId: messageIdArbitrary, status: fc.nat({ max: 255 }) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(statuses, (report) => {
      const bytes = encodeMessageStatusReport(report);
      expect(decodeMessageStatusReport(bytes)).toEqual(report);
      expect(encodeMessageStatusReport(decodeMessageStatusReport(bytes))).toEqual(bytes);
    }),
  );
});

// Source: draft-mahy-mimi-message-status-01 §5.
test("the draft's example is read and written", () => {
  const ids = [
    "017ce54837404c3696e0c747b985cb172716d0ed0a3d249ca63ace7d82a096f4",
    "015354973c2b65ca937bf1e035ae53a5ab80e947afa43d46920d4202e5cc0b27",
    "018d825adf9f6be00dcafc5704c4102f5022e74219d0b603e4ba7622654042af",
    "01e59db8173939facc2c8a4a0f0ae8d0c7a11a81239626630c9464a8d6717a03",
  ];
  const states = [
    messageStatus.read,
    messageStatus.read,
    messageStatus.unread,
    messageStatus.expired,
  ];
  const hex = `84${ids.map((id, index) => `825820${id}0${String(states[index])}`).join("")}`;
  const report = ids.map((id, index) => ({
    messageId: idFromBytes<MessageId>(fromHex(id)),
    status: states[index]!,
  }));
  expect(toHex(encodeMessageStatusReport(report))).toBe(hex);
  expect(decodeMessageStatusReport(fromHex(hex))).toEqual(report);
});

describe("a report is refused", () => {
  test.each([
    ["that isn't a list", { status: 2 }],
    ["with an entry that isn't a pair", [[reference]]],
    ["with an entry that has more", [[reference, 2, 0]]],
    ["with a status above 255", [[reference, 256]]],
    ["with a negative status", [[reference, -1]]],
    ["with a status in words", [[reference, "read"]]],
    ["with a short id", [[new Uint8Array(31).fill(1), 2]]],
    ["with an id of an unknown hash", [[new Uint8Array(32).fill(9), 2]]],
    ["about too many messages", new Array(maxReportedMessages + 1).fill([reference, 2])],
  ])("%s", (_name, value) => {
    expect(() => decodeMessageStatusReport(encodeCbor(value))).toThrow(
      errorWith("frame-malformed"),
    );
  });

  test("that is too large, and isn't written either", () => {
    expect(() => decodeMessageStatusReport(new Uint8Array(64 * 1024 + 1))).toThrow(
      errorWith("frame-too-large"),
    );
    const entry = { messageId: idFromBytes<MessageId>(reference), status: 2 };
    const most = new Array<typeof entry>(maxReportedMessages).fill(entry);
    expect(decodeMessageStatusReport(encodeMessageStatusReport(most))).toHaveLength(
      maxReportedMessages,
    );
    expect(() => encodeMessageStatusReport([...most, entry])).toThrow(
      errorWith("argument-invalid"),
    );
    expect(() => encodeMessageStatusReport([{ ...entry, status: 256 }])).toThrow(
      errorWith("argument-invalid"),
    );
  });
});
