import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EventEmitter } from "node:events";
import type { Session, WebContents } from "electron";
import { beforeEach, describe, expect, test } from "vitest";
import { fuses } from "../../../../build/packing/fuses.ts";
import { contentSecurityPolicy } from "../../../../electron/app/page-files.ts";
import { externalLink } from "../../../../electron/shell/external-links.ts";
import { hardenApp, spyingSwitch } from "../../../../electron/shell/harden-app.ts";
import { blockNetwork, hardenSession } from "../../../../electron/shell/harden-session.ts";
import { pageHandler, pageScheme, pageUrl } from "../../../../electron/shell/page-scheme.ts";
import { pagePreferences } from "../../../../electron/shell/web-preferences.ts";

/*
 * Electron's own security checklist (docs/tutorial/security), all twenty items, each held against what the shell gives to Electron.
 * Items 16 and 19 are facts of the build.
 */
const repository = join(import.meta.dirname, "../../../..");

/** The handlers that a session was given. */
class FakeSession extends EventEmitter {
  request!: Parameters<Session["setPermissionRequestHandler"]>[0] & object;
  check!: Parameters<Session["setPermissionCheckHandler"]>[0] & object;
  device!: Parameters<Session["setDevicePermissionHandler"]>[0] & object;
  display!: Parameters<Session["setDisplayMediaRequestHandler"]>[0] & object;
  bluetooth!: Parameters<Session["setBluetoothPairingHandler"]>[0] & object;
  usb!: Parameters<Session["setUSBProtectedClassesHandler"]>[0] & object;
  certificate!: Parameters<Session["setCertificateVerifyProc"]>[0] & object;
  before!: (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void;
  spellChecker = true;
  setPermissionRequestHandler = (handler: FakeSession["request"]): void =>
    void (this.request = handler);
  setPermissionCheckHandler = (handler: FakeSession["check"]): void => void (this.check = handler);
  setDevicePermissionHandler = (handler: FakeSession["device"]): void =>
    void (this.device = handler);
  setDisplayMediaRequestHandler = (handler: FakeSession["display"]): void =>
    void (this.display = handler);
  setBluetoothPairingHandler = (handler: FakeSession["bluetooth"]): void =>
    void (this.bluetooth = handler);
  setUSBProtectedClassesHandler = (handler: FakeSession["usb"]): void => void (this.usb = handler);
  setCertificateVerifyProc = (handler: FakeSession["certificate"]): void =>
    void (this.certificate = handler);
  setSpellCheckerEnabled = (enable: boolean): void => void (this.spellChecker = enable);
  webRequest = {
    onBeforeRequest: (handler: FakeSession["before"]): void => void (this.before = handler),
  };
}

/** A web contents as far as hardening touches it. */
class FakeContents extends EventEmitter {
  openHandler!: (details: { url: string }) => { action: string };
  setWindowOpenHandler = (handler: FakeContents["openHandler"]): void =>
    void (this.openHandler = handler);
}

class FakeApp extends EventEmitter {
  isSandboxed = false;
  isPackaged = true;
  switches: string[] = [];
  commandLine = { hasSwitch: (name: string): boolean => this.switches.includes(name) };
  enableSandbox = (): void => void (this.isSandboxed = true);
}

/** An event that can be refused. */
class FakeEvent {
  prevented = false;
  readonly url: string;
  readonly isMainFrame: boolean;
  constructor(url = "", isMainFrame = true) {
    this.url = url;
    this.isMainFrame = isMainFrame;
  }
  preventDefault = (): void => void (this.prevented = true);
}

let app: FakeApp;
let session: FakeSession;
let contents: FakeContents;
let opened: string[];
let nowMs: number;
const foreign = ["https://evil.example/", "file:///etc/passwd", "data:text/html,x", "about:blank"];
const noSession = null as unknown as Session;
const preferences = pagePreferences("/preload.cjs", noSession, false);

beforeEach(() => {
  app = new FakeApp();
  opened = [];
  nowMs = 100_000;
  const open = (url: string): Promise<void> => {
    opened.push(url);
    return Promise.resolve();
  };
  hardenApp(app as never, open, () => nowMs);
  session = new FakeSession();
  app.emit("session-created", session);
  blockNetwork(session as never, false);
  contents = new FakeContents();
  app.emit("web-contents-created", {}, contents);
});

function cancelled(url: string): boolean | undefined {
  let answer: { cancel?: boolean } = {};
  session.before({ url }, (given) => void (answer = given));
  return answer.cancel;
}

function askFor(permission: string, url: string, isMainFrame = true): boolean {
  let granted: boolean | undefined;
  const page = { getURL: () => pageUrl } as unknown as WebContents;
  const details = { isMainFrame, requestingUrl: url } as never;
  session.request(page, permission as never, (answer) => void (granted = answer), details);
  expect(granted).toBeDefined();
  const checked = session.check(page, permission as never, url, details);
  expect(checked).toBe(granted);
  return checked;
}

describe("Electron's security checklist", () => {
  test("1: only the app's own content is loaded", () => {
    expect(pageUrl).toBe("sotto-app://sotto/index.html");
    expect(cancelled(pageUrl)).toBe(false);
    for (const url of [...foreign, "http://127.0.0.1/", "wss://relay.example/", "sotto-app://x/"]) {
      expect(cancelled(url), url).toBe(true);
    }
    expect(cancelled("sotto-app://sotto.evil.example/")).toBe(true);
    expect(cancelled("devtools://devtools/x")).toBe(true);
    blockNetwork(session as never, true);
    expect(cancelled("devtools://devtools/x")).toBe(false);
    expect(cancelled("https://evil.example/")).toBe(true);
  });

  test("2: no Node in pages, frames and workers", () => {
    expect(preferences).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
    });
  });

