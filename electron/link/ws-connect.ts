import WebSocket from "ws";
import type { Connect } from "./ports.ts";

const handshakeTimeoutMs = 10_000;

/** The socket port on `ws`: for the preview, headless clients and tests. */
export const connectWithWs: Connect = ({ url, subprotocol, maxMessageBytes }, listener) => {
  const socket = new WebSocket(url, subprotocol, {
    maxPayload: maxMessageBytes,
    handshakeTimeout: handshakeTimeoutMs,
    perMessageDeflate: false,
    followRedirects: false,
  });
  socket.binaryType = "nodebuffer";
  socket.on("open", listener.opened);
  socket.on("message", (data: Buffer) => {
    listener.message(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  // What went wrong is of no use to the person; "close" always follows.
  socket.on("error", () => undefined);
  socket.on("close", listener.closed);
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    close: () => {
      socket.terminate();
    },
  };
};
