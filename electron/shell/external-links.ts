const maxLinkLength = 2048;
const protocols: ReadonlySet<string> = new Set(["https:", "http:", "mailto:"]);
/** How long after a click or key a link may still open, milliseconds: Chromium's transient activation is as short. */
const gestureMs = 1_000;

/**
 * The link as it may be handed to the operating system, or null: only web and mail addresses, only of sane length, and none that carries
 * a name and password. Anything else (`file:`, `smb:`, `ms-…:`) would start programs. Source: Electron security checklist 15.
 */
export function externalLink(text: string): string | null {
  if (text.length > maxLinkLength || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (!protocols.has(url.protocol) || url.username !== "" || url.password !== "") return null;
  return url.href;
}

/** Opens links outside, one for each click or key of the person: a page can't open any by itself. */
export class LinkOpener {
  readonly #open: (url: string) => Promise<void>;
  readonly #now: () => number;
  #gestureAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param open - `shell.openExternal`
   * @param now - milliseconds
   */
  constructor(open: (url: string) => Promise<void>, now: () => number) {
    this.#open = open;
    this.#now = now;
  }

  /** @param type - of an `input-event` */
  input(type: string): void {
    if (["mouseDown", "rawKeyDown", "touchStart", "gestureTap"].includes(type)) {
      this.#gestureAtMs = this.#now();
    }
  }

  openExternal(text: string): void {
    const link = externalLink(text);
    const ageMs = this.#now() - this.#gestureAtMs;
    if (link === null || ageMs < 0 || ageMs > gestureMs) return;
    this.#gestureAtMs = Number.NEGATIVE_INFINITY;
    this.#open(link).catch(() => undefined);
  }
}
