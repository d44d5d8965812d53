import type { Runtime } from "#protocol";
import type { I18n } from "../i18n/index.ts";
import type { RuntimeLink } from "../runtime/index.ts";
import type { ThemeController } from "../theme/theme.ts";

/** Where codes are read from. */
export interface CodeReader {
  /** @returns its text, or null when there is none to be read; a rejection: it is no picture */
  fromPicture(picture: Blob): Promise<string | null>;
  /** One picture of what the person chooses of the screen. @returns as above; a rejection: the person or the platform refused */
  fromScreen(): Promise<string | null>;
}

/** Everything the interface's state gets from outside. */
export interface AppPorts {
  readonly runtime: Runtime;
  readonly link: RuntimeLink;
  readonly i18n: I18n;
  readonly theme: Pick<ThemeController, "apply">;
  readonly storage: Pick<Storage, "getItem" | "setItem">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs `task` after `delayMs`. @returns a disposer */
  readonly later: (task: () => void, delayMs: number) => () => void;
  /** Runs `task` again and again. @returns a disposer */
  readonly every: (task: () => void, intervalMs: number) => () => void;
  /** Puts text on the clipboard. @returns whether it is there */
  readonly copyText: (text: string) => Promise<boolean>;
  /** Looks for a QR code. */
  readonly codes: CodeReader;
  /** Hands what is laid out for paper to the printer's dialog of the system. */
  readonly print: () => void;
}
