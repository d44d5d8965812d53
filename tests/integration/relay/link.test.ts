import { request as httpRequest } from "node:http";
import { connect as connectTcp } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import {
  encodeCbor,
  encodeFrame,
  maxFrameBytes,
  maxUnauthenticatedFrameBytes,
  relayCloseCodes,
  relayPath,
  type WireError,
} from "#protocol";
import type { RelayClient } from "../../support/relay-client.ts";
import { codeOf, eventually, RelayFixture } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";

let fixture: RelayFixture;
afterEach(() => fixture.dispose());

const request = (id: number, method: string, params: unknown = {}): Uint8Array =>
  encodeFrame({ kind: "request", id, method, params });
const failureOf = async (promise: Promise<unknown>): Promise<WireError> => {
  try {
    await promise;
  } catch (error) {
    return error as WireError;
  }
  throw new Error("it didn't fail");
};
const statusOf = (path: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    httpRequest(fixture.url.replace("ws:", "http:") + path, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });

describe("frames that are none", () => {
  test("each closes the connection with a code and words, and hurts nobody else", async () => {
    const claimed = await RelayFixture.claimed();
    ({ fixture } = claimed);
    const malformed: readonly (Uint8Array | string)[] = [
      "text",
      new Uint8Array(),
      new Uint8Array([0xff]),
      encodeCbor("a string"),
      encodeCbor([0, 1, "policy.get"]),
      encodeCbor([0, -1, "policy.get", {}]),
      encodeCbor([0, 1, "", {}]),
      encodeCbor([0, 1, "m".repeat(41), {}]),
      encodeCbor([9, 1, "policy.get", {}]),
      // Not deterministic: 1 in two bytes.
      new Uint8Array([0x84, 0x00, 0x18, 0x01, 0x61, 0x61, 0xa0]),
      // Indefinite length.
      new Uint8Array([0x9f, 0x00, 0x01, 0x61, 0x61, 0xa0, 0xff]),
      // Trailing bytes.
      new Uint8Array([...request(1, "policy.get"), 0]),
      // What only a relay may say.
      encodeFrame({ kind: "response", id: 1, result: {} }),
      encodeFrame({ kind: "failure", id: 1, error: { code: "internal" } }),
      encodeFrame({ kind: "event", name: "hello", body: {} }),
    ];
    for (const bytes of malformed) {
      const client = await fixture.connect();
      client.sendRaw(bytes);
      expect(await client.ended).toEqual({
        code: relayCloseCodes["frame-malformed"],
        reason: "frame-malformed",
      });
    }
    expect(await codeOf(claimed.admin.client.request("policy.get", {}))).toBe("no failure");
  });

  test("a request id that doesn't grow is out of order, and ends the connection", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed();
    fixture = own;
    admin.client.sendRaw(request(100, "policy.get"));
    admin.client.sendRaw(request(100, "policy.get"));
    expect((await admin.client.ended).code).toBe(relayCloseCodes["frame-malformed"]);
    await admin.reconnect();
    admin.client.sendRaw(request(100, "policy.get"));
    admin.client.sendRaw(request(99, "policy.get"));
    expect((await admin.client.ended).code).toBe(relayCloseCodes["frame-malformed"]);
  });

  test("a broken WebSocket frame ends only its own connection", async () => {
    fixture = await RelayFixture.start();
    const client = await fixture.connect();
    const raw = (client.socket as unknown as { _socket: NodeJS.WritableStream })._socket;
    // Reserved bits set, unmasked.
    raw.write(Buffer.from([0xff, 0x05, 1, 2, 3, 4, 5]));
    expect((await client.ended).code).not.toBe(1000);
    expect((await fixture.connect()).hello.network).toBeNull();
  });

  test("methods and params that don't exist fail, and the connection goes on", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed();
    fixture = own;
    const { client } = admin;
    for (const method of ["nothing.such", "constructor", "__proto__", "toString"]) {
      expect(await codeOf(client.requestAnything(method, {}))).toBe("command-unknown");
    }
    const wrong: readonly [string, unknown][] = [
      ["policy.get", null],
      ["policy.get", { more: 1 }],
      ["policy.get", [1]],
      ["group.read", { conversationId: "short", afterSequence: 0, limit: 1 }],
      ["group.read", {}],
      ["group.acknowledge", { conversationId: "A".repeat(22), sequence: -1 }],
      ["group.acknowledge", { conversationId: "A".repeat(22), sequence: 1.5 }],
      ["invite.create", { expiresAtMs: 1, uses: 0 }],
      ["keyPackages.publish", { keyPackages: [1], lastResort: null }],
    ];
    for (const [method, params] of wrong) {
      expect(await codeOf(client.requestAnything(method, params))).toBe("frame-malformed");
    }
    const { code, data } = await failureOf(
      client.requestAnything("group.read", { conversationId: "short", afterSequence: 0, limit: 1 }),
    );
    expect({ code, data }).toEqual({
      code: "frame-malformed",
      data: { path: "conversationId" },
    });
    expect(await codeOf(client.request("policy.get", {}))).toBe("no failure");
  });

  test("a device's request before sign-in is out of order", async () => {
    ({ fixture } = await RelayFixture.claimed());
    const client = await fixture.connect();
    const methods = [
      ["policy.get", {}],
      ["invite.list", {}],
      ["directory.list", { afterVersion: 0 }],
      ["group.list", {}],
      ["inbox.read", { afterSequence: 0 }],
    ] as const;
    for (const [method, params] of methods) {
      expect(await codeOf(client.requestAnything(method, params))).toBe("frame-out-of-order");
    }
  });
});

