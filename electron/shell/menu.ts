import type { MenuItemConstructorOptions } from "electron";

type Items = MenuItemConstructorOptions[];

/**
 * The application's menu: roles of the system only, so that it speaks its language and keeps its shortcuts.
 *
 * @param isDevelopment - adds reloading and developer tools, which a packaged app does not have
 */
export function menuTemplate(platform: NodeJS.Platform, isDevelopment: boolean): Items {
  const isMac = platform === "darwin";
  const separator = { type: "separator" } as const;
  const application: Items = [
    { role: "hide" },
    { role: "hideOthers" },
    { role: "unhide" },
    separator,
    { role: "quit" },
  ];
  const file: Items = isMac
    ? [{ role: "close" }]
    : [{ role: "close" }, separator, { role: "quit", accelerator: "Ctrl+Q" }];
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
