import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError, commandChannel, type CommandAnswer, type WorkerRequest } from "#protocol";
import { profilePaths } from "../../../../electron/app/profile.ts";
import { startShell, type ShellSetup } from "../../../../electron/shell/start.ts";

/** Electron as far as the shell uses it: what was done, in order, and the events the test sends. */
class FakeElectron {
  readonly log: string[] = [];
  readonly windows: FakeWindow[] = [];
  readonly trays: FakeTray[] = [];
  readonly handlers = new Map<
    string,
    (event: unknown, message: unknown) => Promise<CommandAnswer>
  >();
  readonly protocols = new Map<string, (request: Request) => Response>();
  isFirst = true;
  switches: string[] = [];
  becomeReady: () => void = () => undefined;
  readonly app = Object.assign(new EventEmitter(), {
    isPackaged: true,
    commandLine: { hasSwitch: (name: string) => this.switches.includes(name) },
    enableSandbox: () => this.log.push("enableSandbox"),
    setPath: (name: string, path: string) => this.log.push(`setPath ${name} ${path}`),
    setAppUserModelId: () => undefined,
    requestSingleInstanceLock: () => {
      this.log.push("lock");
      return this.isFirst;
    },
    setAsDefaultProtocolClient: (scheme: string) => this.log.push(`default ${scheme}`),
    exit: (code: number) => this.log.push(`exit ${code}`),
    quit: () => {
      this.log.push("quit");
      const prevented: true[] = [];
      this.app.emit("before-quit", { preventDefault: () => prevented.push(true) });
      if (prevented.length === 0) this.log.push("ended");
    },
    whenReady: () =>
      new Promise<void>((resolve) => {
        this.becomeReady = resolve;
      }),
  });
  readonly protocol = {
    registerSchemesAsPrivileged: ([scheme]: readonly { scheme: string }[]) =>
      this.log.push(`scheme ${scheme?.scheme ?? ""}`),
  };
  readonly shell = { openExternal: () => Promise.resolve() };
  readonly nativeTheme = { themeSource: "system", shouldUseDarkColors: false };
  readonly Menu = {
    setApplicationMenu: () => undefined,
    buildFromTemplate: (items: readonly unknown[]) =>
      Object.assign([...items], { getMenuItemById: () => null }),
  };
  readonly nativeImage = { createFromPath: (path: string) => path };
  readonly screen = {
    getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }],
  };
  readonly powerMonitor = new EventEmitter();
  readonly net = { WebSocket: EventTarget };
  readonly Notification = { isSupported: () => false };
  readonly ipcMain = {
    handle: (channel: string, handler: never) => void this.handlers.set(channel, handler),
  };
  readonly session = {
    defaultSession: {},
    fromPartition: (partition: string) => {
      this.log.push(`session ${partition}`);
      return {
        webRequest: { onBeforeRequest: () => this.log.push("network blocked") },
        setCertificateVerifyProc: () => undefined,
        setDisplayMediaRequestHandler: () => this.log.push("screen offered"),
        protocol: {
          handle: (scheme: string, handler: never) => {
            this.log.push(`handle ${scheme}`);
            this.protocols.set(scheme, handler);
          },
        },
      };
    },
  };
  readonly utilityProcess = {
    fork: (path: string) => {
      this.log.push(`fork ${path}`);
      return new FakeProcess();
    },
  };
  readonly BrowserWindow = windowClass(this.windows);
  readonly Tray = trayClass(this.trays);
}

/** A crypto worker whose self-test fails: the quickest way to a phase that stands still. */
class FakeProcess extends EventEmitter {
  postMessage({ id }: WorkerRequest): void {
    const error = { code: "crypto-self-test-failed" };
    queueMicrotask(() => this.emit("message", { kind: "failure", id, error }));
  }
  kill(): boolean {
    queueMicrotask(() => this.emit("exit", 0));
    return true;
  }
}

class FakeTray extends EventEmitter {
  setToolTip = (): void => undefined;
  setContextMenu = (): void => undefined;
  setImage = (): void => undefined;
}

function trayClass(trays: FakeTray[]): new () => FakeTray {
  return class extends FakeTray {
    constructor() {
      super();
      trays.push(this);
    }
  };
}

interface FakeWindow extends EventEmitter {
  readonly options: { readonly webPreferences: object; readonly title: string };
  readonly webContents: EventEmitter & { id: number; mainFrame: object };
  readonly done: string[];
}

function windowClass(windows: FakeWindow[]): new (options: FakeWindow["options"]) => FakeWindow {
  return class extends EventEmitter {
    readonly options: FakeWindow["options"];
    readonly done: string[] = [];
    readonly webContents = Object.assign(new EventEmitter(), {
      id: windows.length + 1,
      mainFrame: {
        parent: null,
        detached: false,
        origin: "sotto-app://sotto",
        url: "sotto-app://sotto/index.html",
      },
      isDestroyed: () => false,
      send: () => undefined,
    });
    constructor(options: FakeWindow["options"]) {
      super();
      this.options = options;
      windows.push(this);
    }
    loadURL = (url: string): Promise<void> => {
      this.done.push(`load ${url}`);
      return Promise.resolve();
    };
    reload = (): void => void this.done.push("reload");
    show = (): void => void this.done.push("show");
    focus = (): void => void this.done.push("focus");
    isMinimized = (): boolean => false;
    isMaximized = (): boolean => false;
    isFocused = (): boolean => true;
    getNormalBounds = (): object => ({ x: 1, y: 2, width: 800, height: 600 });
  };
}

