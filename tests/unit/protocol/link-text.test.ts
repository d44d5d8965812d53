import { describe, expect, test } from "vitest";
import { formatLinkText, isLinkText, parseLinkText } from "#protocol";
import { errorWith } from "../../support/protocol.ts";

const code = "7KQ4-MW2P-9D3H-XT5B-0RVE-J8NC-4ZGY";
const whole = { code, relayUrl: "wss://relay.halden.example:8443" };

describe("the text that is carried to another computer", () => {
  test("says the code and where the relay is", () => {
    const text = formatLinkText(whole);
    expect(text).toBe(`sotto://link/${code}@wss://relay.halden.example:8443`);
    expect(parseLinkText(text)).toEqual(whole);
    expect(isLinkText(text)).toBe(true);
    expect(isLinkText("sotto://join/abc")).toBe(false);
  });

  test.each([
    `${code}@relay.halden.example:8443`,
    `  ${code} @ wss://relay.halden.example:8443 `,
    `SOTTO://link/${code}@relay.halden.example:8443`,
  ])("may be typed as %o", (typed) => {
    expect(parseLinkText(typed)).toEqual(whole);
  });

  test.each([
    "",
    code,
    `@wss://relay.halden.example`,
    `${code}@`,
    `${code}@ws://relay.halden.example`,
    `${code}@https://relay.halden.example`,
    `${code}@relay.halden.example/?x=1`,
    `${code.slice(0, 20)}@relay.halden.example`,
    `${code.replace("7", "é")}@relay.halden.example`,
    `sotto://join/${code}@relay.halden.example`,
    `${code}@${"a".repeat(400)}.example`,
  ])("is not %o", (typed) => {
    expect(() => parseLinkText(typed)).toThrow(errorWith("link-code-malformed"));
  });
});
