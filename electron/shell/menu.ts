import type { MenuItemConstructorOptions } from "electron";

type Items = MenuItemConstructorOptions[];

/** The menu's id of {@link MenuOptions.onLock}. */
export const lockItemId = "lock";

/** What the menu says and does. */
export interface MenuOptions {
  readonly platform: NodeJS.Platform;
  /** Adds reloading and developer tools, which a packaged app does not have. */
  readonly isDevelopment: boolean;
  /** A page that is alive takes the shortcut first, and keeps what is half written before it locks. */
  readonly onLock: () => void;
}

/** The application's menu: roles of the system, so that it speaks its language and keeps its shortcuts; and the lock. */
export function menuTemplate({ platform, isDevelopment, onLock }: MenuOptions): Items {
  const isMac = platform === "darwin";
  const separator = { type: "separator" } as const;
  const lock: MenuItemConstructorOptions = {
    id: lockItemId,
    label: "Lock Sotto",
    accelerator: "CmdOrCtrl+L",
    // Until there is something to lock.
    enabled: false,
    click: onLock,
  };
  const application: Items = [
    { role: "hide" },
    { role: "hideOthers" },
    { role: "unhide" },
    separator,
    lock,
    { role: "quit" },
  ];
  const file: Items = isMac
    ? [{ role: "close" }]
    : [{ role: "close" }, separator, lock, { role: "quit", accelerator: "Ctrl+Q" }];
  const edit: Items = [
    { role: "undo" },
    { role: "redo" },
    separator,
    { role: "cut" },
    { role: "copy" },
    { role: "paste" },
    { role: "pasteAndMatchStyle" },
    { role: "delete" },
    { role: "selectAll" },
  ];
  const development: Items = [{ role: "reload" }, { role: "toggleDevTools" }, separator];
  const view: Items = [
    ...(isDevelopment ? development : []),
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    separator,
    { role: "togglefullscreen" },
  ];
  const window: Items = isMac
    ? [{ role: "minimize" }, { role: "zoom" }, separator, { role: "front" }]
    : [{ role: "minimize" }];
  return [
    ...(isMac ? [{ role: "appMenu", submenu: application } as const] : []),
    { role: "fileMenu", submenu: file },
    { role: "editMenu", submenu: edit },
    { role: "viewMenu", submenu: view },
    { role: "windowMenu", submenu: window },
  ];
}
