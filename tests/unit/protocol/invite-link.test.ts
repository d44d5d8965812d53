import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeCbor,
  formatInviteLink,
  isRelayUrl,
  parseInviteLink,
  toBase64url,
  type Invite,
} from "#protocol";
import { bytesOf, personName } from "../../support/protocol-arbitraries.ts";
import { errorWith } from "../../support/protocol.ts";

const invite: Invite = {
  relayUrl: "wss://relay.example.com:8443/v1",
  networkKey: new Uint8Array(32).fill(1),
  networkName: "Example",
  token: new Uint8Array(16).fill(2),
};

function linkTo(value: unknown): string {
  return `sotto://join/${toBase64url(encodeCbor(value))}`;
}

describe("isRelayUrl", () => {
  test.each([
    "wss://relay.example.com",
    "wss://relay.example.com/",
    "wss://relay.example.com:443/v1/link",
    "wss://Relay.Example.COM",
    "wss://xn--bcher-kva.example",
    "wss://10.0.0.1:1",
    "wss://[2001:db8::1]:65535/x",
    "wss://a",
    "ws://localhost",
    "ws://LOCALHOST:80",
    "ws://localhost:8080/v1/link",
    "ws://127.0.0.1:49152",
    "ws://127.255.255.254",
    "ws://[::1]:8080",
  ])("takes %s", (url) => {
    expect(isRelayUrl(url)).toBe(true);
  });

  test.each([
    ["clear text to another machine", "ws://relay.example.com"],
    ["clear text to a private address", "ws://192.168.0.1"],
    ["a name that starts like a loopback address", "ws://127.0.0.1.example.com"],
    ["a name that starts like localhost", "ws://localhost.example.com"],
    ["a name that ends like localhost", "ws://evil-localhost"],
    ["localhost as user", "ws://localhost@evil.example"],
    ["localhost as user with password", "ws://localhost:80@evil.example"],
    ["a user", "wss://user@relay.example.com"],
    ["the unspecified address", "ws://0.0.0.0"],
    ["a loopback address in short", "ws://127.1"],
    ["a loopback address as a number", "ws://2130706433"],
    ["a loopback address in octal", "ws://0177.0.0.1"],
    ["an octet above 255", "ws://127.0.0.256"],
    ["an octet with a leading zero", "ws://127.0.0.01"],
    ["an IPv6 address that maps a loopback one", "ws://[::ffff:127.0.0.1]"],
    ["another IPv6 address", "ws://[::2]"],
    ["an IPv6 zone", "ws://[::1%25eth0]"],
    ["an IPv6 address that isn't one", "wss://[:::::]"],
    ["an IPv6 address without its bracket", "wss://[::1"],
    ["an IPv4 address that isn't one", "wss://999.1.1.1"],
    ["the long s, which is an s without regard to case", "ws\u017f://relay.example.com"],
    ["the long s in localhost", "ws://localho\u017ft"],
    ["the Kelvin sign", "wss://\u212aelvin.example"],
    ["full-width letters", "wss://ｒｅｌａｙ.example"],
    ["a name outside ASCII", "wss://bücher.example"],
    ["the ideographic full stop", "wss://relay。example"],
    ["a scheme in upper case", "WSS://relay.example.com"],
    ["another scheme", "https://relay.example.com"],
    ["a script", "javascript://localhost/%0aalert(1)"],
    ["a query", "wss://relay.example.com/?a=b"],
    ["a fragment", "wss://relay.example.com/#a"],
    ["escapes", "wss://relay.example.com/%2e%2e"],
    ["a backslash", "wss://localhost\\@evil.example"],
    ["a space", "wss://relay.example.com /"],
    ["a line break at the end", "wss://relay.example.com\n"],
    ["a tab inside", "wss://relay\t.example.com"],
    ["port 0", "wss://relay.example.com:0"],
    ["a port above 65535", "wss://relay.example.com:65536"],
    ["a port with a leading zero", "wss://relay.example.com:080"],
    ["a port that isn't one", "wss://relay.example.com:https"],
    ["an empty port", "wss://relay.example.com:"],
    ["no host", "wss://"],
    ["an empty label", "wss://relay..example"],
    ["a dot at the start", "wss://.example"],
    ["a dot at the end", "ws://localhost."],
    ["a hyphen at the start of a label", "wss://-relay.example"],
    ["a label of 64 characters", `wss://${"a".repeat(64)}.example`],
    ["one slash", "wss:/relay.example.com"],
    ["nothing", ""],
  ])("refuses %s", (_name, url) => {
    expect(isRelayUrl(url)).toBe(false);
  });

  test("what it takes, every platform's URL parser takes, with the same host", () => {
    const part = fc.constantFrom(
      ...["ws", "wss", "://", ":", "/", "@", "[", "]", "::1", ".", "-", "%", "\\"],
      ...["localhost", "127.0.0.1", "127", "0", "1", "a", "example", "\u017f", "\u212a"],
    );
    const candidate = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    const prefixed = fc.oneof(
      candidate,
      candidate.map((rest) => `ws://${rest}`),
    );
    fc.assert(
      fc.property(prefixed, (text) => {
        if (!isRelayUrl(text)) return;
        const url = new URL(text);
        expect(url.username + url.password + url.search + url.hash).toBe("");
        if (url.protocol === "ws:") {
          expect(url.hostname).toMatch(/^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/u);
        } else expect(url.protocol).toBe("wss:");
      }),
      { numRuns: 5000 },
    );
  });

  test("answers at once for long texts", () => {
    const started = performance.now();
    for (const text of ["a.", "a-", "a", ":", "/"]) {
      isRelayUrl(`wss://${text.repeat(100_000)}!`);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("an invite link", () => {
  test("is read as what was written", () => {
    const anyInvite = fc.record({
      relayUrl: fc.constantFrom("wss://relay.example.com", "ws://127.0.0.1:1234/v1"),
      networkKey: bytesOf(32),
      networkName: personName,
      token: bytesOf(16),
    });
    fc.assert(
      fc.property(anyInvite, (value) => {
        expect(parseInviteLink(formatInviteLink(value))).toEqual(value);
      }),
    );
  });

  test("is read with white space around it", () => {
    expect(parseInviteLink(` ${formatInviteLink(invite)}\r\n`)).toEqual(invite);
  });

  test("at its largest is still read", () => {
    const relayUrl = `wss://${"a.".repeat(140)}example`;
    const largest = { ...invite, relayUrl, networkName: "😀".repeat(80) };
    expect(parseInviteLink(formatInviteLink(largest))).toEqual(largest);
  });

  test("can't be written with a relay that mustn't be used", () => {
    expect(() => formatInviteLink({ ...invite, relayUrl: "ws://example.com" })).toThrow(
      errorWith("argument-invalid", { path: "relayUrl" }),
    );
  });

  const link = formatInviteLink(invite);
  test.each([
    ["nothing", ""],
    ["another link", "https://example.com/join/abc"],
    ["another place in Sotto", link.replace("join", "open")],
    ["the scheme alone", "sotto://join/"],
    ["a link that was cut off", link.slice(0, -5)],
    ["a link with something after it", `${link}AAAA`],
    ["a link with a changed letter in the middle", `${link.slice(0, 20)}!${link.slice(21)}`],
    ["a link broken into two lines", `${link.slice(0, 40)}\n${link.slice(40)}`],
    ["an enormous link", `sotto://join/${"A".repeat(4_000_000)}`],
    [
      "a link to a relay that mustn't be used",
      linkTo({ ...invite, relayUrl: "ws://evil.example" }),
    ],
    ["a short network key", linkTo({ ...invite, networkKey: new Uint8Array(31) })],
    ["a short token", linkTo({ ...invite, token: new Uint8Array(15) })],
    ["a misleading network name", linkTo({ ...invite, networkName: "a\u202eb" })],
    ["no token", linkTo({ ...invite, token: null })],
    ["an unknown field", linkTo({ ...invite, more: 1 })],
    ["a list", linkTo([invite])],
  ])("is refused: %s", (_name, text) => {
    expect(() => parseInviteLink(text)).toThrow(errorWith("invite-malformed"));
  });
});
