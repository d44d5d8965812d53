import type { Component } from "svelte";

/** One line of a menu. */
export type MenuEntry =
  | {
      readonly kind: "action";
      readonly label: string;
      readonly icon?: Component<{ size?: number | string }>;
      readonly danger?: boolean;
      readonly disabled?: boolean;
      /** The key that does the same. */
      readonly keys?: string;
      readonly run: () => void;
    }
  | { readonly kind: "separator" };

/** Where a context menu opens: at the pointer, or below the element that the keyboard stands on. */
export interface MenuPoint {
  readonly x: number;
  readonly y: number;
}

/** Where to open the menu for a `contextmenu` event, which the keyboard raises too (without a position of its own). */
export function menuPoint(event: MouseEvent, element: Element): MenuPoint {
  if (event.clientX !== 0 || event.clientY !== 0) return { x: event.clientX, y: event.clientY };
  return belowElement(element);
}

/** The point at the bottom start of an element. */
export function belowElement(element: Element): MenuPoint {
  const box = element.getBoundingClientRect();
  return { x: box.left + 16, y: Math.min(box.bottom, window.innerHeight) - 8 };
}
