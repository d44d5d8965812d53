import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { maxIpcBytes, type PreviewMessage } from "#protocol";
import WebSocket from "ws";
import { contentSecurityPolicy, type PageFiles } from "../../../../electron/app/page-files.ts";
import { isSameToken, newToken } from "../../../../electron/preview/secret.ts";
import { servePreview, type PreviewServer } from "../../../../electron/preview/server.ts";
import { readUsualPort, writeUsualPort } from "../../../../electron/preview/usual-port.ts";
import { AppBench, settle } from "../../../support/app-fakes.ts";

const token = newToken();
const page = new TextEncoder().encode("<!doctype html><title>Sotto</title>");

let bench: AppBench;
let server: PreviewServer;
let authority: string;
let port: number;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  bench = new AppBench();
  bench.engine.hasVault("keychain");
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  await bench.start();
  const files = new Map([["/index.html", { mediaType: "text/html; charset=utf-8", bytes: page }]]);
  server = await serve(files, 0, 0);
  authority = new URL(server.address).host;
  port = Number(new URL(server.address).port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close();
});

function serve(files: PageFiles, wished: number, usualPort: number): Promise<PreviewServer> {
  return servePreview({
    app: bench.app,
    files,
    token,
    port: wished,
    usualPort,
    platform: "linux",
  });
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends the path as it is written: no URL parser tidies it up on the way. */
function get(path: string, options: { method?: string; host?: string } = {}): Promise<Answer> {
  const { method = "GET", host = authority } = options;
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, method, headers: { host } }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += part.toString()));
      response.on("end", () => {
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
    })
      .on("error", reject)
      .end();
  });
}

describe("files", () => {
  test("are served with the policy", async () => {
    for (const path of ["/", "/index.html", "/index.html?v=1"]) {
      const { status, headers, body } = await get(path);
      expect(status).toBe(200);
      expect(body).toBe(new TextDecoder().decode(page));
      expect(headers["content-security-policy"]).toBe(contentSecurityPolicy);
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  test.each([
    "/../package.json",
    "/%2e%2e/package.json",
    "/..%2fpackage.json",
    "//etc/passwd",
    "/index.html/",
    "/assets",
    "/INDEX.HTML",
    "/preview",
    "http://example.com/index.html",
  ])("that are not in the table do not exist: %s", async (path) => {
    const { status, body } = await get(path);
    expect([status, body]).toEqual([404, ""]);
  });

  test("are not given to a name that was bound to this address", async () => {
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `localhost:${port}`]) {
      expect((await get("/", { host })).status).toBe(421);
    }
  });

  test("are only read", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect((await get("/", { method })).status).toBe(405);
    }
    expect(await get("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });
});

class Page {
  readonly messages: PreviewMessage[] = [];
  readonly closed: Promise<number>;
  readonly socket: WebSocket;

  constructor(headers: Record<string, string> = {}, path = "/preview") {
    this.socket = new WebSocket(`ws://${authority}${path}`, {
      headers: { origin: `http://${authority}`, ...headers },
    });
    sockets.push(this.socket);
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.socket.on("message", (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as PreviewMessage);
    });
  }

  /** The status of a refused upgrade, or 101. */
  opened(): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.socket.on("error", () => undefined);
      this.socket.on("open", () => {
        resolve(101);
      });
      this.socket.on("unexpected-response", (_request, response) => {
        resolve(response.statusCode);
      });
    });
  }

  async letIn(): Promise<this> {
    expect(await this.opened()).toBe(101);
    this.send({ kind: "hello", token });
    await this.until("welcome");
    return this;
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  async until(kind: PreviewMessage["kind"]): Promise<PreviewMessage> {
    for (let tries = 0; tries < 200; tries++) {
      const found = this.messages.find((message) => message.kind === kind);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`no ${kind} came`);
  }
}

