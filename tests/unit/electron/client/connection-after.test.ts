import { describe, expect, test } from "vitest";
import type { ConnectionView, ErrorCode } from "#protocol";
import { connectionAfter } from "../../../../electron/client/connection-after.ts";

const offline = (code: ErrorCode): ConnectionView => ({ kind: "offline", code, retryAtMs: 1 });
const suspended = offline("account-suspended");

describe("a suspension", () => {
  test.each([{ kind: "connecting" }, offline("relay-unreachable")] as const)(
    "stands while the relay says nothing: %o",
    (next) => {
      expect(connectionAfter(suspended, next)).toBe(suspended);
    },
  );

  test.each([{ kind: "online" }, offline("device-revoked"), offline("clock-differs")] as const)(
    "is over when the relay says something else: %o",
    (next) => {
      expect(connectionAfter(suspended, next)).toBe(next);
    },
  );

  test("is told when the relay says it, and nothing else stays", () => {
    expect(connectionAfter({ kind: "connecting" }, suspended)).toBe(suspended);
    expect(connectionAfter(offline("clock-differs"), { kind: "connecting" })).toEqual({
      kind: "connecting",
    });
  });
});
