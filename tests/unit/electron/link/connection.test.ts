import { describe, expect, test } from "vitest";
import { encodeCbor, maxFrameBytes, type Frame } from "#protocol";
import {
  linkUrl,
  openConnection,
  type RelayEventMessage,
} from "../../../../electron/link/index.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";
import { createFakeSockets, settle } from "../../../support/fake-relay-socket.ts";

function open() {
  const clock = createFakeClock();
  const { connect, sockets } = createFakeSockets();
  const events: RelayEventMessage[] = [];
  const opening = openConnection({
    connect,
    clock,
    relayUrl: "wss://relay.example",
    onEvent: (event) => events.push(event),
  });
  const [socket] = sockets;
  return { clock, socket: socket!, opening, events };
}

async function opened() {
  const parts = open();
  parts.socket.hello();
  return { ...parts, connection: await parts.opening };
}

describe("a link's address", () => {
  test.each([
    ["wss://relay.example", "wss://relay.example/v1/link"],
    ["ws://127.0.0.1:20000/", "ws://127.0.0.1:20000/v1/link"],
    ["wss://example.org/sotto", "wss://example.org/sotto/v1/link"],
    ["wss://relay.example/v1/link", "wss://relay.example/v1/link"],
  ])("of %s", (relayUrl, expected) => {
    expect(linkUrl(relayUrl)).toBe(expected);
  });
});

