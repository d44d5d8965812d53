import { describe, expect, test } from "vitest";
import { passphraseProblem, passphraseStrength } from "../../../../renderer/state/passphrase.ts";

describe("a passphrase", () => {
  test.each([
    ["short", "weak"],
    ["aaaaaaaaaaaaaaaaaaaa", "weak"],
    ["troubadour12", "fair"],
    ["quiet violet lantern", "good"],
    ["quiet violet lantern harbour", "strong"],
  ])("“%s” is %s", (passphrase, strength) => {
    expect(passphraseStrength(passphrase)).toBe(strength);
  });

  test.each([
    ["short", "short", "too-short"],
    ["quiet violet lantern", "quiet violet lanterm", "differs"],
    ["quiet violet lantern", "quiet violet lantern", null],
  ] as const)("“%s”, repeated as “%s”: %s", (passphrase, repeated, problem) => {
    expect(passphraseProblem(passphrase, repeated)).toBe(problem);
  });
});
