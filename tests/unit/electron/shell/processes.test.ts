import { EventEmitter } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import { processSpawner, relayProcess } from "../../../../electron/shell/processes.ts";

class FakeProcess extends EventEmitter {
  readonly posted: unknown[] = [];
  isAlive = true;
  postMessage = (message: unknown): void => void this.posted.push(message);
  kill = (): boolean => {
    const was = this.isAlive;
    this.isAlive = false;
    if (was) queueMicrotask(() => this.emit("exit", 0));
    return was;
  };
}

let child: FakeProcess;
let forked: unknown[];
const fork = ((...given: unknown[]) => {
  forked = given;
  return child;
}) as never;

beforeEach(() => {
  child = new FakeProcess();
});

describe("the crypto worker as a process", () => {
  function spawn(): { host: ReturnType<ReturnType<typeof processSpawner>>; told: unknown[] } {
    const told: unknown[] = [];
    const host = processSpawner(
      fork,
      "/dist/crypto/worker.js",
    )({
      message: (message) => told.push(message),
      exited: (reason) => told.push(reason),
    });
    return { host, told };
  }

  test("gets none of our environment, arguments or debugging", () => {
    process.env["SOTTO_TEST_SECRET"] = "x";
    spawn();
    delete process.env["SOTTO_TEST_SECRET"];
    const [path, words, options] = forked as [string, string[], Record<string, unknown>];
    expect([path, words, options["execArgv"]]).toEqual(["/dist/crypto/worker.js", [], []]);
    expect(Object.keys(options["env"] as object)).not.toContain("SOTTO_TEST_SECRET");
    expect(Object.keys(options["env"] as object)).not.toContain("PATH");
  });

  test("passes messages both ways and tells of its end", () => {
    const { host, told } = spawn();
    host.post({ id: 1, method: "start", params: {} }, []);
    expect(child.posted).toEqual([{ id: 1, method: "start", params: {} }]);
    child.emit("message", { kind: "result", id: 1, result: {} });
    child.emit("exit", 9);
    child.emit("exit", 9);
    expect(told).toEqual([{ kind: "result", id: 1, result: {} }, "exit code 9"]);
  });

  test("that we end says nothing more", async () => {
    const { host, told } = spawn();
    await host.terminate();
    child.emit("message", { kind: "result", id: 1, result: {} });
    expect(child.isAlive).toBe(false);
    expect(told).toEqual([]);
    await host.terminate();
  });
});

describe("the relay as a process", () => {
  test("is told, heard, and its end noticed", () => {
    const heard: unknown[] = [];
    const relay = relayProcess(fork, "/dist/relay/embedded.js")();
    relay.onMessage((message) => heard.push(message));
    relay.send({ kind: "stop" });
    child.emit("message", { kind: "stopped" });
    child.emit("exit", 1);
    expect(child.posted).toEqual([{ kind: "stop" }]);
    expect(heard).toEqual([{ kind: "stopped" }, null]);
    relay.kill();
    expect(child.isAlive).toBe(false);
  });
});
