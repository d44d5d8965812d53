import { createContext } from "svelte";
import type { Attachment } from "svelte/attachments";
import { on } from "svelte/events";

/** What a tooltip says: a line, or several of which the first matters most. */
export type TooltipText = string | readonly string[];

/** The tooltip that is shown. */
export interface ShownTooltip {
  readonly anchor: Element;
  readonly lines: readonly string[];
}

const showDelayMs = 450;
/** Once one was shown, the next ones come at once, for as long as this. */
const warmMs = 400;
const hideDelayMs = 80;

/** The one tooltip of the window. Many anchors, one box: a list of messages doesn't pay for what is rarely seen. */
export class Tooltips {
  #shown = $state.raw<ShownTooltip | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenAtMs = 0;

  get shown(): ShownTooltip | null {
    return this.#shown;
  }

  /** Shows it after a moment; at once for the keyboard. */
  offer(anchor: Element, text: TooltipText, atOnce: boolean): void {
    clearTimeout(this.#timer);
    const lines = typeof text === "string" ? [text] : text;
    const warm = performance.now() - this.#hiddenAtMs < warmMs || this.#shown !== null;
    const show = (): void => {
      if (anchor.isConnected) this.#shown = { anchor, lines };
    };
    if (atOnce || warm) show();
    else this.#timer = setTimeout(show, showDelayMs);
  }

  /** Keeps it, because the pointer is over the tooltip itself. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  /** Hides it after a moment, so that the pointer can move onto it. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.hide();
    }, hideDelayMs);
  }

  hide(): void {
    clearTimeout(this.#timer);
    if (this.#shown !== null) this.#hiddenAtMs = performance.now();
    this.#shown = null;
  }
}

const [get, set] = createContext<Tooltips>();

/** Hands the window's tooltip down. */
export const provideTooltips = set;

/**
 * An attachment that shows a tooltip on hover and on keyboard focus. It only repeats or adds to what the element's name says:
 * assistive technology must not depend on it. Called while a component is made.
 *
 * @returns a function that makes an attachment for a text
 */
export function useTooltip(): (text: () => TooltipText) => Attachment {
  const tooltips = get();
  return (text) => (anchor) => {
    const enter = (): void => {
      tooltips.offer(anchor, text(), false);
    };
    const focus = (): void => {
      if (anchor.matches(":focus-visible")) tooltips.offer(anchor, text(), true);
    };
    const leave = (): void => {
      tooltips.release();
    };
    const dismiss = (): void => {
      tooltips.hide();
    };
    const handlers = [
      ["pointerenter", enter],
      ["pointerleave", leave],
      ["pointerdown", dismiss],
      ["focus", focus],
      ["blur", dismiss],
    ] as const;
    // Svelte's own way of listening: an anchor that is taken off the page blurs in the middle of Svelte's work, where state can't change.
    const disposers = handlers.map(([name, handler]) => on(anchor, name, handler));
    return () => {
      for (const dispose of disposers) dispose();
      if (tooltips.shown?.anchor === anchor) tooltips.hide();
    };
  };
}
