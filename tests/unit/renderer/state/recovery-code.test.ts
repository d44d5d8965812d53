import { describe, expect, test } from "vitest";
import {
  caretIn,
  recoveryCodeGroups,
  tidyRecoveryCode,
} from "../../../../renderer/state/recovery-code.ts";

describe("a recovery code that is typed", () => {
  test.each([
    ["", ""],
    ["7c2k", "7C2K"],
    ["7c2k9", "7C2K-9"],
    ["7C2K-9QXD", "7C2K-9QXD"],
    ["  7c2k 9qxd\n", "7C2K-9QXD"],
    ["7c2–k9.q/x d", "7C2K-9QXD"],
    ["oOiIlL", "0011-11"],
    ["7C2K-9QX*", "7C2K-9QX*"],
    ["7C2K-", "7C2K"],
  ])("%j is shown as %j", (typed, shown) => {
    expect(tidyRecoveryCode(typed)).toBe(shown);
  });

  test("is the same when it is tidied again", () => {
    const once = tidyRecoveryCode("7c2k 9qxd m4tb ohw8");
    expect(tidyRecoveryCode(once)).toBe(once);
  });

  test("has an end, whatever was pasted", () => {
    expect(recoveryCodeGroups(tidyRecoveryCode("A".repeat(10_000)))).toHaveLength(16);
  });

  test.each([
    ["7c2k", "7C2K", false, 4],
    ["7c2k", "7C2K-9QXD", false, 5],
    ["7c2k9", "7C2K-9QXD", false, 6],
    ["7C2K-9", "7C2K-9QXD", false, 6],
    ["", "7C2K-9QXD", false, 0],
    ["7C2K", "7C2K-9QXD", true, 4],
    ["7C2K-", "7C2K-9QXD", true, 4],
  ])("keeps the caret behind what was typed: %j in %j", (before, shown, deleting, caret) => {
    expect(caretIn(before, shown, deleting)).toBe(caret);
  });
});

test("a recovery code is shown group by group", () => {
  expect(recoveryCodeGroups("7C2K-9QXD-M4TB")).toEqual(["7C2K", "9QXD", "M4TB"]);
});
