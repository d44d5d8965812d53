import type { WebContents } from "electron";
import { LinkOpener } from "./external-links.ts";
import { pageUrl } from "./page-scheme.ts";

/** What of `WebContents` is used. */
export type HardenedContents = Pick<WebContents, "on" | "setWindowOpenHandler">;

/**
 * Ties a page down where it is: it stays at its address, opens no window and no frame, and embeds nothing. Every web contents that ever
 * comes to be goes through here, before anything is loaded into it. Source: Electron security checklist 11 to 15.
 *
 * @param open - `shell.openExternal`
 * @param now - milliseconds
 */
export function hardenContents(
  contents: HardenedContents,
  open: (url: string) => Promise<void>,
  now: () => number,
): void {
  const links = new LinkOpener(open, now);
  contents.on("input-event", (_event, { type }) => {
    links.input(type);
  });
  // Reloading is the one navigation there is. A redirect of ours does not exist.
  contents.on("will-navigate", (event) => {
    if (event.url !== pageUrl || !event.isMainFrame) event.preventDefault();
  });
  contents.on("will-frame-navigate", (event) => {
    if (event.url !== pageUrl || !event.isMainFrame) event.preventDefault();
  });
  contents.on("will-redirect", (event) => {
    event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => {
    event.preventDefault();
  });
  contents.setWindowOpenHandler(({ url }) => {
    links.openExternal(url);
    return { action: "deny" };
  });
}
