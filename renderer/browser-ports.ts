import { codeReader } from "./code-reader.ts";
import type { AppPorts } from "./state/ports.ts";

/** What the browser itself gives: time, timers, storage, the clipboard, pictures and the printer. */
export function browserPorts(
  view: Window,
): Pick<AppPorts, "storage" | "now" | "later" | "every" | "copyText" | "codes" | "print"> {
  return {
    storage: view.localStorage,
    now: () => Date.now(),
    later: (task, delayMs) => {
      const timer = view.setTimeout(task, delayMs);
      return () => {
        view.clearTimeout(timer);
      };
    },
    every: (task, intervalMs) => {
      const timer = view.setInterval(task, intervalMs);
      return () => {
        view.clearInterval(timer);
      };
    },
    copyText: (text) => copyText(view, text),
    codes: codeReader(view),
    print: () => {
      view.print();
    },
  };
}

/** Through the clipboard's own interface where the shell grants it, else by copying a selection as a person would. */
async function copyText(view: Window, text: string): Promise<boolean> {
  try {
    await view.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(view.document, text);
  }
}

function copyBySelection(page: Document, text: string): boolean {
  const active = page.activeElement;
  const field = page.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  field.setAttribute("aria-hidden", "true");
  // Inside an open dialog only what lies in it can have the focus.
  const place = active?.closest("[role=dialog], [role=alertdialog]") ?? page.body;
  place.append(field);
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way that needs no permission
  const done = page.execCommand("copy");
  field.remove();
  if (active instanceof HTMLElement) active.focus();
  return done;
}
