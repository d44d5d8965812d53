import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EmbeddedRelayMessage, EmbeddedRelayRequest } from "#protocol";
import { RelayClient } from "../../support/relay-client.ts";
import { temporaryDirectory } from "../../support/relay-fixture.ts";
import { TestDevice, TestNetwork } from "../../support/relay-identity.ts";

const embedded = join(import.meta.dirname, "../../../relay/embedded.ts");

/** A relay in another thread or process, as the app sees it. */
interface Host {
  readonly send: (request: EmbeddedRelayRequest | { readonly kind: string }) => void;
  readonly next: () => Promise<EmbeddedRelayMessage>;
  readonly ended: Promise<unknown>;
  readonly kill: () => void;
}

function hostOf(emitter: NodeJS.EventEmitter, send: Host["send"], kill: () => void): Host {
  const messages: EmbeddedRelayMessage[] = [];
  let wake = (): void => undefined;
  emitter.on("message", (message: EmbeddedRelayMessage) => {
    messages.push(message);
    wake();
  });
  return {
    send,
    kill,
    ended: once(emitter, "exit"),
    next: async () => {
      for (;;) {
        const message = messages.shift();
        if (message !== undefined) return message;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function inThread(): Host {
  const worker = new Worker(embedded, { stderr: true });
  return hostOf(
    worker,
    (request) => {
      worker.postMessage(request);
    },
    () => void worker.terminate(),
  );
}

/** As in Electron's utility process: the port is `process.parentPort`, and messages come wrapped. */
function inUtilityProcess(): Host {
  const shim = `
    import { EventEmitter } from "node:events";
    const port = new EventEmitter();
    port.postMessage = (message) => process.send(message);
    process.on("message", (data) => port.emit("message", { data }));
    process.parentPort = port;`;
  const child = fork(embedded, {
    execArgv: ["--import", `data:text/javascript,${encodeURIComponent(shim)}`],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return hostOf(
    child,
    (request) => child.send(request),
    () => child.kill("SIGKILL"),
  );
}

describe.each([
  ["a worker thread", inThread],
  ["a utility process", inUtilityProcess],
])("the relay inside the app, in %s", (_, open) => {
  let directory: string;
  let host: Host;
  const start = (): void => {
    host.send({ kind: "start", directory, port: 0 });
  };
  const started = async () => {
    const message = await host.next();
    if (message.kind !== "started") throw new Error(JSON.stringify(message));
    return message;
  };

  beforeEach(() => {
    directory = temporaryDirectory();
    host = open();
  });
  afterEach(() => {
    host.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  test("starts on loopback, serves, stops, and comes back at the same address without a claim code", async () => {
    start();
    const first = await started();
    expect(first.relayUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/u);
    const client = await RelayClient.connect(first.relayUrl);
    const network = new TestNetwork();
    const device = new TestDevice("Ada");
    const { administratorToken } = await client.request("network.claim", {
      claimCode: first.claimCode!,
      networkKey: network.key.publicKey,
      issuerCertificate: network.certificate(client.hello.issuerKey),
      policy: network.policy(),
    });
    // Claimed, but a client that stops here must be able to go on.
    host.send({ kind: "stop" });
    expect(await host.next()).toEqual({ kind: "stopped" });
    expect(await client.ended).toMatchObject({ code: 1001 });
    host.kill();
    host = open();
    start();
    const second = await started();
    expect(second).toEqual(first);
    const again = await RelayClient.connect(second.relayUrl);
    await again.request("invite.redeem", {
      token: administratorToken,
      displayName: "Ada",
      accountKey: device.account.publicKey,
      userId: device.userId,
      device: device.record(network.networkId),
    });
    host.send({ kind: "stop" });
    expect(await host.next()).toEqual({ kind: "stopped" });
    host.kill();
    host = open();
    start();
    expect(await started()).toEqual({ ...first, claimCode: null });
  });

  test("says why it can't start, and can be told again", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    host.send({ kind: "start", directory: file, port: 0 });
    expect(await host.next()).toEqual({
      kind: "failed",
      error: { code: "relay-start-failed", data: { reason: "folder" } },
    });
    start();
    const { relayUrl } = await started();
    start();
    expect(await host.next()).toMatchObject({
      kind: "failed",
      error: { code: "relay-start-failed" },
    });
    // The one that runs is not disturbed.
    expect((await RelayClient.connect(relayUrl)).hello.network).toBeNull();
  });

  test("refuses messages that are none", async () => {
    for (const message of [{ kind: "dance" }, { kind: "start", directory: "", port: 0 }]) {
      host.send(message);
      expect(await host.next()).toMatchObject({
        kind: "failed",
        error: { code: "argument-invalid" },
      });
    }
    host.send({ kind: "stop" });
    expect(await host.next()).toEqual({ kind: "stopped" });
  });
});

test("a worker thread ends by itself after it was stopped", async () => {
  const directory = temporaryDirectory();
  const host = inThread();
  host.send({ kind: "start", directory, port: 0 });
  expect((await host.next()).kind).toBe("started");
  host.send({ kind: "stop" });
  expect(await host.next()).toEqual({ kind: "stopped" });
  await host.ended;
  rmSync(directory, { recursive: true });
});
