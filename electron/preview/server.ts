import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { AppError } from "#protocol";
import { WebSocketServer } from "ws";
import { pageHeaders, type App, type PageFiles } from "../app/index.ts";
import { attachPage } from "./page.ts";

/** What the preview serves. */
export interface PreviewOptions {
  readonly app: App;
  readonly files: PageFiles;
  /** Who knows it is let in. Secret: it stands only in the address that is printed. */
  readonly token: string;
  /** TCP port on 127.0.0.1; 0 takes {@link usualPort} if it is free, otherwise any. */
  readonly port: number;
  /** The port of last time: what a page remembers of its looks is bound to it. 0: there was none. */
  readonly usualPort: number;
  readonly platform: "darwin" | "win32" | "linux";
}

/** The preview's server at work. */
export interface PreviewServer {
  /** The address to open, with the token behind `#`, where no server or log sees it. */
  readonly address: string;
  readonly port: number;
  /** How many pages are open and let in. */
  readonly pageCount: number;
  close(): Promise<void>;
}

const host = "127.0.0.1";
const socketPath = "/preview";
/** Far above what a command may have: the dispatcher answers a command that is too long, a flood is cut off. */
const maxMessageBytes = 2 * 1024 * 1024;

/**
 * Serves the interface and its commands to browsers on this computer.
 *
 * Other pages of the same browser are strangers here. They can't read the files' answers (CORP), can't frame them, and their
 * connections are refused by `Origin`; a name that was bound anew to 127.0.0.1 is refused by `Host`.
 *
 * @throws AppError `argument-invalid` when the port is taken
 */
export async function servePreview(options: PreviewOptions): Promise<PreviewServer> {
  const server = createServer({ maxHeaderSize: 16_384 });
  const wished = options.port === 0 ? options.usualPort : options.port;
  try {
    await listen(server, wished);
  } catch (error) {
    if (options.port !== 0 || wished === 0) throw error;
    await listen(server, 0);
  }
  const { port } = server.address() as AddressInfo;
  const authority = `${host}:${port}`;
  const origin = `http://${authority}`;

  server.on("request", (request, response) => {
    if (request.headers.host === authority) answer(options.files, request, response);
    else refuse(response, 421);
  });

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });
  let pageCount = 0;
  let nextId = 1;
  server.on("upgrade", (request, socket, head) => {
    // Until it is a WebSocket nobody else listens for its errors.
    socket.on("error", () => undefined);
    const { host: asked, origin: from } = request.headers;
    if (asked !== authority || from !== origin || request.url !== socketPath) {
      refuseUpgrade(socket);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      attachPage({
        ...options,
        socket: webSocket,
        id: nextId++,
        onCount: (change) => {
          pageCount += change;
        },
      });
    });
  });

  return {
    address: `${origin}/#token=${options.token}`,
    port,
    get pageCount() {
      return pageCount;
    },
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.close(1001);
        sockets.close();
        server.close(() => {
          resolve();
        });
        // Pages get a moment for the closing handshake; kept-alive requests none.
        server.closeAllConnections();
        setTimeout(() => {
          for (const client of sockets.clients) client.terminate();
        }, 500).unref();
      }),
  };
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new AppError("argument-invalid", { cause, data: { option: "--port" } }));
    };
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function answer(files: PageFiles, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405);
    return;
  }
  const path = request.url?.split("?", 1)[0] ?? "";
  // Every browser asks for it by itself; "nothing" is no error in its console.
  if (path === "/favicon.ico" && !files.has(path)) {
    refuse(response, 204);
    return;
  }
  const file = files.get(path === "/" ? "/index.html" : path);
  if (file === undefined) {
    refuse(response, 404);
    return;
  }
  response.writeHead(200, { ...pageHeaders(file.mediaType), "Content-Length": file.bytes.length });
  response.end(request.method === "HEAD" ? undefined : file.bytes);
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, pageHeaders("text/plain; charset=utf-8"));
  response.end();
}

function refuseUpgrade(socket: Duplex): void {
  socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}
