import { describe, expect, test } from "vitest";
import { AppError } from "#protocol";
import { createLineLog } from "../../../relay/log.ts";

describe("the relay's log", () => {
  const write = (use: (log: ReturnType<typeof createLineLog>) => void) => {
    const lines: string[] = [];
    use(
      createLineLog(
        (line) => lines.push(line),
        () => 0,
      ),
    );
    return lines;
  };

  test("is one JSON object per line", () => {
    const lines = write((log) => {
      log.info("swept", { dropped: 3 });
      log.info("stopping");
    });
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"swept","dropped":3}\n',
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"stopping"}\n',
    ]);
  });

  test("names an error's code and place and its cause's, and leaves out messages, which may hold anything", () => {
    const secret = "group.AAAAAAAAAAAAAAAAAAAAAA.head";
    const cause = Object.assign(new Error(`no key ${secret}\n    ${secret}`), { code: "ENOSPC" });
    const [line = ""] = write((log) => {
      log.error("request-failed", new AppError("relay-storage-failed", { cause }), {
        method: "group.append",
      });
    });
    expect(JSON.parse(line)).toMatchObject({
      level: "error",
      event: "request-failed",
      method: "group.append",
      error: "relay-storage-failed",
      cause: "ENOSPC",
    });
    expect((JSON.parse(line) as { at: string }).at).toContain("log.test");
    expect(line).not.toContain(secret);
    const [thrown = ""] = write((log) => {
      log.error("odd", secret);
    });
    expect(thrown).not.toContain(secret);
  });
});