let directory: string;
let electron: FakeElectron;
let refused: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sotto-shell-"));
  electron = new FakeElectron();
  refused = [];
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function start(change: Partial<ShellSetup> = {}): void {
  const machine = { platform: "linux", env: { SOTTO_DATA_DIR: directory }, home: "/" } as const;
  startShell({
    electron: electron as never,
    machine,
    paths: profilePaths(machine, "default"),
    link: null,
    keychain: { isHanging: false } as never,
    log: { error: () => undefined },
    programs: { preload: "/p.cjs", cryptoWorker: "/c.js", relay: "/r.js", icons: "/icons" },
    loadPage: () =>
      Promise.resolve(
        new Map([["/index.html", { mediaType: "text/html", bytes: new Uint8Array([60]) }]]),
      ),
    loadAbout: () => Promise.resolve({} as never),
    refuse: (words) => refused.push(words),
    ...change,
  });
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function run(change: Partial<ShellSetup> = {}): Promise<void> {
  start(change);
  electron.becomeReady();
  await settled();
}

describe("before Electron is ready", () => {
  test("the profile's folder, the lock, the sandbox and the scheme are set, in this order, without waiting", () => {
    start();
    const browser = join(directory, "profiles/default/browser");
    expect(electron.log).toEqual([
      `setPath userData ${browser}`,
      `setPath sessionData ${browser}`,
      "lock",
      "enableSandbox",
      "scheme sotto-app",
      "default sotto",
    ]);
    expect(existsSync(browser)).toBe(true);
  });

  test("a second start ends without touching anything", () => {
    electron.isFirst = false;
    start();
    expect(electron.log.slice(-2)).toEqual(["lock", "exit 0"]);
  });

  test("a start that would let others look into the windows is refused in words", () => {
    electron.switches = ["remote-debugging-port"];
    start();
    expect(electron.log).toEqual(["exit 1"]);
    expect(refused).toEqual([
      "Sotto does not start with --remote-debugging-port: its windows could be read.",
    ]);
  });
});

describe("a desktop that is ready", () => {
  test("blocks the network and serves the page before any window is there", async () => {
    await run();
    const order = ["network blocked", "handle sotto-app"].map((step) => electron.log.indexOf(step));
    expect(order).toEqual([...order].sort((left, right) => left - right));
    expect(order).not.toContain(-1);
    const [window] = electron.windows;
    expect(window?.done).toEqual(["load sotto-app://sotto/index.html"]);
    expect(window?.options.webPreferences).toMatchObject({ sandbox: true, devTools: false });
    const page = electron.protocols.get("sotto-app")?.(new Request("sotto-app://sotto/index.html"));
    expect(page?.status).toBe(200);
    expect(electron.log).toContain("fork /c.js");
  });

  test("answers its window, and tells it why the start stopped", async () => {
    await run();
    const contents = electron.windows[0]?.webContents;
    const event = { sender: contents, senderFrame: contents?.mainFrame };
    const answer = await electron.handlers.get(commandChannel)?.(event, {
      name: "app.get",
      params: {},
    });
    expect(answer).toMatchObject({
      ok: true,
      result: { phase: "problem", problem: { code: "crypto-self-test-failed" } },
    });
  });

  test("raises its window at a second start, and makes it anew when it was closed", async () => {
    await run();
    electron.app.emit("second-instance", {}, [], "/", { link: null });
    expect(electron.windows[0]?.done).toEqual([
      "load sotto-app://sotto/index.html",
      "show",
      "focus",
    ]);
    electron.windows[0]?.emit("closed");
    electron.app.emit("activate");
    expect(electron.windows).toHaveLength(2);
  });

  test("reloads a page that died, but not again and again", async () => {
    await run();
    const [window] = electron.windows;
    window?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    window?.webContents.emit("render-process-gone", {}, { reason: "crashed" });
    expect(window?.done.filter((step) => step === "reload")).toHaveLength(1);
  });

  test("remembers where its window was", async () => {
    await run();
    electron.windows[0]?.emit("close", { preventDefault: () => undefined });
    const saved: unknown = JSON.parse(
      readFileSync(join(directory, "profiles/default/window.json"), "utf8"),
    );
    expect(saved).toMatchObject({ bounds: { x: 1, y: 2, width: 800, height: 600 } });
  });

  test("ends only when the engine has closed everything", async () => {
    await run();
    electron.app.emit("window-all-closed");
    expect(electron.log).not.toContain("ended");
    await settled();
    expect(electron.log.slice(-3)).toEqual(["quit", "quit", "ended"]);
  });

  test("that can't read its bundle says so and ends", async () => {
    await run({ loadPage: () => Promise.reject(new AppError("internal")) });
    expect(refused).toHaveLength(1);
    expect(electron.log.at(-1)).toBe("exit 1");
    expect(electron.windows).toEqual([]);
  });
});
