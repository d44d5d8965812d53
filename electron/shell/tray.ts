import { join } from "node:path";
import type { Menu, NativeImage, Tray } from "electron";

/** What the tray needs of Electron. */
export interface TrayPorts {
  readonly createTray: (
    image: NativeImage,
  ) => Pick<Tray, "setImage" | "setToolTip" | "setContextMenu" | "on">;
  readonly createImage: (path: string) => NativeImage;
  readonly buildMenu: typeof Menu.buildFromTemplate;
}

/** What the tray shows and does. */
export interface TrayOptions {
  readonly platform: NodeJS.Platform;
  /** Where the pictures lie. */
  readonly iconDirectory: string;
  readonly onOpen: () => void;
  readonly onQuit: () => void;
}

/** The icon beside the clock: whether something is unread, a way back to the window and a way out. No names, no text. */
export class TrayIcon {
  readonly #tray: ReturnType<TrayPorts["createTray"]>;
  readonly #images: { readonly quiet: NativeImage; readonly unread: NativeImage };
  #hasUnread = false;

  constructor(ports: TrayPorts, options: TrayOptions) {
    // macOS colours pictures whose name ends so by itself.
    const [quiet, unread] =
      options.platform === "darwin"
        ? ["trayTemplate.png", "trayUnreadTemplate.png"]
        : ["tray.png", "tray-unread.png"];
    this.#images = {
      quiet: ports.createImage(join(options.iconDirectory, quiet)),
      unread: ports.createImage(join(options.iconDirectory, unread)),
    };
    this.#tray = ports.createTray(this.#images.quiet);
    this.#tray.setToolTip("Sotto");
    this.#tray.setContextMenu(
      ports.buildMenu([
        { label: "Open Sotto", click: options.onOpen },
        { type: "separator" },
        { label: "Quit Sotto", click: options.onQuit },
      ]),
    );
    this.#tray.on("click", options.onOpen);
  }

  setUnread(count: number): void {
    const hasUnread = count > 0;
    this.#tray.setToolTip(hasUnread ? `Sotto (${count})` : "Sotto");
    if (hasUnread === this.#hasUnread) return;
    this.#hasUnread = hasUnread;
    this.#tray.setImage(hasUnread ? this.#images.unread : this.#images.quiet);
  }
}