describe("opening a connection", () => {
  test("names the subprotocol and the largest message, and waits for hello", async () => {
    const { connection, socket } = await opened();
    expect(socket.target).toEqual({
      url: "wss://relay.example/v1/link",
      subprotocol: "sotto.1",
      maxMessageBytes: maxFrameBytes,
    });
    expect(connection.hello.relayTimeMs).toBe(1_700_000_000_000);
  });

  test("fails when nobody greets in time", async () => {
    const { clock, opening, socket } = open();
    clock.advance(15_000);
    await expect(opening).rejects.toMatchObject({ code: "relay-unreachable" });
    expect(socket.closed).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("fails when the other side hangs up", async () => {
    const { opening, socket, clock } = open();
    socket.hangUp();
    await expect(opening).rejects.toMatchObject({ code: "relay-unreachable" });
    expect(clock.waiting).toBe(0);
  });

  test("refuses a relay that speaks other versions", async () => {
    const { opening, socket } = open();
    socket.hello({ protocolVersions: [2, 3] });
    await expect(opening).rejects.toMatchObject({ code: "protocol-version-unknown" });
    expect(socket.closed).toBe(true);
  });

  test("refuses anything before hello, and a malformed hello", async () => {
    const early = open();
    early.socket.frame({ kind: "event", name: "directory.changed", body: { version: 1 } });
    await expect(early.opening).rejects.toMatchObject({ code: "frame-out-of-order" });
    const malformed = open();
    malformed.socket.hello({ challenge: new Uint8Array(31) });
    await expect(malformed.opening).rejects.toMatchObject({ code: "frame-malformed" });
    const garbage = open();
    garbage.socket.bytes(new Uint8Array([0xff]));
    await expect(garbage.opening).rejects.toMatchObject({ code: "frame-malformed" });
  });
});

describe("asking", () => {
  test("matches answers to questions, whatever their order", async () => {
    const { connection, socket } = await opened();
    const invites = connection.request("invite.list", {});
    const groups = connection.request("group.list", {});
    const [first, second] = socket.requests;
    socket.answer({ groups: [] }, second!.id);
    socket.answer({ invites: [] }, first!.id);
    expect(await groups).toEqual({ groups: [] });
    expect(await invites).toEqual({ invites: [] });
  });

  test("a failure carries the relay's code; one that isn't a relay's to give is internal", async () => {
    const { connection, socket } = await opened();
    const first = connection.request("policy.get", {});
    socket.frame({ kind: "failure", id: socket.last.id, error: { code: "not-allowed" } });
    await expect(first).rejects.toMatchObject({ code: "not-allowed" });
    const second = connection.request("policy.get", {});
    socket.frame({ kind: "failure", id: socket.last.id, error: { code: "relay-unreachable" } });
    await expect(second).rejects.toMatchObject({ code: "internal" });
  });

  test("an answer that never comes ends the connection, and with it every question", async () => {
    const { connection, socket, clock } = await opened();
    const first = connection.request("policy.get", {});
    const second = connection.request("group.list", {});
    clock.advance(30_000);
    await expect(first).rejects.toMatchObject({ code: "relay-unreachable" });
    await expect(second).rejects.toMatchObject({ code: "relay-unreachable" });
    expect(await connection.ended).toBe("relay-unreachable");
    expect(socket.closed).toBe(true);
    expect(clock.waiting).toBe(0);
    await expect(connection.request("group.list", {})).rejects.toMatchObject({
      code: "relay-unreachable",
    });
  });

  test("a malformed answer ends the connection and leaves the question open", async () => {
    const { connection, socket } = await opened();
    const asked = connection.request("group.list", {});
    socket.answer({ groups: "none" });
    await expect(asked).rejects.toMatchObject({
      code: "relay-unreachable",
      data: { reason: "frame-malformed" },
    });
    expect(await connection.ended).toBe("frame-malformed");
  });

  test("what is too large isn't sent", async () => {
    const { connection, socket } = await opened();
    const bytes = new Uint8Array(maxFrameBytes);
    await expect(
      connection.request("keyPackages.publish", { keyPackages: [bytes], lastResort: null }),
    ).rejects.toMatchObject({ code: "frame-too-large" });
    expect(socket.requests).toEqual([]);
    expect(socket.closed).toBe(false);
  });
});

describe("what arrives", () => {
  test("events come in order, parsed", async () => {
    const { socket, events } = await opened();
    socket.frame({ kind: "event", name: "directory.changed", body: { version: 7 } });
    socket.frame({ kind: "event", name: "keyPackages.low", body: { keyPackagesLeft: 3 } });
    expect(events).toEqual([
      { name: "directory.changed", body: { version: 7 } },
      { name: "keyPackages.low", body: { keyPackagesLeft: 3 } },
    ]);
  });

  const group = "AAAAAAAAAAAAAAAAAAAAAA";
  test.each<readonly [string, Frame | Uint8Array, string]>([
    ["no frame", new Uint8Array([0x83, 0, 1]), "frame-malformed"],
    ["text", new TextEncoder().encode('{"kind":"event"}'), "frame-malformed"],
    ["trailing bytes", new Uint8Array([...encodeCbor([1, 1, {}]), 0]), "frame-malformed"],
    ["an answer to no question", { kind: "response", id: 99, result: {} }, "frame-out-of-order"],
    [
      "a failure of no question",
      { kind: "failure", id: 99, error: { code: "internal" } },
      "frame-out-of-order",
    ],
    [
      "a question",
      { kind: "request", id: 1, method: "policy.get", params: {} },
      "frame-out-of-order",
    ],
    ["hello again", { kind: "event", name: "hello", body: {} }, "frame-out-of-order"],
    ["an unknown event", { kind: "event", name: "surprise", body: {} }, "frame-malformed"],
    [
      "an event with a foreign field",
      { kind: "event", name: "directory.changed", body: { version: 1, more: 1 } },
      "frame-malformed",
    ],
    [
      "an entry with a negative sequence",
      {
        kind: "event",
        name: "group.entry",
        body: { conversationId: group, entry: { kind: "dropped", sequence: -1 } },
      },
      "frame-malformed",
    ],
  ])("%s ends the connection", async (_, input, code) => {
    const { socket, connection, events } = await opened();
    if (input instanceof Uint8Array) socket.bytes(input);
    else socket.frame(input);
    expect(await connection.ended).toBe(code);
    expect(socket.closed).toBe(true);
    expect(events).toEqual([]);
  });

  test("nothing is heard after the end", async () => {
    const { socket, connection, events } = await opened();
    connection.close();
    socket.frame({ kind: "event", name: "directory.changed", body: { version: 7 } });
    await settle();
    expect(events).toEqual([]);
  });
});
