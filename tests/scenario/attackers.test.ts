import { expect, test } from "vitest";
import { readMessages, removeMembers } from "./attackers.ts";

// From the attacker's seat, with a full copy of what was stored. At length: `npm run test:scenario -- attackers`.

test("who was removed, in whatever way, opens nothing that is said later, and nobody who belongs there is locked out", async () => {
  const { victims, tries, opened } = await removeMembers(12, 7);
  expect(victims).toBeGreaterThanOrEqual(12);
  expect(tries).toBeGreaterThan(victims);
  expect(opened).toBe(0);
});

test("a stored state opens no message again that was read, or jumped over", async () => {
  const { tries, opened } = await readMessages(200, 7);
  expect(tries).toBeGreaterThan(200);
  expect(opened).toBe(0);
});
