import { describe, expect, test } from "vitest";
import type { MessageId, WorkerMessage, WorkerRequest } from "#protocol";
import { createCryptoWorker, type WorkerHostListener } from "../../../../electron/worker/index.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

interface FakeHost {
  readonly requests: WorkerRequest[];
  readonly listener: WorkerHostListener;
  terminated: boolean;
}

function setUp() {
  const clock = createFakeClock();
  const hosts: FakeHost[] = [];
  const reasons: string[] = [];
  const worker = createCryptoWorker({
    clock,
    callTimeoutMs: 8_000,
    slowCallTimeoutMs: 40_000,
    onStopped: (reason) => void reasons.push(reason),
    spawn: (listener) => {
      const host: FakeHost = { requests: [], listener, terminated: false };
      hosts.push(host);
      return {
        post: (request) => void host.requests.push(request),
        terminate: () => {
          host.terminated = true;
          return Promise.resolve();
        },
      };
    },
  });
  const say = (message: WorkerMessage, life = hosts.length - 1) => {
    hosts[life]!.listener.message(message);
  };
  const answer = (id: number, result: unknown, life?: number) => {
    say({ kind: "result", id, result }, life);
  };
  return { clock, hosts, reasons, worker, say, answer };
}

const stopped = expect.objectContaining({ code: "worker-stopped" }) as unknown;

describe("requests and answers", () => {
  test("answers reach their call in whatever order they come", async () => {
    const { worker, answer, hosts } = setUp();
    const first = worker.call("group.welcomeTargets", { welcome: new Uint8Array(1) });
    const second = worker.call("sweep.observeTime", { relayTimeMs: 1 });
    expect(hosts[0]!.requests.map(({ id, method }) => [id, method])).toEqual([
      [1, "group.welcomeTargets"],
      [2, "sweep.observeTime"],
    ]);
    answer(2, { nowMs: 7 });
    answer(1, { refs: [] });
    expect(await second).toEqual({ nowMs: 7 });
    expect(await first).toEqual({ refs: [] });
  });

  test("a failure keeps its code and data", async () => {
    const { worker, say } = setUp();
    const call = worker.call("vault.lock", {});
    say({ kind: "failure", id: 1, error: { code: "vault-key-wrong", data: { slot: 1 } } });
    await expect(call).rejects.toMatchObject({ code: "vault-key-wrong", data: { slot: 1 } });
  });

  test("a failure with a code that doesn't exist is internal", async () => {
    const { worker, say } = setUp();
    const call = worker.call("vault.lock", {});
    say({ kind: "failure", id: 1, error: { code: "nonsense" as "internal" } });
    await expect(call).rejects.toMatchObject({ code: "internal" });
  });

  test("an answer nobody asked for is passed over", async () => {
    const { worker, answer } = setUp();
    const call = worker.call("vault.lock", {});
    answer(99, "not this");
    answer(1, {});
    answer(1, "twice");
    expect(await call).toEqual({});
  });

  test("events reach those who listen, until they stop", () => {
    const { worker, say } = setUp();
    const heard: number[] = [];
    const stop = worker.on("sweep.due", ({ nowMs }) => void heard.push(nowMs));
    const due = (nowMs: number) => {
      say({ kind: "event", name: "sweep.due", body: { messageIds: ["x" as MessageId], nowMs } });
    };
    due(1);
    stop();
    due(2);
    expect(heard).toEqual([1]);
  });

  test("a request carries copies of windows and never detaches what the caller holds", () => {
    const { worker, hosts } = setUp();
    const pool = new Uint8Array(64).fill(7);
    const whole = new Uint8Array(8).fill(1);
    void worker
      .call("session.sign", { challenge: pool.subarray(16, 48), vaultSequence: 1 })
      .catch(() => undefined);
    void worker.call("network.load", { sealedNetworkKey: whole }).catch(() => undefined);
    const [window, all] = hosts[0]!.requests.map(({ params }) => params);
    const { challenge } = window as { challenge: Uint8Array };
    expect(challenge).toEqual(new Uint8Array(32).fill(7));
    expect(challenge.buffer.byteLength).toBe(32);
    expect((all as { sealedNetworkKey: unknown }).sealedNetworkKey).toBe(whole);
    expect(pool.byteLength).toBe(64);
  });
});

