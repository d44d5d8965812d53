import { describe, expect, test } from "vitest";
import { isRelayUrl } from "#protocol";
import { readCommandLine, relayAddress, usage } from "../../../relay/command-line.ts";

const reasonOf = (...args: string[]): string => {
  const command = readCommandLine(args);
  return command.kind === "refused" ? command.reason : command.kind;
};

describe("the relay's command line", () => {
  test("a folder is enough: loopback, the port of last time, no TLS", () => {
    expect(readCommandLine(["--directory", "data"])).toEqual({
      kind: "run",
      directory: "data",
      host: "127.0.0.1",
      port: 0,
      tls: null,
    });
  });

  test("takes everything it names in its help", () => {
    const command = readCommandLine(
      "--directory d --host relay.example --port 443 --tls-cert c.pem --tls-key k.pem".split(" "),
    );
    expect(command).toEqual({
      kind: "run",
      directory: "d",
      host: "relay.example",
      port: 443,
      tls: { certificatePath: "c.pem", keyPath: "k.pem" },
    });
    expect(readCommandLine(["--help"])).toEqual({ kind: "help" });
    for (const option of usage.matchAll(/--[a-z-]+/gu)) {
      expect(reasonOf(option[0])).not.toContain("Unknown");
    }
  });

  test.each(["0.0.0.0", "::", "192.168.1.7", "relay.example", "127.evil.example", "1270.0.0.1"])(
    "refuses to listen on %s in clear text, unless a proxy does TLS",
    (host) => {
      const args = ["--directory", "d", "--host", host];
      expect(reasonOf(...args)).toContain("--tls-cert");
      expect(reasonOf(...args, "--behind-proxy")).toBe("run");
      expect(reasonOf(...args, "--tls-cert", "c", "--tls-key", "k")).toBe("run");
    },
  );

  test.each(["localhost", "127.0.0.1", "127.0.0.2", "::1"])(
    "needs no TLS on %s, which others can't reach",
    (host) => {
      expect(reasonOf("--directory", "d", "--host", host)).toBe("run");
    },
  );

  test("says what is wrong", () => {
    expect(reasonOf()).toContain("--directory");
    expect(reasonOf("--directory", "")).toContain("--directory");
    expect(reasonOf("--directory", "d", "--port", "99999")).toContain("--port");
    expect(reasonOf("--directory", "d", "--port", "x")).toContain("--port");
    expect(reasonOf("--directory", "d", "--tls-cert", "c")).toContain("--tls-key");
    expect(reasonOf("--directory", "d", "--colour")).toContain("--colour");
    expect(reasonOf("--directory", "d", "more")).toContain("more");
  });

  test("prints addresses that clients take", () => {
    for (const options of [
      { host: "127.0.0.1", port: 4000, tls: false },
      { host: "::1", port: 4000, tls: false },
      { host: "relay.example", port: 443, tls: true },
    ]) {
      expect(isRelayUrl(relayAddress(options))).toBe(true);
    }
    expect(relayAddress({ host: "::1", port: 1, tls: true })).toBe("wss://[::1]:1");
  });
});
