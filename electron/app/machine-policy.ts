import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { AppError } from "#protocol";
import { thisMachine } from "./machine.ts";
import type { Log } from "./ports.ts";
import type { Machine } from "./profile.ts";

/** What the IT department has decided for this computer, in a file that only an administrator of it can write. */
export interface MachinePolicy {
  /** Whether a keychain may be used that keeps secrets without protection; people are told so. */
  readonly allowWeakKeychain: boolean;
}

/** Where nothing was decided. */
export const defaultMachinePolicy: MachinePolicy = { allowWeakKeychain: false };

const maxFileBytes = 64 * 1024;
const schema: v.GenericSchema<unknown, Partial<MachinePolicy>> = v.strictObject({
  allowWeakKeychain: v.exactOptional(v.boolean()),
});

/** Where the file lies. */
export function machinePolicyPath({ platform, env }: Pick<Machine, "platform" | "env">): string {
  switch (platform) {
    case "darwin":
      return "/Library/Application Support/Sotto/policy.json";
    case "win32":
      return join(env["ProgramData"] ?? "C:\\ProgramData", "Sotto", "policy.json");
    case "linux":
      return "/etc/sotto/policy.json";
  }
}

/**
 * Reads the file. One that can't be read, or says something this Sotto doesn't know, allows nothing: half an understood policy is none.
 *
 * @param read - gives a file's text; throws Node's errors
 */
export function readMachinePolicy(
  path: string,
  log: Log,
  read: (path: string) => string = (name) => readFileSync(name, "utf8"),
): MachinePolicy {
  let text: string;
  try {
    text = read(path);
  } catch (cause) {
    if (!isAbsent(cause)) complain(log, path, "it can't be read", cause);
    return defaultMachinePolicy;
  }
  try {
    if (text.length > maxFileBytes) throw new RangeError("too long");
    // Some editors of Windows begin a file with a byte order mark.
    const parsed = v.parse(schema, JSON.parse(text.replace(/^\uFEFF/u, "")));
    return { ...defaultMachinePolicy, ...parsed };
  } catch (cause) {
    complain(log, path, "it isn't a policy that this Sotto knows", cause);
    return defaultMachinePolicy;
  }
}

/** The policy of the machine that this process runs on. */
export function thisMachinePolicy(log: Log): MachinePolicy {
  return readMachinePolicy(machinePolicyPath(thisMachine()), log);
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ENOENT" || error.code === "ENOTDIR")
  );
}

function complain(log: Log, path: string, reason: string, cause: unknown): void {
  log.error(
    "the policy of this computer was ignored, and nothing is allowed by it",
    new AppError("argument-invalid", { cause, data: { path, reason } }),
  );
}