describe("a worker that dies", () => {
  test("fails what waits, is started again, and tells the listeners", async () => {
    const { worker, hosts, clock, answer, reasons } = setUp();
    let restarts = 0;
    worker.onRestart(() => (restarts += 1));
    const call = worker.call("vault.lock", {});
    hosts[0]!.listener.exited("out of memory");
    await expect(call).rejects.toEqual(stopped);
    await expect(worker.call("vault.lock", {})).rejects.toEqual(stopped);
    expect(restarts).toBe(0);
    clock.advance(0);
    expect(restarts).toBe(1);
    expect(hosts).toHaveLength(2);
    expect(reasons).toEqual(["out of memory"]);
    const again = worker.call("vault.lock", {});
    answer(hosts[1]!.requests[0]!.id, {});
    expect(await again).toEqual({});
  });

  test("late words of the dead one are not heard", async () => {
    const { worker, hosts, clock, answer } = setUp();
    hosts[0]!.listener.exited("gone");
    clock.advance(0);
    const call = worker.call("sweep.observeTime", { relayTimeMs: 1 });
    answer(1, { nowMs: 666 }, 0);
    hosts[0]!.listener.exited("gone twice");
    answer(1, { nowMs: 1 }, 1);
    expect(await call).toEqual({ nowMs: 1 });
    expect(hosts).toHaveLength(2);
  });

  test("is started ever more slowly while it keeps dying, and at once after a long life", () => {
    const { hosts, clock } = setUp();
    const delays: number[] = [];
    for (let death = 0; death < 7; death++) {
      const before = hosts.length;
      hosts.at(-1)!.listener.exited("again");
      let waited = 0;
      while (hosts.length === before) {
        clock.advance(waited === 0 ? 0 : 50);
        if (hosts.length === before) waited += 50;
      }
      delays.push(waited);
    }
    expect(delays).toEqual([0, 250, 1_000, 4_000, 15_000, 15_000, 15_000]);
    clock.advance(60_000);
    const before = hosts.length;
    hosts.at(-1)!.listener.exited("after a minute");
    clock.advance(0);
    expect(hosts).toHaveLength(before + 1);
  });

  test("stays ended after dispose", async () => {
    const { worker, hosts, clock } = setUp();
    const call = worker.call("vault.lock", {});
    const disposed = worker.dispose();
    await expect(call).rejects.toEqual(stopped);
    await disposed;
    await worker.dispose();
    expect(hosts[0]!.terminated).toBe(true);
    hosts[0]!.listener.exited("as asked");
    clock.advance(100_000);
    expect(hosts).toHaveLength(1);
    expect(clock.waiting).toBe(0);
    await expect(worker.call("vault.lock", {})).rejects.toEqual(stopped);
  });
});

describe("a worker that falls silent", () => {
  test("is ended and started again when a call gets no answer in time", async () => {
    const { worker, hosts, clock } = setUp();
    const call = worker.call("vault.lock", {});
    clock.advance(7_999);
    expect(hosts[0]!.terminated).toBe(false);
    clock.advance(1);
    await expect(call).rejects.toEqual(stopped);
    expect(hosts[0]!.terminated).toBe(true);
    clock.advance(0);
    expect(hosts).toHaveLength(2);
  });

  test("is left alone while it answers others, however long one call waits", async () => {
    const { worker, hosts, clock, answer } = setUp();
    const slow = worker.call("vault.lock", {});
    for (let id = 2; id < 20; id++) {
      const quick = worker.call("vault.lock", {});
      clock.advance(5_000);
      answer(id, {});
      await quick;
    }
    expect(hosts[0]!.terminated).toBe(false);
    answer(1, {});
    await slow;
  });

  test("has longer for calls that stretch a passphrase, and so have those behind them", async () => {
    const { worker, hosts, clock, answer } = setUp();
    const slow = worker.call("vault.checkPassphrase", {
      passphrase: "four unrelated words here",
    });
    const behind = worker.call("vault.lock", {});
    clock.advance(39_000);
    expect(hosts[0]!.terminated).toBe(false);
    answer(1, { isRight: true });
    answer(2, {});
    await Promise.all([slow, behind]);
  });

  test("isn't blamed for the time before a call, though a slow one had set a long step", async () => {
    const { worker, hosts, clock, answer } = setUp();
    const slow = worker.call("vault.checkPassphrase", {
      passphrase: "four unrelated words here",
    });
    answer(1, { isRight: true });
    await slow;
    clock.advance(9_999);
    const call = worker.call("vault.lock", {});
    clock.advance(1);
    expect(hosts[0]!.terminated).toBe(false);
    answer(2, {});
    await call;
  });

  test("owes nothing while no call waits", () => {
    const { hosts, clock } = setUp();
    clock.advance(10 * 60_000);
    expect(hosts[0]!.terminated).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  test("survives a machine that slept: one late timer is not silence", () => {
    const { worker, hosts, clock } = setUp();
    void worker.call("vault.lock", {}).catch(() => undefined);
    // All the hours asleep ring a single step of the watchdog.
    clock.advance(2_000);
    expect(hosts[0]!.terminated).toBe(false);
  });
});