describe("sizes", () => {
  test("before sign-in a frame above 64 KiB ends the connection", async () => {
    fixture = await RelayFixture.start();
    const fits = await fixture.connect();
    const padding = "x".repeat(maxUnauthenticatedFrameBytes - 100);
    expect(await codeOf(fits.requestAnything("network.claim", { padding }))).toBe(
      "frame-malformed",
    );
    const over = await fixture.connect();
    over.sendRaw(new Uint8Array(maxUnauthenticatedFrameBytes + 1));
    expect(await over.ended).toEqual({
      code: relayCloseCodes["frame-too-large"],
      reason: "frame-too-large",
    });
  });

  test("before sign-in megabytes aren't even taken in", async () => {
    fixture = await RelayFixture.start();
    const client = await fixture.connect();
    const before = process.memoryUsage().arrayBuffers;
    // Half a message that never ends.
    client.socket.send(new Uint8Array(4 * 1024 * 1024), { fin: false, binary: true });
    const { code } = await client.ended;
    expect([relayCloseCodes["frame-too-large"], 1006]).toContain(code);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });

  test("after sign-in a message above 8 MiB ends the connection", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed();
    fixture = own;
    admin.client.sendRaw(new Uint8Array(maxFrameBytes + 1));
    expect((await admin.client.ended).code).toBe(1009);
  });
});

describe("rates", () => {
  const claim = (client: RelayClient): Promise<string> =>
    codeOf(client.requestAnything("network.claim", {}));

  test("too many requests are refused with the time to wait; after it they are done", async () => {
    fixture = await RelayFixture.start({ visitorRate: { burst: 5, perSecond: 20 } });
    const client = await fixture.connect();
    const codes = await Promise.all(Array.from({ length: 8 }, () => claim(client)));
    expect(codes.slice(0, 5)).toEqual(Array(5).fill("frame-malformed"));
    expect(codes.slice(5)).toEqual(Array(3).fill("rate-limited"));
    const { data } = await failureOf(client.requestAnything("network.claim", {}));
    expect(data?.["retryAfterMs"]).toBeGreaterThan(0);
    expect(data?.["retryAfterMs"]).toBeLessThanOrEqual(51);
    fixture.clock.advance(Number(data?.["retryAfterMs"]));
    expect(await claim(client)).toBe("frame-malformed");
  });

  test("who goes on and on is sent away", async () => {
    fixture = await RelayFixture.start({ visitorRate: { burst: 5, perSecond: 1 } });
    const client = await fixture.connect();
    for (let id = 1; id <= 30; id += 1) client.sendRaw(request(id, "network.claim"));
    expect(await client.ended).toEqual({ code: relayCloseCodes.flood, reason: "flood" });
  });

  test("a flood of ten thousand small frames is worked off or refused, and others are served meanwhile", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed({
      deviceRate: { burst: 20_000, perSecond: 1000 },
    });
    fixture = own;
    const bo = await fixture.invite(admin, "Bo");
    for (let id = 1000; id < 11_000; id += 1) {
      admin.client.sendRaw(request(id, "group.list"));
    }
    let answers = 0;
    admin.client.socket.on("message", () => (answers += 1));
    expect(await codeOf(bo.client.request("policy.get", {}))).toBe("no failure");
    expect(answers).toBeLessThan(5000);
    await eventually(() => answers === 10_000);
  });
});

