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
  readonly onLock: () => void;
  readonly onQuit: () => void;
}

/** The icon beside the clock: whether something is unread, a way back to the window and a way out. No names, no text. */
export class TrayIcon {
  readonly #ports: TrayPorts;
  readonly #options: TrayOptions;
  readonly #tray: ReturnType<TrayPorts["createTray"]>;
  readonly #images: { readonly quiet: NativeImage; readonly unread: NativeImage };
  #hasUnread = false;
  #canLock = false;

  constructor(ports: TrayPorts, options: TrayOptions) {
    this.#ports = ports;
    this.#options = options;
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
    this.#showMenu();
    this.#tray.on("click", options.onOpen);
  }

  /** Whether there is something to lock. */
  setCanLock(canLock: boolean): void {
    if (canLock === this.#canLock) return;
    this.#canLock = canLock;
    this.#showMenu();
  }

  /** Anew each time: on Linux a menu that is shown already can't be changed. */
  #showMenu(): void {
    const { onOpen, onLock, onQuit } = this.#options;
    this.#tray.setContextMenu(
      this.#ports.buildMenu([
        { label: "Open Sotto", click: onOpen },
        { label: "Lock Sotto", click: onLock, enabled: this.#canLock },
        { type: "separator" },
        { label: "Quit Sotto", click: onQuit },
      ]),
    );
  }

  setUnread(count: number): void {
    const hasUnread = count > 0;
    this.#tray.setToolTip(hasUnread ? `Sotto (${count})` : "Sotto");
    if (hasUnread === this.#hasUnread) return;
    this.#hasUnread = hasUnread;
    this.#tray.setImage(hasUnread ? this.#images.unread : this.#images.quiet);
  }
}
