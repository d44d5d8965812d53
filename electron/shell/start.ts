import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type * as electronModule from "electron";
import type { BrowserWindow, Menu, Session } from "electron";
import {
  createEngine,
  defaultProfile,
  deviceNameOf,
  startApp,
  systemClock,
  systemUptimeMs,
  type AboutFacts,
  type App,
  type Log,
  type Machine,
  type PageFiles,
  type ProfilePaths,
} from "../app/index.ts";
import type { KeytarKeychain } from "../keychain/index.ts";
import { chromiumConnect } from "./connect.ts";
import { claimInstance, receiveLinks } from "./deep-links.ts";
import { offerScreen } from "./display-capture.ts";
import { hardenApp, spyingSwitch } from "./harden-app.ts";
import { blockNetwork } from "./harden-session.ts";
import { WindowChannels } from "./ipc.ts";
import { lockItemId, menuTemplate } from "./menu.ts";
import { systemNotifications } from "./notifications.ts";
import { pageHandler, pageScheme, pageUrl } from "./page-scheme.ts";
import { systemIdleMs, watchPower } from "./power.ts";
import { processSpawner, relayProcess } from "./processes.ts";
import { TrayIcon } from "./tray.ts";
import { pagePreferences } from "./web-preferences.ts";
import { readWindowState, writeWindowState, type WindowState } from "./window-state.ts";
import { manageWindow, raise, windowOptions } from "./window.ts";

/** The module `electron`, in the main process. */
export type Electron = typeof electronModule;

/** What the desktop app is made of. */
export interface ShellSetup {
  readonly electron: Electron;
  readonly machine: Machine;
  readonly paths: ProfilePaths;
  /** What Sotto was started with. */
  readonly link: string | null;
  readonly keychain: KeytarKeychain;
  readonly log: Log;
  /** Bundles and pictures. */
  readonly programs: {
    readonly preload: string;
    readonly cryptoWorker: string;
    readonly relay: string;
    readonly icons: string;
  };
  readonly loadPage: () => Promise<PageFiles>;
  readonly loadAbout: () => Promise<AboutFacts>;
  /** Something that makes a start impossible, in words for the terminal. */
  readonly refuse: (words: string) => void;
}

/** Where pages keep what they remember of their looks (pane widths, theme): never content. */
const pagePartition = "persist:page";

/**
 * Starts the desktop app. All that must happen before Electron is ready happens before this returns; so the entry calls it without
 * waiting for anything first.
 */
export function startShell(setup: ShellSetup): void {
  const { electron, paths, link } = setup;
  const { app, protocol, shell } = electron;
  const spying = spyingSwitch(app);
  if (spying !== null) {
    setup.refuse(`Sotto does not start with --${spying}: its windows could be read.`);
    app.exit(1);
    return;
  }
  mkdirSync(paths.browser, { recursive: true, mode: 0o700 });
  app.setPath("userData", paths.browser);
  app.setPath("sessionData", paths.browser);
  app.setAppUserModelId("org.sotto.desktop");
  const desktop = new Desktop(setup);
  const isFirst = claimInstance(app, { link }, (second) => {
    desktop.raise();
    if (second.link !== null) desktop.openLink(second.link);
  });
  if (!isFirst) {
    app.exit(0);
    return;
  }
  hardenApp(app, (url) => shell.openExternal(url), Date.now);
  protocol.registerSchemesAsPrivileged([pageScheme]);
  receiveLinks(app, app.isPackaged, (url) => {
    desktop.openLink(url);
  });
  void app
    .whenReady()
    .then(() => desktop.run())
    .catch((error: unknown) => {
      setup.refuse(String(error));
      app.exit(1);
    });
}

/** A page that dies sooner than this after its last death stays dead, milliseconds. */
const reloadPauseMs = 10_000;

/** The one window of a profile, its tray and its engine. */
class Desktop {
  readonly #setup: ShellSetup;
  readonly #statePath: string;
  #state: WindowState;
  #app: App | null = null;
  #window: BrowserWindow | null = null;
  #makeWindow: () => void = () => undefined;
  /** Links that came before the engine. */
  readonly #early: string[] = [];
  #pageDiedAtMs = 0;
  #isQuitting = false;
  #isStopped = false;

  constructor(setup: ShellSetup) {
    this.#setup = setup;
    this.#statePath = join(setup.paths.root, "window.json");
    this.#state = readWindowState(this.#statePath);
  }

