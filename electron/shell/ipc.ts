import type { IpcMain, IpcMainInvokeEvent, WebContents } from "electron";
import { commandChannel, eventChannel } from "#protocol";
import type { App, CommandSource } from "../app/index.ts";
import { pageOrigin } from "./page-scheme.ts";

/** What of a window's contents the channels use. */
export type WindowContents = Pick<WebContents, "id" | "on" | "once" | "send" | "isDestroyed">;

/** Serves the two channels, and refuses everybody who is not one of our windows' own page. */
export class WindowChannels {
  readonly #app: Pick<App, "dispatch" | "subscribe" | "sourceGone">;
  /** The source of each of our windows, by the id of its contents; it changes when the page does. */
  readonly #sources = new Map<number, number>();
  #nextSource = 1;

  constructor(
    ipcMain: Pick<IpcMain, "handle">,
    app: Pick<App, "dispatch" | "subscribe" | "sourceGone">,
  ) {
    this.#app = app;
    ipcMain.handle(commandChannel, (event, ...values: unknown[]) => {
      const source = this.#sourceOf(event);
      // One message and nothing else; a list of any other length is none.
      return app.dispatch(source, values.length === 1 ? values[0] : undefined);
    });
  }

  /** Lets a window's page send commands, and sends it events, until it is closed. */
  attach(contents: WindowContents): void {
    this.#sources.set(contents.id, this.#nextSource++);
    const unsubscribe = this.#app.subscribe((message) => {
      if (!contents.isDestroyed()) contents.send(eventChannel, message);
    });
    const renew = (): void => {
      const gone = this.#sources.get(contents.id);
      this.#sources.set(contents.id, this.#nextSource++);
      if (gone !== undefined) this.#app.sourceGone(gone);
    };
    contents.on("did-start-navigation", ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) renew();
    });
    contents.on("render-process-gone", renew);
    contents.once("destroyed", () => {
      unsubscribe();
      renew();
      this.#sources.delete(contents.id);
    });
  }

  #sourceOf(event: IpcMainInvokeEvent): CommandSource {
    const id = this.#sources.get(event.sender.id);
    const isTrusted = (): boolean => id !== undefined && isOurPage(event);
    return { id: id ?? 0, isTrusted };
  }
}

/**
 * Whether a message comes from the main frame of its window, showing our page. A frame inside it, a page that navigated away, and one
 * that is already gone (null) are refused. Source: Electron security checklist 17.
 */
export function isOurPage({
  sender,
  senderFrame,
}: Pick<IpcMainInvokeEvent, "sender" | "senderFrame">): boolean {
  if (senderFrame?.parent !== null) return false;
  if (senderFrame !== sender.mainFrame || senderFrame.detached) return false;
  return senderFrame.origin === pageOrigin && senderFrame.url.startsWith(`${pageOrigin}/`);
}
