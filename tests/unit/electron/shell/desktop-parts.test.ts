import { EventEmitter } from "node:events";
import type { MenuItemConstructorOptions } from "electron";
import { describe, expect, test } from "vitest";
import { claimInstance, receiveLinks } from "../../../../electron/shell/deep-links.ts";
import { lockItemId, menuTemplate } from "../../../../electron/shell/menu.ts";
import { systemNotifications } from "../../../../electron/shell/notifications.ts";
import { systemIdleMs, watchPower } from "../../../../electron/shell/power.ts";
import { TrayIcon } from "../../../../electron/shell/tray.ts";

function rolesOf(items: readonly MenuItemConstructorOptions[]): readonly string[] {
  return items.flatMap(({ role, submenu }) => [
    ...(role === undefined ? [] : [role]),
    ...(Array.isArray(submenu) ? rolesOf(submenu) : []),
  ]);
}

describe("the menu", () => {
  const menu = (platform: NodeJS.Platform, isDevelopment = false, onLock = (): void => undefined) =>
    menuTemplate({ platform, isDevelopment, onLock });

  test.each(["linux", "win32", "darwin"] as const)("of %s can quit, copy and zoom", (platform) => {
    const roles = rolesOf(menu(platform));
    for (const role of ["quit", "copy", "paste", "selectAll", "zoomIn", "togglefullscreen"]) {
      expect(roles).toContain(role);
    }
    expect(roles.includes("appMenu")).toBe(platform === "darwin");
  });

  test("quits with Ctrl+Q where the system has no shortcut of its own", () => {
    expect(JSON.stringify(menu("linux"))).toContain('"Ctrl+Q"');
    expect(JSON.stringify(menu("darwin"))).not.toContain("Ctrl+Q");
  });

  test.each(["linux", "darwin"] as const)("of %s locks, once there is a lock", (platform) => {
    let locks = 0;
    const items = menu(platform, false, () => (locks += 1)).flatMap(({ submenu }) =>
      Array.isArray(submenu) ? submenu : [],
    );
    const [lock, ...others] = items.filter(({ id }) => id === lockItemId);
    expect(others).toEqual([]);
    expect(lock).toMatchObject({ accelerator: "CmdOrCtrl+L", enabled: false });
    lock?.click?.({} as never, undefined, {});
    expect(locks).toBe(1);
  });

  test("has developer tools only in development", () => {
    expect(rolesOf(menu("linux"))).not.toContain("toggleDevTools");
    expect(rolesOf(menu("linux"))).not.toContain("reload");
    expect(rolesOf(menu("linux", true))).toContain("toggleDevTools");
  });
});

describe("notifications of the system", () => {
  class FakeNotification extends EventEmitter {
    static supported = true;
    static readonly made: FakeNotification[] = [];
    static isSupported = (): boolean => FakeNotification.supported;
    readonly options: object;
    isShown = false;
    constructor(options: object) {
      super();
      this.options = options;
      FakeNotification.made.push(this);
    }
    show(): void {
      this.isShown = true;
    }
  }

  test("show what they were given and tell of a click", () => {
    const port = systemNotifications(FakeNotification as never);
    let clicks = 0;
    port.show("Sotto", "New message", () => clicks++);
    const [shown] = FakeNotification.made;
    expect(shown?.options).toEqual({ title: "Sotto", body: "New message" });
    expect(shown?.isShown).toBe(true);
    shown?.emit("click");
    expect(clicks).toBe(1);
  });

  test("are left out where the system has none", () => {
    FakeNotification.supported = false;
    const before = FakeNotification.made.length;
    systemNotifications(FakeNotification as never).show("Sotto", "New message", () => undefined);
    expect(FakeNotification.made).toHaveLength(before);
  });
});

