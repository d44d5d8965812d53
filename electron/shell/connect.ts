import type { Net, Session } from "electron";
import type { Connect } from "../link/index.ts";

/** What of Electron's `net` is used. */
export type ChromiumNet = Pick<Net, "WebSocket">;

/**
 * The socket port on Chromium's network stack: system proxy, PAC, platform trust store, client certificates. (Electron 45, `net.WebSocket`.)
 *
 * @param session - whose proxy settings and trust count; no cookie of it is sent
 */
export function chromiumConnect(net: ChromiumNet, session: Session): Connect {
  return ({ url, subprotocol, maxMessageBytes }, listener) => {
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      listener.closed();
    };
    let socket: InstanceType<ChromiumNet["WebSocket"]>;
    try {
      socket = new net.WebSocket(url, {
        protocols: [subprotocol],
        session,
        useSessionCookies: false,
      });
    } catch {
      // An address it can't read: as good as a relay that isn't there.
      queueMicrotask(over);
      return { send: () => undefined, close: () => undefined };
    }
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      // RFC 6455 §4.1 has the client fail when the server chose none of its subprotocols; the WHATWG interface lets it pass.
      if (socket.protocol === subprotocol) listener.opened();
      else socket.close();
    });
    socket.addEventListener("message", (event) => {
      const bytes = bytesOf((event as Event & { readonly data: unknown }).data);
      // Chromium has read it whole by now: the limit ends the connection, not the reading.
      if (bytes === null || bytes.length > maxMessageBytes) socket.close();
      else if (!isOver) listener.message(bytes);
    });
    socket.addEventListener("close", over);
    return {
      send: (bytes) => {
        if (socket.readyState === net.WebSocket.OPEN) socket.send(bytes);
      },
      close: () => {
        socket.close();
        // Without waiting for the other side's part of the closing handshake.
        queueMicrotask(over);
      },
    };
  };
}

function bytesOf(data: unknown): Uint8Array | null {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return typeof data === "string" ? new TextEncoder().encode(data) : null;
}
