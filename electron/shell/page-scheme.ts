import type { CustomScheme } from "electron";
import { pageHeaders, type PageFiles } from "../app/index.ts";

const scheme = "sotto-app";
const host = "sotto";

/** The origin of every page of ours: nothing else may send a command. */
export const pageOrigin = `${scheme}://${host}`;
/** The one page there is. */
export const pageUrl = `${pageOrigin}/index.html`;

/**
 * The scheme's rights, to be registered before Electron is ready: a secure origin of its own with the same-origin policy, and no
 * service workers, no CORS, no streaming, no way around the content security policy.
 *
 * Source: Electron security checklist 18 (custom protocol instead of `file:`).
 */
export const pageScheme: CustomScheme = {
  scheme,
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
};

/**
 * Answers the page's requests out of the table of files, which was read at start: no path of a request ever reaches the disk.
 *
 * @param files - the bundle of the interface
 */
export function pageHandler(files: PageFiles): (request: Request) => Response {
  return ({ method, url }) => {
    const { protocol, host: asked, pathname } = new URL(url);
    const isOurs = protocol === `${scheme}:` && asked === host;
    if (!isOurs || method !== "GET") return refusal(isOurs ? 405 : 404);
    const file = files.get(pathname);
    if (file === undefined) return refusal(404);
    return new Response(file.bytes, { status: 200, headers: pageHeaders(file.mediaType) });
  };
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: pageHeaders("text/plain; charset=utf-8") });
}
