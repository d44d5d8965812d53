import { isErrorCode, type SafeData } from "#protocol";

/** Where the relay writes what happens: event names and counts, never ids of people, devices or conversations, never content. */
export interface Log {
  info(event: string, data?: SafeData): void;
  /** `error` is a failure that somebody should look at. */
  error(event: string, error: unknown, data?: SafeData): void;
}

/** One JSON object per line. */
export function createLineLog(write: (line: string) => void, nowMs: () => number): Log {
  const line = (level: string, event: string, data: SafeData): void => {
    const time = new Date(nowMs()).toISOString();
    write(`${JSON.stringify({ time, level, event, ...data })}\n`);
  };
  return {
    info: (event, data = {}) => {
      line("info", event, data);
    },
    error: (event, error, data = {}) => {
      line("error", event, { ...data, ...describeError(error) });
    },
  };
}

/** Writes nothing. */
export const silentLog: Log = { info: () => undefined, error: () => undefined };

/**
 * What may be said of an error: our own code, or a system's, and where it happened. Messages are left out, because a library may
 * put a key or a value into them.
 */
function describeError(error: unknown): SafeData {
  if (!(error instanceof Error)) return { error: typeof error };
  const code: unknown = "code" in error ? error.code : undefined;
  const frames = (error.stack ?? "").split("\n").filter((text) => /^\s+at /u.test(text));
  const described = {
    error: isErrorCode(code) || typeof code === "string" ? code : error.name,
    at: frames
      .slice(0, 3)
      .map((text) => text.trim())
      .join(" < "),
  };
  if (error.cause === undefined) return described;
  const { error: cause, at } = describeError(error.cause);
  return { ...described, cause: cause ?? null, causeAt: at ?? null };
}