  async run(): Promise<void> {
    const { electron, machine, link } = this.#setup;
    const { app, Menu, nativeTheme, session } = electron;
    const isDevelopment = !app.isPackaged;
    nativeTheme.themeSource = themeSource(this.#state.theme);
    const menu = Menu.buildFromTemplate(
      menuTemplate({
        platform: machine.platform,
        isDevelopment,
        onLock: () => this.#app?.lock(),
      }),
    );
    Menu.setApplicationMenu(menu);
    const [files, about] = await Promise.all([this.#setup.loadPage(), this.#setup.loadAbout()]);
    const pages = session.fromPartition(pagePartition);
    blockNetwork(pages, isDevelopment);
    offerScreen(pages, electron);
    pages.protocol.handle(pageScheme.scheme, pageHandler(files));

    const ports = this.#ports(about);
    const engine = startApp(ports, createEngine(ports), link);
    this.#app = engine;
    const channels = new WindowChannels(electron.ipcMain, engine);
    this.#makeWindow = () => {
      this.#openWindow(pages, channels);
    };
    this.#makeWindow();
    this.#showTray(engine, menu);
    this.#followLife(engine);
    for (const early of this.#early.splice(0)) engine.openLink(early);
  }

  openLink(link: string): void {
    if (this.#app === null) this.#early.push(link);
    else this.#app.openLink(link);
  }

  raise(): void {
    if (this.#window === null) this.#makeWindow();
    else raise(this.#window);
  }

  #ports(about: AboutFacts): Parameters<typeof startApp>[0] {
    const { electron, machine, paths, programs, keychain, log } = this.#setup;
    const { net, session, utilityProcess, Notification } = electron;
    return {
      paths,
      clock: systemClock,
      uptimeMs: systemUptimeMs,
      systemIdleMs: () => systemIdleMs(electron.powerMonitor),
      connect: chromiumConnect(net, session.defaultSession),
      keychain,
      spawnWorker: processSpawner(utilityProcess.fork.bind(utilityProcess), programs.cryptoWorker),
      spawnRelay: relayProcess(utilityProcess.fork.bind(utilityProcess), programs.relay),
      notifications: systemNotifications(Notification),
      isFocused: () => this.#window?.isFocused() === true,
      raiseWindow: () => {
        this.raise();
      },
      quit: () => {
        electron.app.quit();
      },
      deviceName: deviceNameOf(machine.platform),
      platform: machine.platform,
      about,
      log,
    };
  }

  #openWindow(pages: Session, channels: WindowChannels): void {
    const { electron, paths, programs } = this.#setup;
    const { app, BrowserWindow: Window, nativeTheme, screen } = electron;
    const window = new Window(
      windowOptions({
        state: this.#state,
        isDark: nativeTheme.shouldUseDarkColors,
        screens: screen.getAllDisplays().map(({ workArea }) => workArea),
        profile: paths.name,
        defaultProfile,
        iconPath: join(programs.icons, "icon.png"),
        webPreferences: pagePreferences(programs.preload, pages, !app.isPackaged),
      }),
    );
    this.#window = window;
    manageWindow(window, this.#state.isMaximized, {
      closeToTray: () => this.#app?.settings?.closeToTray === true,
      isQuitting: () => this.#isQuitting,
      remember: (bounds, isMaximized) => {
        this.#remember({ ...this.#state, bounds, isMaximized });
      },
    });
    channels.attach(window.webContents);
    window.webContents.on("render-process-gone", () => {
      // A page that died comes back by itself, but not one that dies again and again.
      const nowMs = Date.now();
      if (nowMs - this.#pageDiedAtMs > reloadPauseMs) window.reload();
      this.#pageDiedAtMs = nowMs;
    });
    window.on("closed", () => {
      this.#window = null;
    });
    void window.loadURL(pageUrl);
  }

  #showTray(engine: App, menu: Pick<Menu, "getMenuItemById">): void {
    const { electron, machine, programs } = this.#setup;
    const { app, Menu, nativeImage, Tray } = electron;
    const tray = new TrayIcon(
      {
        createTray: (image) => new Tray(image),
        createImage: (path) => nativeImage.createFromPath(path),
        buildMenu: (template) => Menu.buildFromTemplate(template),
      },
      {
        platform: machine.platform,
        iconDirectory: programs.icons,
        onOpen: () => {
          this.raise();
        },
        onLock: () => {
          engine.lock();
        },
        onQuit: () => {
          app.quit();
        },
      },
    );
    engine.subscribe(({ name }) => {
      if (name === "conversations.changed") tray.setUnread(engine.unreadCount);
      if (name !== "app.changed") return;
      this.#followTheme(engine);
      tray.setUnread(engine.unreadCount);
      tray.setCanLock(engine.canLock);
      const lock = menu.getMenuItemById(lockItemId);
      if (lock !== null) lock.enabled = engine.canLock;
    });
  }

  #followTheme(engine: App): void {
    const theme = engine.settings?.theme;
    if (theme === undefined || theme === this.#state.theme) return;
    this.#setup.electron.nativeTheme.themeSource = themeSource(theme);
    this.#remember({ ...this.#state, theme });
  }

  #followLife(engine: App): void {
    const { app, powerMonitor } = this.#setup.electron;
    watchPower(powerMonitor, {
      onAway: (reason) => {
        engine.away(reason);
      },
      onBack: () => {
        engine.wake();
      },
    });
    app.on("activate", () => {
      this.raise();
    });
    app.on("window-all-closed", () => {
      if (this.#setup.machine.platform !== "darwin") app.quit();
    });
    // Windows stay until the engine has closed its vault: a quit is over when all is on disk.
    app.on("before-quit", (event) => {
      this.#isQuitting = true;
      if (this.#isStopped) return;
      event.preventDefault();
      void engine.stop().finally(() => {
        this.#isStopped = true;
        // A keychain that never answered holds a thread that an orderly exit would wait for; all else is closed by now.
        if (this.#setup.keychain.isHanging) process.kill(process.pid, "SIGKILL");
        app.quit();
      });
    });
  }

  #remember(state: WindowState): void {
    this.#state = state;
    writeWindowState(this.#statePath, state);
  }
}

/** High contrast is the page's own; around it stands what the system has. */
function themeSource(theme: WindowState["theme"]): "system" | "light" | "dark" {
  return theme === "high-contrast" ? "system" : theme;
}
