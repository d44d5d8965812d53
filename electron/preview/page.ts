import type { PreviewMessage, PreviewRequest } from "#protocol";
import * as v from "valibot";
import { WebSocket, type RawData } from "ws";
import type { App } from "../app/index.ts";
import { isSameToken } from "./secret.ts";

/** What a page is connected to. */
export interface PageOptions {
  readonly app: Pick<App, "dispatch" | "subscribe" | "sourceGone">;
  readonly token: string;
  readonly platform: "darwin" | "win32" | "linux";
  readonly socket: WebSocket;
  readonly id: number;
  /** Told +1 when the page was let in and -1 when it is gone. */
  readonly onCount: (change: 1 | -1) => void;
}

/** A page says hello at once; who doesn't is no page of ours. */
const helloTimeoutMs = 10_000;
/** A page that no longer reads is cut off before its unread events fill the memory; it asks anew when it is back. */
const maxWaitingBytes = 32 * 1024 * 1024;

/** Source: RFC 6455 §7.4.1. */
const policyViolation = 1008;
const tryAgainLater = 1013;

const requestSchema: v.GenericSchema<unknown, PreviewRequest> = v.variant("kind", [
  v.strictObject({ kind: v.literal("hello"), token: v.pipe(v.string(), v.maxLength(256)) }),
  v.strictObject({
    kind: v.literal("command"),
    id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    name: v.string(),
    params: v.unknown(),
  }),
]);

/** Serves one page: lets it in by its token, answers its commands and sends it every event, until it is gone. */
export function attachPage({ app, token, platform, socket, id, onCount }: PageOptions): void {
  let unsubscribe: (() => void) | null = null;
  const source = {
    id,
    isTrusted: () => unsubscribe !== null && socket.readyState === WebSocket.OPEN,
  };
  const helloTimer = setTimeout(() => {
    if (unsubscribe === null) socket.close(policyViolation);
  }, helloTimeoutMs);

  const send = (message: PreviewMessage): void => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > maxWaitingBytes) socket.close(tryAgainLater);
    else socket.send(JSON.stringify(message));
  };

  const letIn = (): void => {
    send({ kind: "welcome", platform });
    unsubscribe = app.subscribe((message) => {
      send({ kind: "event", message });
    });
    onCount(1);
  };

  socket.on("message", (data, isBinary) => {
    const request = isBinary ? null : readRequest(data);
    if (request?.kind === "hello" && unsubscribe === null && isSameToken(request.token, token)) {
      letIn();
    } else if (request?.kind === "command" && unsubscribe !== null) {
      const { id: requestId, name, params } = request;
      void app.dispatch(source, { name, params }).then((answer) => {
        send({ kind: "answer", id: requestId, answer });
      });
    } else {
      socket.close(policyViolation);
    }
  });

  // What is wrong with a socket (a frame that is too large, a broken connection) ends it; "close" follows.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(helloTimer);
    if (unsubscribe === null) return;
    unsubscribe();
    unsubscribe = null;
    app.sourceGone(id);
    onCount(-1);
  });
}

function readRequest(data: RawData): PreviewRequest | null {
  try {
    const parsed = v.safeParse(requestSchema, JSON.parse(textOf(data)));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return data instanceof ArrayBuffer ? Buffer.from(data).toString("utf8") : data.toString("utf8");
}