describe("slow and dead clients", () => {
  test("a client that doesn't read its events is told to catch up, and then has everything", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed({ maxUnsentBytes: 4 * 1024 * 1024 });
    fixture = own;
    const bo = await fixture.invite(admin, "Bo");
    const group = await admin.createGroup();
    await admin.commit(group, 0, { add: [bo.deviceId] });
    await bo.client.nextEvent("inbox.entry");

    bo.client.socket.pause();
    const messages = 16;
    for (let index = 0; index < messages; index += 1) {
      await admin.append(group, 1, { bytes: testBytes(1024 * 1024) });
    }
    bo.client.socket.resume();
    expect(await bo.client.ended).toEqual({ code: relayCloseCodes.resync, reason: "resync" });
    const live = bo.client.events.filter(({ name }) => name === "group.entry").length;
    expect(live).toBeLessThan(messages);

    await bo.reconnect();
    const sequences: number[] = [];
    for (let after = 1; ;) {
      const { entries, headSequence } = await bo.read(group, after);
      sequences.push(...entries.map(({ sequence }) => sequence));
      after = sequences.at(-1) ?? after;
      if (after === headSequence) break;
    }
    expect(sequences).toEqual(Array.from({ length: messages }, (_, index) => index + 2));
  });

  test("a client that asks without reading answers is not served further, so its answers don't pile up", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed({
      deviceRate: { burst: 100_000, perSecond: 1000 },
      unsentHighWaterBytes: 256 * 1024,
    });
    fixture = own;
    const group = await admin.createGroup();
    await admin.append(group, 0, { bytes: testBytes(900_000) });
    admin.client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    let answers = 0;
    admin.client.socket.on("message", () => (answers += 1));
    for (let id = 1000; id < 1100; id += 1) {
      const params = { conversationId: group, afterSequence: 0, limit: 1 };
      admin.client.sendRaw(request(id, "group.read", params));
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    // A hundred answers would be 90 MB; what may be under way, and what the sockets' buffers take, is a third of that.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(45 * 1024 * 1024);
    admin.client.socket.resume();
    await eventually(() => answers === 100);
  });

  test("a connection without a sign of life is given up; one that answers pings stays", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed({ keepAliveMs: 150 });
    fixture = own;
    const dead = await fixture.connect();
    dead.socket.pause();
    let answered = 0;
    admin.client.socket.on("ping", () => (answered += 1));
    await eventually(() => answered >= 4);
    dead.socket.resume();
    expect((await dead.ended).code).toBe(1006);
    expect(await codeOf(admin.client.request("policy.get", {}))).toBe("no failure");
  });

  test("a full house is said before the connection is made", async () => {
    fixture = await RelayFixture.start({ maxConnections: 2 });
    await fixture.connect();
    const second = await fixture.connect();
    const upgrade = { connection: "upgrade", upgrade: "websocket" };
    const headers = {
      ...upgrade,
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "sotto.1",
    };
    expect(await statusOf(relayPath, headers)).toBe(503);
    await second.close();
    expect((await fixture.connect()).hello.network).toBeNull();
  });
});

describe("the server", () => {
  test("speaks only its own subprotocol and version", async () => {
    fixture = await RelayFixture.start();
    const statusWith = (protocols: string[]): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(fixture.url + relayPath, protocols);
        socket.on("open", () => {
          resolve(socket.protocol);
          socket.terminate();
        });
        socket.on("error", ({ message }) => {
          resolve(message);
        });
      });
    expect(await statusWith(["sotto.1"])).toBe("sotto.1");
    expect(await statusWith(["sotto.2", "sotto.1"])).toBe("sotto.1");
    expect(await statusWith([])).toContain("426");
    expect(await statusWith(["sotto.2"])).toContain("426");
    expect(await statusOf(relayPath)).toBe(426);
  });

  test("says whether it is well", async () => {
    fixture = await RelayFixture.start();
    expect(await statusOf("/healthz")).toBe(200);
    fixture.storage.failReads = true;
    expect(await statusOf("/healthz")).toBe(503);
    expect(await statusOf("/elsewhere")).toBe(404);
  });

  test("survives connections that end at any moment", async () => {
    fixture = await RelayFixture.start();
    const upgrade = [
      `GET ${relayPath} HTTP/1.1`,
      "Host: relay",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: sotto.1",
      "\r\n",
    ].join("\r\n");
    for (let cut = 0; cut <= upgrade.length + 20; cut += 17) {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(fixture.relay.port, "127.0.0.1", () => {
          socket.write(upgrade.slice(0, cut), () => {
            socket.resetAndDestroy();
            resolve();
          });
        });
        socket.on("error", () => undefined);
      });
    }
    expect((await fixture.connect()).hello.network).toBeNull();
  });

  test("says good-bye when it stops, and keeps its port for the next start", async () => {
    const { fixture: own, admin } = await RelayFixture.claimed();
    fixture = own;
    const { port } = fixture.relay;
    // A write that is under way gets its answer before.
    const { storage } = fixture;
    const disk = Promise.withResolvers<undefined>();
    storage.holdCommits = disk.promise;
    const before = storage.commits;
    const lastWrite = admin.createGroup();
    await eventually(() => storage.commits > before);
    const stopped = fixture.stopRelay();
    setTimeout(() => {
      disk.resolve(undefined);
    }, 100);
    const group = await lastWrite;
    await stopped;
    expect(await admin.client.ended).toEqual({ code: 1001, reason: "relay-stopping" });
    await fixture.startRelay();
    expect(fixture.relay.port).toBe(port);
    await admin.reconnect();
    const { groups } = await admin.client.request("group.list", {});
    expect(groups.map(({ conversationId }) => conversationId)).toEqual([group]);
  });
});
