import { expect, test } from "vitest";
import { idToBytes } from "#protocol";
import {
  conversationEpoch,
  firstGroupId,
  laterGroupId,
  placeOfGroup,
} from "../../../../crypto/mls/group-id.ts";
import { conversationId } from "../../../support/mls-device.ts";

const id = conversationId(7);
const fresh = { randomBytes: (sizeBytes: number) => new Uint8Array(sizeBytes).fill(9) };

test("a conversation's first group has its id and its epochs", () => {
  expect(firstGroupId(id)).toEqual(idToBytes(id));
  expect(placeOfGroup(firstGroupId(id))).toEqual({ conversationId: id, baseEpoch: 0 });
  expect(conversationEpoch({ groupId: firstGroupId(id), epoch: 12n })).toBe(12);
});

test.each([1, 300, 2 ** 32 + 5, 2 ** 48])("a later group counts on from epoch %i", (baseEpoch) => {
  const groupId = laterGroupId({ conversationId: id, baseEpoch }, fresh);
  // In a buffer that begins elsewhere, as decoded messages are.
  const within = new Uint8Array([1, 2, 3, ...groupId]).subarray(3);
  expect(placeOfGroup(within)).toEqual({ conversationId: id, baseEpoch });
  expect(conversationEpoch({ groupId: within, epoch: 1n })).toBe(baseEpoch + 1);
});

test("every other id is none of ours", () => {
  const later = laterGroupId({ conversationId: id, baseEpoch: 1 }, fresh);
  const beyond = later.with(17, 1).with(23, 1);
  for (const groupId of [later.subarray(0, 31), new Uint8Array([...later, 0]), beyond]) {
    expect(() => placeOfGroup(groupId)).toThrow(
      expect.objectContaining({ code: "frame-malformed" }) as Error,
    );
  }
  expect(() => placeOfGroup(new Uint8Array(0))).toThrow(
    expect.objectContaining({ code: "frame-malformed" }) as Error,
  );
});
