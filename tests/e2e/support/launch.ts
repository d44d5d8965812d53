import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { _electron, type Browser, type Page } from "@playwright/test";

/** A running Sotto with one window. */
export interface RunningApp {
  readonly page: Page;
  /** What its process has printed so far. */
  readonly output: readonly string[];
  /** Whether the page stays as it was when the process has been killed: a browser does, Electron's window doesn't. */
  readonly pageOutlivesProcess: boolean;
  /** Resolves when its process has ended, however that came. */
  readonly ended: Promise<void>;
  /** Ends its process as a power switch would. */
  kill(): Promise<void>;
  /** Ends its process as an operating system that shuts down would. */
  terminate(): Promise<void>;
  /** Closes the page of a process that has ended. */
  close(): Promise<void>;
}

/** What an app is started with. */
export interface LaunchOptions {
  readonly profile: string;
  /** Where all profiles of this test live. */
  readonly dataDirectory: string;
  /** Added to the environment: a private keyring, or none. */
  readonly environment: Readonly<Record<string, string>>;
  /** Preview only: what Node is told before the program's name. */
  readonly nodeArguments?: readonly string[];
}

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const startTimeoutMs = 30_000;

/** Starts the browser preview as a process of its own and opens its page in a fresh browser context. */
export async function launchPreview(
  browser: Pick<Browser, "newContext">,
  options: LaunchOptions,
): Promise<RunningApp> {
  const { child, output, ended } = startPreview(options);
  const address = await addressPrinted(child, output);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  }
  return {
    page,
    output,
    pageOutlivesProcess: true,
    ended,
    kill: () => end("SIGKILL"),
    terminate: () => end("SIGTERM"),
    close: () => context.close(),
  };
}

/** Starts the preview of a profile that runs already. @returns everything it printed until it ended by itself */
export async function launchSecondPreview(options: LaunchOptions): Promise<readonly string[]> {
  const { child, output, ended } = startPreview(options);
  const timer = setTimeout(() => child.kill("SIGKILL"), startTimeoutMs);
  await ended;
  clearTimeout(timer);
  return output;
}

/** Starts the bundled app in real Electron. */
export async function launchElectron(options: LaunchOptions): Promise<RunningApp> {
  // Chromium has no sandbox for root.
  const asRoot = process.getuid?.() === 0;
  const app = await _electron.launch({
    args: [...(asRoot ? ["--no-sandbox"] : []), repository, "--profile", options.profile],
    env: environmentOf(options, {}),
  });
  const child = app.process();
  const output = outputOf(child);
  const ended = once(child, "exit").then(() => undefined);
  const page = await app.firstWindow();
  return {
    page,
    output,
    pageOutlivesProcess: false,
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    terminate: () => app.close(),
    close: () => Promise.resolve(),
  };
}

interface Preview {
  readonly child: ChildProcess;
  readonly output: string[];
  readonly ended: Promise<void>;
}

function startPreview(options: LaunchOptions): Preview {
  const { nodeArguments = [], profile } = options;
  const program = [...nodeArguments, "electron/preview.ts", "--profile", profile];
  const child = spawn(process.execPath, program, {
    cwd: repository,
    env: environmentOf(options, {}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(() => undefined);
  return { child, output: outputOf(child), ended };
}

function environmentOf(
  options: LaunchOptions,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"].includes(entry[0]),
  );
  return {
    ...Object.fromEntries(inherited),
    ...options.environment,
    ...more,
    SOTTO_DATA_DIR: options.dataDirectory,
    // A specification starts Sotto many times from the same sources.
    NODE_COMPILE_CACHE: join(repository, ".cache/node-compile"),
  };
}

function outputOf(child: ChildProcess): string[] {
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) throw new Error("no output to read");
    createInterface({ input: stream }).on("line", (line) => output.push(line));
  }
  return output;
}

async function addressPrinted(child: ChildProcess, output: readonly string[]): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error("no output to read");
  return await new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      child.kill("SIGKILL");
      reject(new Error(`${reason}\n${output.join("\n")}`));
    };
    const timer = setTimeout(() => {
      fail("the preview printed no address");
    }, startTimeoutMs);
    child.once("close", (code) => {
      clearTimeout(timer);
      fail(`the preview ended with ${String(code)}`);
    });
    const look = (): void => {
      const address = /http:\/\/127\.0\.0\.1:\d+\/\S*#token=\S+/u.exec(output.join("\n"))?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      stdout.off("data", look);
      resolve(address);
    };
    stdout.on("data", () => setImmediate(look));
  });
}
