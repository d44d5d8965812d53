import type { AppError } from "#protocol";
import type { Log } from "./ports.ts";

/** A log of lines: time, what failed, code, safe data, and the stack of a bug. No cause of any other fault: a library's words may hold content. */
export function lineLog(write: (line: string) => void, now: () => number): Log {
  return {
    error: (what, error) => {
      const at = new Date(now()).toISOString();
      write(`${at} ${what}: ${error.code} ${JSON.stringify(error.data)}`);
      if (error.fault === "bug") write(stackOf(error));
    },
  };
}

/** Where a bug is, without the messages of the errors on the way. */
function stackOf(error: AppError): string {
  const { cause } = error;
  const thrown = cause instanceof Error ? cause : error;
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^\s+at /u.test(line));
  return [`  ${thrown.name}`, ...frames].join("\n");
}
