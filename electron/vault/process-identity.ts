import { readFile, readlink } from "node:fs/promises";
import { uptime } from "node:os";

/** One run of one process. A number alone is not enough: it is given to another process sooner or later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the machine was started: an id of that start, or the time in seconds. */
  readonly boot: string;
  /** Of the world of process numbers that `pid` belongs to; empty where there is only one. */
  readonly namespace: string;
  /** When the process was started; empty where it can't be told. */
  readonly started: string;
}

/** The processes of this machine, as a port. */
export interface ProcessTable {
  self(): Promise<ProcessIdentity>;
  /** Whether that process may still run; in doubt it does. */
  mayRun(identity: ProcessIdentity): Promise<boolean>;
}

/** Two readings of the clock at the machine's start differ by as much, seconds, when the clock is set in between. */
const bootToleranceSeconds = 120;

async function textOf(reading: Promise<string>): Promise<string> {
  try {
    return (await reading).trim();
  } catch {
    return "";
  }
}

/** Field 22 of `/proc/<pid>/stat`; the second one, the name, may hold spaces and parentheses. Source: proc_pid_stat(5). */
async function linuxStartOf(pid: number): Promise<string> {
  const text = await textOf(readFile(`/proc/${pid}/stat`, "utf8"));
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function linuxSelf(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    boot: await textOf(readFile("/proc/sys/kernel/random/boot_id", "utf8")),
    namespace: await textOf(readlink("/proc/self/ns/pid")),
    started: await linuxStartOf(process.pid),
  };
}

function otherSelf(): ProcessIdentity {
  const nowMs = performance.timeOrigin + performance.now();
  return {
    pid: process.pid,
    boot: String(Math.round(nowMs / 1000 - uptime())),
    namespace: "",
    started: String(performance.timeOrigin),
  };
}

function isSameBoot(left: string, right: string): boolean {
  if (left === right) return true;
  const difference = Number(left) - Number(right);
  return Math.abs(difference) <= bootToleranceSeconds;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** The processes of the operating system. */
export const systemProcesses: ProcessTable = {
  self: () => (process.platform === "linux" ? linuxSelf() : Promise.resolve(otherSelf())),
  async mayRun(identity) {
    const self = await systemProcesses.self();
    if (!isSameBoot(identity.boot, self.boot)) return false;
    // Another container's processes can't be seen from here.
    if (identity.namespace !== self.namespace) return true;
    if (!isAlive(identity.pid)) return false;
    if (process.platform === "linux") {
      return identity.started === (await linuxStartOf(identity.pid));
    }
    // Elsewhere only our own start is known for sure.
    return identity.pid !== self.pid || identity.started === self.started;
  },
};
