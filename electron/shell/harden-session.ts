import type { Session } from "electron";
import { pageOrigin } from "./page-scheme.ts";

/** What of `Session` is used to deny. */
export type HardenedSession = Pick<
  Session,
  | "setPermissionRequestHandler"
  | "setPermissionCheckHandler"
  | "setDevicePermissionHandler"
  | "setDisplayMediaRequestHandler"
  | "setBluetoothPairingHandler"
  | "setUSBProtectedClassesHandler"
  | "setSpellCheckerEnabled"
  | "on"
>;

/** What of the pages' `Session` is used besides. */
export type PageSession = {
  readonly webRequest: Pick<Session["webRequest"], "onBeforeRequest">;
} & Pick<Session, "setCertificateVerifyProc">;

/**
 * What a page may ask for: to put text on the clipboard after a click ("Copy"; it can't read it), and to ask for a picture of the screen,
 * which only `offerScreen` gives, in the pages' session.
 */
const allowedPermissions: ReadonlySet<string> = new Set([
  "clipboard-sanitized-write",
  "display-capture",
]);

/** Every class of USB device: none is a page's. Source: `ses.setUSBProtectedClassesHandler`. */
const usbClasses = [
  "audio",
  "audio-video",
  "hid",
  "mass-storage",
  "smart-card",
  "video",
  "wireless",
];

/**
 * Denies what pages can ask of the machine, in every session: asking and checking, devices, screens, downloads.
 * Source: Electron security checklist 5.
 */
export function hardenSession(session: HardenedSession): void {
  session.setPermissionRequestHandler((contents, permission, callback, details) => {
    const asksItself =
      details.isMainFrame && isOurs(details.requestingUrl) && isOurs(contents.getURL());
    callback(allowedPermissions.has(permission) && asksItself);
  });
  session.setPermissionCheckHandler((_contents, permission, origin, details) => {
    return allowedPermissions.has(permission) && details.isMainFrame && isOurs(origin);
  });
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, callback) => {
    callback(null);
  });
  session.setBluetoothPairingHandler((_details, callback) => {
    callback({ confirmed: false });
  });
  session.setUSBProtectedClassesHandler(() => usbClasses);
  session.setSpellCheckerEnabled(false);
  session.on("will-download", (event) => {
    event.preventDefault();
  });
}

/**
 * Takes the network from the pages' session: nothing but our own scheme is ever asked for, and no certificate is ever good.
 * The relay's socket belongs to the main process and another session.
 *
 * @param isDevelopment - lets the developer tools load themselves
 */
export function blockNetwork(session: PageSession, isDevelopment: boolean): void {
  session.webRequest.onBeforeRequest(({ url }, callback) => {
    const isAllowed = isOurs(url) || (isDevelopment && url.startsWith("devtools://"));
    callback({ cancel: !isAllowed });
  });
  session.setCertificateVerifyProc((_request, callback) => {
    // net::ERR_FAILED
    callback(-2);
  });
}

/** Whether an address or origin is the page's: compared whole, so that no longer host passes for ours. */
export function isOurs(address: string): boolean {
  return address === pageOrigin || address.startsWith(`${pageOrigin}/`);
}
