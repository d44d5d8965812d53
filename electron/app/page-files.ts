import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";

/** A file of the interface, in memory. */
export interface PageFile {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Everything that is ever served to a page, by path (`/index.html`). Whatever isn't in it does not exist. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const mediaTypes: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
  ["ico", "image/x-icon"],
  ["woff2", "font/woff2"],
]);

/**
 * What a page of ours may do: load its own scripts, styles, pictures and fonts, and talk to where it came from. Nothing of the network,
 * no inline script or style, no frame, no form, and no text into a script's place except through Svelte's own template policy.
 *
 * Source: W3C CSP Level 3; W3C Trusted Types. The policy's name is Svelte's (svelte/src/internal/client/dom/reconciler.js).
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types svelte-trusted-html",
].join("; ");

/** The headers of each file; `mediaType` is what the browser must take it for. */
export function pageHeaders(mediaType: string): Readonly<Record<string, string>> {
  return {
    "Content-Type": mediaType,
    "Content-Security-Policy": contentSecurityPolicy,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": features,
    "Cache-Control": "no-store",
  };
}

/** Source: W3C Permissions Policy. What a page of ours never asks for is not there to be abused. */
const features = [
  "accelerometer",
  "autoplay",
  "camera",
  "encrypted-media",
  "fullscreen",
  "gamepad",
  "geolocation",
  "gyroscope",
  "hid",
  "idle-detection",
  "local-fonts",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "picture-in-picture",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "usb",
  "xr-spatial-tracking",
]
  .map((feature) => `${feature}=()`)
  // To scan a code; who is asked each time is the person.
  .concat("display-capture=(self)")
  .join(", ");

/**
 * Reads a bundle of the interface once. Files of a kind a page has no use for (source maps, licences) are left out.
 *
 * @param directory - the bundle (`dist/renderer`)
 * @throws the file system's error when it can't be read
 */
export async function readPageFiles(directory: string): Promise<PageFiles> {
  const names = await readdir(directory, { recursive: true });
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const mediaType = mediaTypes.get(name.slice(name.lastIndexOf(".") + 1));
    if (mediaType === undefined) continue;
    const bytes = new Uint8Array(await readFile(join(directory, name)));
    files.set(`/${name.split(sep).join("/")}`, { mediaType, bytes });
  }
  return files;
}