describe("a page's socket", () => {
  test.each([
    ["no origin", { origin: "" }],
    ["another origin", { origin: "https://evil.example" }],
    ["another port of this host", { origin: "http://127.0.0.1:1" }],
    ["the origin under another scheme", { origin: "https://127.0.0.1" }],
    ["a name that was bound to this address", { host: "evil.example" }],
  ])("is refused with %s", async (_what, headers) => {
    expect(await new Page(headers).opened()).toBe(403);
  });

  test("is refused on another path", async () => {
    expect(await new Page({}, "/preview/").opened()).toBe(403);
  });

  test("is let in by the token, told the platform, and counted", async () => {
    const first = await new Page().letIn();
    expect(first.messages).toEqual([{ kind: "welcome", platform: "linux" }]);
    expect(server.pageCount).toBe(1);
    const second = await new Page().letIn();
    expect(server.pageCount).toBe(2);
    first.socket.close();
    second.socket.close();
    await Promise.all([first.closed, second.closed]);
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.pageCount).toBe(0);
  });

  test.each([
    ["a wrong token", { kind: "hello", token: newToken() }],
    ["an empty token", { kind: "hello", token: "" }],
    ["a part of the token", { kind: "hello", token: token.slice(0, -1) }],
    ["the token and more", { kind: "hello", token: `${token}A` }],
    ["a command before hello", { kind: "command", id: 1, name: "app.get", params: {} }],
    ["something else", { kind: "other" }],
  ])("is closed after %s, and nothing reaches the engine", async (_what, message) => {
    const stranger = new Page();
    await stranger.opened();
    stranger.send(message);
    expect(await stranger.closed).toBe(1008);
    bench.engine.client.emit("people.changed", null);
    await settle();
    expect(stranger.messages).toEqual([]);
    expect(bench.engine.client.calls).toEqual([]);
  });

  test("is closed when it sends what is no message", async () => {
    for (const junk of ["{", "[]", Buffer.from([1, 2, 3])]) {
      const stranger = await new Page().letIn();
      stranger.socket.send(junk);
      expect(await stranger.closed).toBe(1008);
    }
  });

  test("answers commands by their number and passes events on", async () => {
    const open = await new Page().letIn();
    bench.engine.client.result = [];
    open.send({ kind: "command", id: 7, name: "people.list", params: {} });
    expect(await open.until("answer")).toEqual({
      kind: "answer",
      id: 7,
      answer: { ok: true, result: [] },
    });
    bench.engine.client.emit("people.changed", null);
    expect(await open.until("event")).toEqual({
      kind: "event",
      message: { name: "people.changed", body: null },
    });
  });

  test("says of a command that is too large that it is", async () => {
    const open = await new Page().letIn();
    const params = { text: "x".repeat(maxIpcBytes) };
    open.send({ kind: "command", id: 1, name: "message.send", params });
    expect(await open.until("answer")).toMatchObject({
      answer: { ok: false, error: { code: "frame-too-large" } },
    });
  });

  test("is cut off by a flood", async () => {
    const open = await new Page().letIn();
    open.socket.on("error", () => undefined);
    open.socket.send("x".repeat(3 * 1024 * 1024));
    expect([1006, 1009]).toContain(await open.closed);
    expect((await new Page().letIn()).messages).toHaveLength(1);
  });

  test("takes the same token again after a reload", async () => {
    const first = await new Page().letIn();
    first.socket.terminate();
    await first.closed;
    expect((await new Page().letIn()).messages).toHaveLength(1);
  });

  test("ends with its server, and what it had open is closed", async () => {
    const open = await new Page().letIn();
    const conversationId = "AAAAAAAAAAAAAAAAAAAAAA";
    open.send({ kind: "command", id: 1, name: "conversation.open", params: { conversationId } });
    await open.until("answer");
    open.socket.terminate();
    await open.closed;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bench.engine.client.calls.at(-1)?.name).toBe("conversation.close");
  });
});

describe("a port that is taken", () => {
  test("is said in words when the person asked for it", async () => {
    await expect(serve(new Map(), port, 0)).rejects.toMatchObject({
      code: "argument-invalid",
      data: { option: "--port" },
    });
  });

  test("is left alone when it is only the usual one", async () => {
    const other = await serve(new Map(), 0, port);
    expect(other.port).not.toBe(port);
    await other.close();
  });
});

describe("the usual port", () => {
  test("is taken again when it is free", async () => {
    await server.close();
    server = await serve(new Map(), 0, port);
    expect(server.port).toBe(port);
  });

  test("is remembered, and forgotten when what is written there is no port", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sotto-port-"));
    expect(await readUsualPort(directory)).toBe(0);
    await writeUsualPort(directory, 4711);
    expect(await readUsualPort(directory)).toBe(4711);
    for (const text of ["", "x", "99999", "-1", "1e3", "80"]) {
      await writeFile(join(directory, "preview-port"), text);
      expect(await readUsualPort(directory), text).toBe(0);
    }
    await rm(directory, { recursive: true });
    await expect(writeUsualPort(directory, 1)).resolves.toBeUndefined();
  });
});

describe("tokens", () => {
  test("are 256 random bits, as the page takes them from its address", () => {
    expect(newToken()).toMatch(/^[\w-]{43}$/u);
    expect(newToken()).not.toBe(newToken());
    expect(server.address).toBe(`http://${authority}/#token=${token}`);
  });

  test("are the same only when every character is", () => {
    expect(isSameToken(token, token)).toBe(true);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === "A" ? "B" : "A";
      expect(isSameToken(token.slice(0, at) + other + token.slice(at + 1), token)).toBe(false);
    }
    for (const sent of ["", token.slice(1), token + token, `${token}\0`]) {
      expect(isSameToken(sent, token)).toBe(false);
    }
  });
});
