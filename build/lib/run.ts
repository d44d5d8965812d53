import { spawn } from "node:child_process";

import { root } from "./paths.ts";

/** How a command ended. */
export interface Outcome {
  /** Exit code; 128 + n when signal n ended it, as shells count. */
  readonly exitCode: number;
  /** What it wrote, when asked to keep it; else empty. */
  readonly output: string;
  readonly durationMs: number;
}

/** Settings of {@link run}. */
export interface RunOptions {
  /** Keep the output instead of showing it. */
  readonly quiet?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the command. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command in the repository's root and waits for its end.
 * @param command - program and arguments; no shell reads them.
 * @throws Error when the program can't be started.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program, ...rest] = command;
  if (program === undefined) throw new Error("no command");
  const startedAtMs = performance.now();
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...process.env, ...options.environment },
    stdio: options.quiet === true ? ["ignore", "pipe", "pipe"] : "inherit",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({
        exitCode: code ?? 137,
        output: Buffer.concat(chunks).toString("utf8"),
        durationMs: performance.now() - startedAtMs,
      });
    });
  });
}

/** Runs a script of an installed package, or of ours, with this Node. @param command - script path and arguments. */
export function runNode(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run([process.execPath, ...command], options);
}