describe("the tray", () => {
  class FakeTray extends EventEmitter {
    images: unknown[] = [];
    toolTip = "";
    menu: MenuItemConstructorOptions[] = [];
    setImage = (image: unknown): void => void this.images.push(image);
    setToolTip = (text: string): void => void (this.toolTip = text);
    setContextMenu = (menu: unknown): void => void (this.menu = menu as never);
  }

  function make(platform: NodeJS.Platform): { fake: FakeTray; tray: TrayIcon; done: string[] } {
    const fake = new FakeTray();
    const done: string[] = [];
    const ports = {
      createTray: (image: unknown) => {
        fake.images.push(image);
        return fake;
      },
      createImage: (path: string) => path,
      buildMenu: (template: unknown) => template,
    };
    const tray = new TrayIcon(ports as never, {
      platform,
      iconDirectory: "/icons",
      onOpen: () => done.push("open"),
      onLock: () => done.push("lock"),
      onQuit: () => done.push("quit"),
    });
    return { fake, tray, done };
  }

  test("shows that something is unread, and how much, but not what", () => {
    const { fake, tray } = make("linux");
    expect(fake.toolTip).toBe("Sotto");
    tray.setUnread(2);
    tray.setUnread(3);
    expect(fake.toolTip).toBe("Sotto (3)");
    tray.setUnread(0);
    expect(fake.toolTip).toBe("Sotto");
    expect(fake.images).toEqual(["/icons/tray.png", "/icons/tray-unread.png", "/icons/tray.png"]);
  });

  test("takes pictures that macOS colours there", () => {
    expect(make("darwin").fake.images).toEqual(["/icons/trayTemplate.png"]);
  });

  test("leads back to the window and out of the app", () => {
    const { fake, done } = make("linux");
    fake.emit("click");
    for (const { click } of fake.menu) click?.({} as never, undefined, {});
    expect(done).toEqual(["open", "open", "lock", "quit"]);
  });

  test("offers to lock only what can be locked", () => {
    const { fake, tray } = make("linux");
    const offered = (): unknown => fake.menu.find(({ label }) => label === "Lock Sotto")?.enabled;
    expect(offered()).toBe(false);
    tray.setCanLock(true);
    expect(offered()).toBe(true);
    tray.setCanLock(false);
    expect(offered()).toBe(false);
  });
});

describe("links and second starts", () => {
  class FakeApp extends EventEmitter {
    isFirst = true;
    said: unknown = null;
    registered: unknown[] = [];
    requestSingleInstanceLock = (data: unknown): boolean => {
      this.said = data;
      return this.isFirst;
    };
    setAsDefaultProtocolClient = (...given: unknown[]): boolean => {
      this.registered.push(given);
      return true;
    };
  }

  test("the second start gives its link to the first and ends", () => {
    const app = new FakeApp();
    app.isFirst = false;
    expect(claimInstance(app as never, { link: "sotto://join/a" }, () => undefined)).toBe(false);
    expect(app.said).toEqual({ link: "sotto://join/a" });
    expect(app.eventNames()).toEqual([]);
  });

  test("the first hears of it, and of nothing that is no link", () => {
    const app = new FakeApp();
    const heard: unknown[] = [];
    expect(claimInstance(app as never, { link: null }, (start) => heard.push(start))).toBe(true);
    for (const data of [
      { link: "sotto://join/a" },
      null,
      { link: 1 },
      { link: "x".repeat(5000) },
    ]) {
      app.emit("second-instance", {}, ["--evil"], "/", data);
    }
    expect(heard).toEqual([
      { link: "sotto://join/a" },
      { link: null },
      { link: null },
      { link: null },
    ]);
  });

  test("a packaged app asks for sotto: links, behind the word that ends options", () => {
    const app = new FakeApp();
    const links: string[] = [];
    receiveLinks(app as never, true, (link) => links.push(link));
    expect(app.registered).toEqual([["sotto", process.execPath, ["--"]]]);
    let prevented = false;
    app.emit("open-url", { preventDefault: () => (prevented = true) }, "sotto://join/a");
    expect([links, prevented]).toEqual([["sotto://join/a"], true]);
  });

  test("a development build leaves the system's choice alone", () => {
    const app = new FakeApp();
    receiveLinks(app as never, false, () => undefined);
    expect(app.registered).toEqual([]);
  });
});

describe("the machine", () => {
  test("going away and coming back is noticed", () => {
    const monitor = new EventEmitter();
    const seen: string[] = [];
    watchPower(monitor as never, {
      onAway: (reason) => seen.push(reason),
      onBack: () => seen.push("back"),
    });
    for (const event of ["suspend", "resume", "lock-screen", "unlock-screen"]) monitor.emit(event);
    expect(seen).toEqual(["suspend", "back", "os-lock", "back"]);
  });

  test("says how long nobody has touched it, if it can", () => {
    const monitor = (state: string) =>
      ({ getSystemIdleState: () => state, getSystemIdleTime: () => 7 }) as never;
    expect(systemIdleMs(monitor("idle"))).toBe(7000);
    expect(systemIdleMs(monitor("unknown"))).toBeNull();
  });
});
