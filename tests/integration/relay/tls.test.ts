import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { relayPath, relaySubprotocol } from "#protocol";
import { createSystemClock } from "../../../relay/clock.ts";
import { silentLog } from "../../../relay/log.ts";
import { systemRandom } from "../../../relay/primitives.ts";
import { startRelay, type Relay } from "../../../relay/relay.ts";
import { openLmdbStorage } from "../../../relay/storage/lmdb.ts";
import { temporaryDirectory } from "../../support/relay-fixture.ts";

const pem = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, "../../support/tls", name));

describe("a relay with TLS", () => {
  let directory: string;
  let relay: Relay;

  beforeEach(async () => {
    directory = temporaryDirectory();
    relay = await startRelay({
      storage: openLmdbStorage(directory),
      clock: createSystemClock(),
      random: systemRandom,
      log: silentLog,
      listen: {
        host: "127.0.0.1",
        port: 0,
        tls: { certificate: pem("certificate.pem"), key: pem("key.pem") },
      },
    });
  });
  afterEach(async () => {
    await relay.stop();
    rmSync(directory, { recursive: true });
  });

  const connect = (scheme: string, ca?: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const url = `${scheme}://127.0.0.1:${String(relay.port)}${relayPath}`;
      const socket = new WebSocket(url, [relaySubprotocol], ca === undefined ? {} : { ca });
      socket.on("message", () => {
        resolve("hello");
        socket.terminate();
      });
      socket.on("error", ({ message }) => {
        resolve(message);
      });
    });

  test("serves who trusts its certificate, and nobody without TLS", async () => {
    expect(await connect("wss", pem("certificate.pem"))).toBe("hello");
    expect(await connect("wss")).toContain("self-signed");
    expect(await connect("ws")).not.toBe("hello");
  });
});
