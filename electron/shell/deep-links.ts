import type { App as ElectronApp } from "electron";
import * as v from "valibot";
import { linkScheme } from "../app/index.ts";

const secondSchema = v.object({ link: v.nullable(v.pipe(v.string(), v.maxLength(4096))) });

/** What a second start tells the first, through the lock. */
export interface SecondStart {
  readonly link: string | null;
}

/**
 * Makes this process the one of its profile, or hands its start to the one that is there. Needs the profile's own `userData`, since that is
 * what the lock lies in.
 *
 * @returns whether this is the first; the second one ends at once
 */
export function claimInstance(
  app: Pick<ElectronApp, "requestSingleInstanceLock" | "on">,
  start: SecondStart,
  onSecond: (start: SecondStart) => void,
): boolean {
  if (!app.requestSingleInstanceLock({ ...start })) return false;
  app.on("second-instance", (_event, _argv, _directory, additionalData) => {
    const parsed = v.safeParse(secondSchema, additionalData);
    onSecond({ link: parsed.success ? parsed.output.link : null });
  });
  return true;
}

/**
 * Asks the system to hand `sotto:` links to us, and takes those that macOS gives as an event. On Windows the link comes behind `--`, so
 * that a link can't bring options with it.
 *
 * @param isPackaged - a development build leaves the system's choice alone
 */
export function receiveLinks(
  app: Pick<ElectronApp, "setAsDefaultProtocolClient" | "on">,
  isPackaged: boolean,
  onLink: (link: string) => void,
): void {
  if (isPackaged) app.setAsDefaultProtocolClient(linkScheme, process.execPath, ["--"]);
  app.on("open-url", (event, url) => {
    event.preventDefault();
    onLink(url);
  });
}
