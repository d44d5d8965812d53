import { eventNames, type PreviewMessage } from "#protocol";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/**
 * Reads one message of the preview's socket. The server is our own; what doesn't have the agreed form is left out rather than
 * half understood.
 *
 * @param data - the WebSocket message's data
 */
export function parsePreviewMessage(data: unknown): PreviewMessage | null {
  const value = parseJson(data);
  if (!isFields(value)) return null;
  switch (value["kind"]) {
    case "welcome":
      return ["darwin", "win32", "linux"].includes(String(value["platform"]))
        ? (value as unknown as PreviewMessage)
        : null;
    case "answer": {
      const answer = value["answer"];
      const whole = typeof value["id"] === "number" && isFields(answer);
      return whole && (answer["ok"] === true || isFields(answer["error"]))
        ? (value as unknown as PreviewMessage)
        : null;
    }
    case "event": {
      const message = value["message"];
      const known: readonly unknown[] = eventNames;
      return isFields(message) && known.includes(message["name"])
        ? (value as unknown as PreviewMessage)
        : null;
    }
    default:
      return null;
  }
}

function parseJson(data: unknown): unknown {
  if (typeof data !== "string") return null;
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return null;
  }
}