  test("3: context isolation", () => {
    expect(preferences.contextIsolation).toBe(true);
  });

  test("4: the sandbox, for this window and for every other", () => {
    expect(preferences.sandbox).toBe(true);
    expect(app.isSandboxed).toBe(true);
  });

  test("5: every permission is denied, asked or checked, but the copying of text and the asking for the screen by our own page", () => {
    const declared = readFileSync(join(repository, "node_modules/electron/electron.d.ts"), "utf8");
    const list = /setPermissionCheckHandler\(handler: .*?permission: ([^,]*),/u.exec(declared)?.[1];
    const permissions = [...(list ?? "").matchAll(/'([^']+)'/gu)].map((match) => match[1] ?? "");
    expect(permissions.length).toBeGreaterThan(40);
    const granted = permissions.filter((permission) => askFor(permission, pageUrl));
    expect(granted.toSorted()).toEqual(["clipboard-sanitized-write", "display-capture"]);
    for (const url of [...foreign, "sotto-app://sotto.evil.example/"]) {
      expect(askFor("clipboard-sanitized-write", url), url).toBe(false);
    }
    expect(askFor("clipboard-sanitized-write", pageUrl, false)).toBe(false);
  });

  test("5: devices, screens, pairings and downloads are denied", () => {
    expect(session.device({} as never)).toBe(false);
    let streams: unknown = "unasked";
    session.display({} as never, (given) => void (streams = given));
    expect(streams).toBeNull();
    let pairing: unknown;
    session.bluetooth({} as never, (answer) => void (pairing = answer));
    expect(pairing).toEqual({ confirmed: false });
    expect(session.usb({ protectedClasses: [] })).toHaveLength(7);
    const download = new FakeEvent();
    session.emit("will-download", download);
    expect(download.prevented).toBe(true);
  });

  test("6: web security stands", () => {
    expect(preferences.webSecurity).toBe(true);
  });

  test("7: a restrictive content security policy, as a header of every answer", async () => {
    const files = new Map([["/index.html", { mediaType: "text/html", bytes: new Uint8Array(1) }]]);
    for (const path of ["index.html", "missing.js"]) {
      const response = pageHandler(files)(new Request(`sotto-app://sotto/${path}`));
      expect(response.headers.get("content-security-policy")).toBe(contentSecurityPolicy);
      await response.arrayBuffer();
    }
  });

  test("8, 9, 10: no insecure content, no experiments, no Blink features", () => {
    expect(preferences).toMatchObject({
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      enableBlinkFeatures: "",
    });
  });

  test("11, 12: no webview, and one that is attached nevertheless is refused", () => {
    expect(preferences.webviewTag).toBe(false);
    const attach = new FakeEvent();
    contents.emit("will-attach-webview", attach, { nodeIntegration: true }, {});
    expect(attach.prevented).toBe(true);
  });

  test("13: a page stays where it is; only reloading is let through, only in the main frame", () => {
    expect(preferences.navigateOnDragDrop).toBe(false);
    for (const name of ["will-navigate", "will-frame-navigate"]) {
      const reload = new FakeEvent(pageUrl);
      contents.emit(name, reload);
      expect(reload.prevented).toBe(false);
      for (const url of [...foreign, `${pageUrl}?x`, "sotto-app://sotto/other.html"]) {
        const away = new FakeEvent(url);
        contents.emit(name, away);
        expect(away.prevented, `${name} ${url}`).toBe(true);
      }
      const frame = new FakeEvent(pageUrl, false);
      contents.emit(name, frame);
      expect(frame.prevented).toBe(true);
    }
    const redirect = new FakeEvent(pageUrl);
    contents.emit("will-redirect", redirect);
    expect(redirect.prevented).toBe(true);
  });

  test("14: no window is opened", () => {
    contents.emit("input-event", {}, { type: "mouseDown" });
    for (const url of [...foreign, pageUrl]) {
      expect(contents.openHandler({ url })).toEqual({ action: "deny" });
    }
  });

  test("15: a link opens outside only after a click or key, once, and only for web and mail", () => {
    contents.openHandler({ url: "https://example.com/" });
    expect(opened).toEqual([]);
    contents.emit("input-event", {}, { type: "mouseMove" });
    contents.openHandler({ url: "https://example.com/" });
    expect(opened).toEqual([]);
    contents.emit("input-event", {}, { type: "mouseDown" });
    contents.openHandler({ url: "https://example.com/a" });
    contents.openHandler({ url: "https://example.com/b" });
    expect(opened).toEqual(["https://example.com/a"]);
    contents.emit("input-event", {}, { type: "rawKeyDown" });
    nowMs += 1_001;
    contents.openHandler({ url: "https://example.com/c" });
    expect(opened).toHaveLength(1);
  });

  test.each([
    ["https://example.com/x?y#z", "https://example.com/x?y#z"],
    ["http://example.com", "http://example.com/"],
    ["mailto:ada@example.com", "mailto:ada@example.com"],
    ["HTTPS://example.com/", "https://example.com/"],
    ["file:///etc/passwd", null],
    ["javascript:alert(1)", null],
    ["smb://server/share", null],
    ["ms-msdt:/id", null],
    ["sotto://join/abc", null],
    ["sotto-app://sotto/index.html", null],
    ["https://user@example.com/", null],
    ["https://:pass@example.com/", null],
    ["//example.com", null],
    ["C:\\Windows\\System32\\calc.exe", null],
    ["", null],
  ])("15: %j is handed over as %j", (text, link) => {
    expect(externalLink(text)).toBe(link);
  });

  test("15: an endless link is not handed over", () => {
    expect(externalLink(`https://example.com/${"a".repeat(2048)}`)).toBeNull();
  });

  test("16: a current Electron, of an exact version", () => {
    const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    expect(manifest.devDependencies["electron"]).toMatch(/^45\.\d+\.\d+$/u);
  });

  test("18: an own protocol instead of file:, with no more rights than a web origin", () => {
    expect(pageScheme).toEqual({
      scheme: "sotto-app",
      privileges: {
        standard: true,
        secure: true,
        supportFetchAPI: true,
        bypassCSP: false,
        allowServiceWorkers: false,
        corsEnabled: false,
        stream: false,
        codeCache: false,
        allowExtensions: false,
      },
    });
  });

  test("19: the fuses are set so that nobody makes another program of it", () => {
    expect(Object.values(fuses).filter((value) => typeof value === "boolean").length).toBe(10);
    expect(fuses.strictlyRequireAllFuses).toBe(true);
  });
});

