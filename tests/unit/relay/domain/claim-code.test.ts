import { describe, expect, test } from "vitest";
import { claimCode, normalClaimCode } from "../../../../relay/domain/claim-code.ts";
import { systemRandom } from "../../../../relay/primitives.ts";

describe("claim codes", () => {
  test("are four groups of five characters that can't be taken for each other", () => {
    for (let round = 0; round < 50; round += 1) {
      expect(claimCode(systemRandom)).toMatch(
        /^[0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){3}$/u,
      );
    }
  });

  test("use every character, and differ", () => {
    const codes = Array.from({ length: 200 }, () => claimCode(systemRandom));
    expect(new Set(codes).size).toBe(200);
    expect(new Set(codes.join("").replaceAll("-", "")).size).toBe(32);
  });

  test("are recognised however they are typed", () => {
    expect(normalClaimCode(" 0o1-iL2 3ab ")).toBe("0011123AB");
    const code = claimCode(systemRandom);
    expect(normalClaimCode(code.toLowerCase().replaceAll("-", " "))).toBe(code.replaceAll("-", ""));
  });
});
