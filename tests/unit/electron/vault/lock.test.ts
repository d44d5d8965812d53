import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { acquireLock } from "../../../../electron/vault/lock.ts";
import { nodeFiles } from "../../../../electron/vault/node-files.ts";
import {
  systemProcesses,
  type ProcessIdentity,
  type ProcessTable,
} from "../../../../electron/vault/process-identity.ts";
import { systemClock } from "../../../support/fake-clock.ts";
import { createFaultyFiles } from "../../../support/faulty-files.ts";

vi.setConfig({ testTimeout: 30_000 });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sotto-lock-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const identity = (pid: number): ProcessIdentity => ({
  pid,
  boot: "this boot",
  namespace: "here",
  started: `${pid}00`,
});

/** A machine on which only some processes run; `self` is one of them. */
function machine(self: number, running: readonly number[]): ProcessTable {
  return {
    self: () => Promise.resolve(identity(self)),
    mayRun: ({ pid }) => Promise.resolve(running.includes(pid)),
  };
}

const take = (processes: ProcessTable, files = nodeFiles) =>
  acquireLock({ files, processes, clock: systemClock }, directory);
const inUse = { code: "vault-in-use" };
const path = () => join(directory, "lock");

describe("the lock of a vault", () => {
  test("is one process's until it gives it up", async () => {
    const lock = await take(machine(1, [1, 2]));
    expect(lock.unwritable).toBeNull();
    await expect(take(machine(2, [1, 2]))).rejects.toMatchObject(inUse);
    await expect(take(machine(1, [1, 2]))).rejects.toMatchObject(inUse);
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
    const next = await take(machine(2, [1, 2]));
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: 2 });
    await next.release();
  });

  test("left by a process that is gone is taken over", async () => {
    await take(machine(1, [1]));
    const lock = await take(machine(2, [2]));
    expect(lock.unwritable).toBeNull();
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: 2 });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  test.each(["", "{", `{"pid":"1"}`, "\0\0\0\0"])(
    "that names nobody (%j) is nobody's, after a moment in which it might get its name",
    async (content) => {
      writeFileSync(path(), content);
      const startedAt = performance.now();
      await take(machine(2, [2]));
      expect(performance.now() - startedAt).toBeGreaterThan(200);
      expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: 2 });
    },
  );

  test("that gets its owner's name in that moment stays with its owner", async () => {
    writeFileSync(path(), "");
    const attempt = take(machine(2, [1, 2]));
    setTimeout(() => {
      writeFileSync(path(), JSON.stringify(identity(1)));
    }, 50);
    await expect(attempt).rejects.toMatchObject(inUse);
  });

  test("taken over by another in the last moment stays with that one", async () => {
    await take(machine(1, [1]));
    const files = createFaultyFiles();
    // Between looking and taking away, process 3 has done the same and has its own lock there.
    files.decide = ({ operation, name }) => {
      if (operation === "open" && name === "lock.taking") {
        writeFileSync(path(), JSON.stringify(identity(3)));
      }
      return null;
    };
    await expect(take(machine(2, [2, 3]), files)).rejects.toMatchObject(inUse);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: 3 });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  test("is taken over by one at a time, and one that ended in the midst of it is in nobody's way", async () => {
    await take(machine(1, [1]));
    const taking = join(directory, "lock.taking");
    writeFileSync(taking, JSON.stringify(identity(3)));
    await expect(take(machine(2, [2, 3]))).rejects.toMatchObject(inUse);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: 1 });
    expect((await take(machine(2, [2]))).unwritable).toBeNull();
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  test("wanted by many at once, with a dead one's in the way, goes to one", async () => {
    const running = [2, 3, 4, 5, 6, 7, 8, 9];
    for (let round = 0; round < 40; round += 1) {
      writeFileSync(path(), JSON.stringify(identity(1)));
      const outcomes = await Promise.allSettled(running.map((pid) => take(machine(pid, running))));
      const winners = outcomes.filter(({ status }) => status === "fulfilled");
      expect(winners.length).toBeLessThanOrEqual(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(inUse);
        else await outcome.value.release();
      }
    }
  });

  test("is not taken from whoever has it now by the release of whoever had it", async () => {
    const lock = await take(machine(1, [1]));
    writeFileSync(path(), JSON.stringify(identity(2)));
    await lock.release();
    expect(existsSync(path())).toBe(true);
  });
});

describe("processes of this machine", () => {
  test("this one runs, and is told from one that had its number before", async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.mayRun(self)).toBe(true);
    expect(await systemProcesses.mayRun({ ...self, started: "1" })).toBe(false);
    expect(await systemProcesses.mayRun({ ...self, boot: "another boot" })).toBe(false);
  });

  test("one that has ended does not run any more", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"]);
    const self = await systemProcesses.self();
    const other = { ...self, pid: child.pid ?? 0 };
    // Whatever stands for its start, it is not ours: only on Linux that is known.
    expect(await systemProcesses.mayRun(other)).toBe(process.platform !== "linux");
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(await systemProcesses.mayRun(other)).toBe(false);
  });

  test.runIf(process.platform === "linux")(
    "one of another container may run: it can't be seen",
    async () => {
      const self = await systemProcesses.self();
      expect(await systemProcesses.mayRun({ ...self, namespace: "pid:[1]", pid: 1 })).toBe(true);
    },
  );
});
