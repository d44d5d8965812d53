import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import websocket from "@fastify/websocket";
import Fastify from "fastify";
import { AppError, maxFrameBytes, relayPath, relaySubprotocol } from "#protocol";
import { formatSlot } from "../domain/layout.ts";
import type { RelayContext } from "../domain/context.ts";
import type { Connections } from "./connections.ts";
import type { RelayLimits } from "./limits.ts";

/** A PEM certificate chain and its key. */
export interface TlsCredentials {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/** Where a server listens. */
export interface ListenOptions {
  readonly host: string;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** null: without TLS. */
  readonly tls: TlsCredentials | null;
}

/** A listening server. */
export interface Server {
  readonly port: number;
  /** Takes no new connection, ends the others, and resolves when the port is free. */
  close(): Promise<void>;
}

/** What a server serves. */
export interface Service {
  readonly context: RelayContext;
  readonly connections: Connections;
  readonly limits: RelayLimits;
}

/**
 * Listens for WebSocket connections, and answers `/healthz`.
 *
 * @throws AppError `relay-start-failed` with `data.reason` "port"
 */
export async function startServer(service: Service, listen: ListenOptions): Promise<Server> {
  const { context, connections, limits } = service;
  const { tls } = listen;
  const fastify = Fastify({
    logger: false,
    bodyLimit: 1024,
    forceCloseConnections: true,
    serverFactory: (handler) =>
      tls === null
        ? createHttpServer(handler)
        : createHttpsServer(
            {
              cert: Buffer.from(tls.certificate),
              key: Buffer.from(tls.key),
              minVersion: "TLSv1.2",
            },
            (request, response) => {
              handler(request, response);
            },
          ),
  });

  await fastify.register(websocket, {
    options: {
      maxPayload: maxFrameBytes,
      // Ciphertext doesn't shrink, and compression beside secrets tells about them.
      perMessageDeflate: false,
      handleProtocols: () => relaySubprotocol,
    },
    // `connections` says good-bye with a reason; the plugin would only cut.
    preClose: async () => {
      await connections.closeAll();
    },
    errorHandler: (error, socket) => {
      // A message above `maxPayload`, a broken frame: ws closes with the code for it.
      context.log.info("socket-error", { error: "code" in error ? String(error.code) : "unknown" });
      if (socket.readyState === socket.CONNECTING) socket.terminate();
    },
  });

  fastify.get("/healthz", async (_request, reply) => {
    try {
      await context.reader.load(formatSlot);
      return { status: "ok" };
    } catch (error) {
      context.log.error("health-failed", error);
      return reply.code(503).send({ status: "storage-failed" });
    }
  });

  fastify.route({
    method: "GET",
    url: relayPath,
    websocket: true,
    preValidation: async (request, reply) => {
      if (!request.ws) return reply.code(426).send({ error: "websocket-expected" });
      const offered = request.headers["sec-websocket-protocol"] ?? "";
      if (!offered.split(",").some((name) => name.trim() === relaySubprotocol)) {
        return reply.code(426).send({ error: "protocol-version-unknown" });
      }
      if (connections.isFull) return reply.code(503).send({ error: "too-many-connections" });
      return undefined;
    },
    handler: (socket, request) => {
      const connection = connections.open(socket);
      const raw = request.raw.socket;
      const atStart = raw.bytesRead;
      // ws takes messages up to the size for signed-in devices; a visitor's bytes are counted as they arrive.
      const count = (): void => {
        if (!connection.isVisitor) raw.off("data", count);
        else if (raw.bytesRead - atStart > limits.maxVisitorBytes) {
          raw.off("data", count);
          connection.close("frame-too-large");
          socket.terminate();
        }
      };
      raw.on("data", count);
    },
  });

  try {
    await fastify.listen({ host: listen.host, port: listen.port });
  } catch (cause) {
    await fastify.close();
    throw new AppError("relay-start-failed", { data: { reason: "port" }, cause });
  }
  return {
    port: (fastify.server.address() as AddressInfo).port,
    close: () => fastify.close(),
  };
}
