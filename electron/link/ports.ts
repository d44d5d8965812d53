/** Time as a port, so that tests decide about it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z, as the machine's clock says. */
  now(): number;
  /** @returns what cancels it */
  setTimeout(run: () => void, delayMs: number): () => void;
}

/** Unpredictable bytes: ids, salts, and the jitter of the link. */
export type Random = (sizeBytes: number) => Uint8Array;

/** An open or opening WebSocket to a relay. */
export interface RelaySocket {
  /** Sends one binary message. Nothing happens before it is open and after it has closed. */
  send(bytes: Uint8Array): void;
  /** Ends it without waiting for the other side; `closed` follows. */
  close(): void;
}

/** Where a socket tells what happens to it. */
export interface SocketListener {
  readonly opened: () => void;
  /** One whole message; a text message comes as its UTF-8 bytes, which are no valid frame. */
  readonly message: (bytes: Uint8Array) => void;
  /** Exactly once, whatever the reason: refused, broken, too large a message, closed by either side. */
  readonly closed: () => void;
}

/** Where and how to open a socket. */
export interface SocketTarget {
  /** `ws:` or `wss:` address with path. */
  readonly url: string;
  readonly subprotocol: string;
  /** A larger message ends the socket before it is read whole, bytes. */
  readonly maxMessageBytes: number;
}

/** Opens WebSockets: `ws` here, Chromium's stack in Electron. Never throws; failure is `closed`. */
export type Connect = (target: SocketTarget, listener: SocketListener) => RelaySocket;
