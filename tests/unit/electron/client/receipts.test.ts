import { describe, expect, test } from "vitest";
import type { UserId } from "#protocol";
import { ownBurnAtMs } from "../../../../electron/client/conversations/receipts.ts";
import { deliveryView } from "../../../../electron/client/views/message-views.ts";

const [ben, cem] = ["ben", "cem"] as unknown as [UserId, UserId];
const receipt = (userId: UserId, deliveredAtMs: number | null, readAtMs: number | null) => ({
  userId,
  deliveredAtMs,
  readAtMs,
  burned: false,
});
const members = new Set([ben, cem]);

describe("the sender's copy of a burn-on-read message", () => {
  test("burns with the last reader's", () => {
    expect(ownBurnAtMs(10, [receipt(ben, 1, 1000), receipt(cem, 1, 5000)], members)).toBe(15_000);
  });

  test("waits for everybody who is still there", () => {
    const receipts = [receipt(ben, 1, 1000), receipt(cem, 1, null)];
    expect(ownBurnAtMs(10, receipts, members)).toBeNull();
    expect(ownBurnAtMs(10, receipts, new Set([ben]))).toBe(11_000);
  });

  test("doesn't burn where nobody is known to read", () => {
    expect(ownBurnAtMs(10, [], members)).toBeNull();
    expect(ownBurnAtMs(10, [receipt(cem, null, null)], new Set())).toBeNull();
  });
});

describe("how far a message has come", () => {
  const sent = { kind: "sent" } as const;

  test("the slowest reader decides", () => {
    expect(deliveryView(sent, [receipt(ben, 1, 1), receipt(cem, 1, 1)])).toEqual({ kind: "read" });
    expect(deliveryView(sent, [receipt(ben, 1, 1), receipt(cem, 1, null)])).toEqual({
      kind: "delivered",
    });
    expect(deliveryView(sent, [receipt(ben, 1, 1), receipt(cem, null, null)])).toEqual(sent);
  });

  test("without receipts it is sent, and no more is claimed", () => {
    expect(deliveryView(sent, [])).toEqual(sent);
  });

  test("what waits or failed stays that", () => {
    expect(deliveryView({ kind: "waiting" }, [receipt(ben, 1, 1)])).toEqual({ kind: "waiting" });
    const failed = { kind: "failed", code: "not-allowed" } as const;
    expect(deliveryView(failed, [])).toEqual(failed);
  });
});
