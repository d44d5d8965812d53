import { expect, test } from "vitest";
import { backoffDelayMs } from "../../../../electron/link/backoff.ts";

test("waits longer after each failure, up to half a minute, and never less than half of it", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) =>
    backoffDelayMs(failures, "relay-unreachable", 1),
  );
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  const shortest = [1, 2, 100].map((failures) => backoffDelayMs(failures, "relay-unreachable", 0));
  expect(shortest).toEqual([250, 500, 15_000]);
});

test("a relay that refuses this device isn't asked again soon", () => {
  for (const code of ["relay-identity-changed", "sign-in-refused", "policy-rollback"] as const) {
    expect(backoffDelayMs(1, code, 0)).toBe(15_000);
  }
});
