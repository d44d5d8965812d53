import { describe, expect, test } from "vitest";
import type { AppError } from "#protocol";
import { RelayHost } from "../../../../electron/app/relay-host.ts";
import { FakeRelayWorker, healthyRelay, ManualClock, settle } from "../../../support/app-fakes.ts";

class Bench {
  readonly clock = new ManualClock();
  readonly workers: FakeRelayWorker[] = [];
  readonly logged: AppError[] = [];
  readonly seen: string[] = [];
  answer: FakeRelayWorker["answer"] = healthyRelay("code-1");
  readonly host = new RelayHost({
    spawn: () => {
      const worker = new FakeRelayWorker((request) => this.answer(request));
      this.workers.push(worker);
      return worker;
    },
    directory: "/p/relay",
    clock: this.clock,
    log: { error: (_what, error) => void this.logged.push(error) },
    onChanged: () => {
      this.seen.push(this.host.status.kind);
    },
  });
}

describe("the relay inside the app", () => {
  test("is started once, and says where it is", async () => {
    const bench = new Bench();
    const running = { relayUrl: "ws://127.0.0.1:4100", claimCode: "code-1" };
    expect(await bench.host.start()).toEqual(running);
    expect(await bench.host.start()).toEqual(running);
    expect(bench.workers).toHaveLength(1);
    expect(bench.workers[0]?.requests).toEqual([{ kind: "start", directory: "/p/relay", port: 0 }]);
  });

  test("that can't start says why and is ended", async () => {
    const bench = new Bench();
    bench.answer = () => ({ kind: "failed", error: { code: "relay-storage-failed" } });
    await expect(bench.host.start()).rejects.toMatchObject({ code: "relay-storage-failed" });
    expect(bench.workers[0]?.killed).toBe(true);
  });

  test("that ends while starting, or says nothing, has failed", async () => {
    const bench = new Bench();
    bench.answer = () => null;
    await expect(bench.host.start()).rejects.toMatchObject({ code: "relay-start-failed" });
    bench.answer = () => "silence";
    const starting = bench.host.start();
    const failed = expect(starting).rejects.toMatchObject({ data: { reason: "timeout" } });
    await bench.clock.advance(30_000);
    await failed;
    expect(bench.workers[1]?.killed).toBe(true);
  });

  test("is started again after it died, later each time it fails", async () => {
    const bench = new Bench();
    await bench.host.start();
    bench.answer = () => ({ kind: "failed", error: { code: "relay-start-failed" } });
    bench.workers[0]?.say(null);
    expect(bench.workers).toHaveLength(1);
    await bench.clock.advance(2_000);
    expect(bench.workers).toHaveLength(2);
    await bench.clock.advance(2_000);
    expect(bench.workers).toHaveLength(2);
    bench.answer = healthyRelay(null);
    await bench.clock.advance(2_000);
    expect(bench.workers).toHaveLength(3);
    await settle();
    expect(await bench.host.start()).toEqual({ relayUrl: "ws://127.0.0.1:4100", claimCode: null });
    expect(bench.workers).toHaveLength(3);
  });

  test("is tried again in the background when its first start failed, and said to be up then", async () => {
    const bench = new Bench();
    bench.answer = () => ({ kind: "failed", error: { code: "relay-start-failed" } });
    bench.host.keepRunning();
    await settle();
    expect(bench.host.status).toMatchObject({
      kind: "failed",
      retryAtMs: bench.clock.now() + 2_000,
    });
    bench.answer = healthyRelay(null);
    await bench.clock.advance(2_000);
    expect(bench.workers).toHaveLength(2);
    expect(bench.seen).toEqual(["starting", "failed", "starting", "running"]);
  });

  test("is not begun twice by two who want it", async () => {
    const bench = new Bench();
    bench.host.keepRunning();
    expect(await bench.host.start()).toMatchObject({ claimCode: "code-1" });
    expect(bench.workers).toHaveLength(1);
  });

  test("that is stopped while it starts stays stopped", async () => {
    const bench = new Bench();
    bench.answer = (request) => (request.kind === "start" ? "silence" : { kind: "stopped" });
    bench.host.keepRunning();
    const waiting = expect(bench.host.start()).rejects.toMatchObject({
      data: { reason: "stopped" },
    });
    await bench.host.stop();
    await waiting;
    await bench.clock.advance(120_000);
    expect(bench.workers).toHaveLength(1);
    expect(bench.logged).toEqual([]);
  });

  test("is stopped after it closed its store", async () => {
    const bench = new Bench();
    await bench.host.start();
    await bench.host.stop();
    expect(bench.workers[0]?.requests.at(-1)).toEqual({ kind: "stop" });
    expect(bench.workers[0]?.killed).toBe(true);
    expect(bench.clock.waiting).toBe(0);
    bench.workers[0]?.say(null);
    await bench.clock.advance(120_000);
    expect(bench.workers).toHaveLength(1);
  });

  test("is ended by force when it does not stop", async () => {
    const bench = new Bench();
    await bench.host.start();
    bench.answer = () => "silence";
    const stopping = bench.host.stop();
    expect(bench.workers[0]?.killed).toBe(false);
    await bench.clock.advance(10_000);
    await stopping;
    expect(bench.workers[0]?.killed).toBe(true);
  });

  test("that waits for its next try is simply not started any more", async () => {
    const bench = new Bench();
    await bench.host.start();
    bench.workers[0]?.say(null);
    await bench.host.stop();
    await bench.clock.advance(120_000);
    expect(bench.workers).toHaveLength(1);
    expect(bench.clock.waiting).toBe(0);
  });
});