describe("beyond the checklist", () => {
  test("developer tools are for development, and spelling is nobody's business", () => {
    expect(preferences.devTools).toBe(false);
    expect(pagePreferences("/p", noSession, true).devTools).toBe(true);
    expect(preferences.spellcheck).toBe(false);
    expect(session.spellChecker).toBe(false);
    expect(preferences.disableDialogs).toBe(true);
  });

  test("a packaged app does not start with its pages open to others", () => {
    expect(spyingSwitch(app as never)).toBeNull();
    for (const name of ["remote-debugging-port", "remote-debugging-pipe"]) {
      app.switches = [name];
      expect(spyingSwitch(app as never)).toBe(name);
    }
    app.isPackaged = false;
    expect(spyingSwitch(app as never)).toBeNull();
  });

  test("a wrong certificate is wrong, whatever the person would say", () => {
    const event = new FakeEvent();
    let trusted: boolean | undefined;
    const answer = (given: boolean): void => void (trusted = given);
    app.emit("certificate-error", event, contents, "https://x/", "E", {}, answer, true);
    expect([event.prevented, trusted]).toEqual([true, false]);
    let result: number | undefined;
    session.certificate({} as never, (given) => void (result = given));
    expect(result).toBe(-2);
  });

  test("hardening asks nothing of a session but to deny", () => {
    const fresh = new FakeSession();
    hardenSession(fresh as never);
    expect(fresh.eventNames()).toEqual(["will-download"]);
  });
});
