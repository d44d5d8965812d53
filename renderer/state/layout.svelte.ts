/** How many panes stand side by side. With one, a back button leads from pane to pane. */
export type PaneMode = "one" | "two" | "three";

const rootFontPx = 16;
/** 720 px at 100 % text. Larger text needs more room for the same content, so widths are counted in rem. */
const twoPanesRem = 45;
const threePanesRem = 64;
const minListRem = 15;
const maxListRem = 28;
const defaultListRem = 20;
const collapseBelowRem = 11;
export const collapsedListRem = 4.75;

const storageKey = "sotto.layout";

interface Remembered {
  readonly listRem: number;
  readonly collapsed: boolean;
  readonly detailsOpen: boolean;
}

/** Widths and visibility of the panes; remembered on this computer. */
export class Layout {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;
  #widthPx = $state(1280);
  #textScale = $state(1);
  #listRem = $state(defaultListRem);
  #collapsed = $state(false);
  #detailsOpen = $state(false);

  readonly mode: PaneMode = $derived.by(() => {
    const widthRem = this.#widthPx / (rootFontPx * this.#textScale);
    if (widthRem < twoPanesRem) return "one";
    return widthRem < threePanesRem ? "two" : "three";
  });

  /** @param storage - where the layout is remembered */
  constructor(storage: Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
    const remembered = readLayout(storage.getItem(storageKey));
    this.#listRem = remembered.listRem;
    this.#collapsed = remembered.collapsed;
    this.#detailsOpen = remembered.detailsOpen;
  }

  readonly minListRem = minListRem;
  readonly maxListRem = maxListRem;

  /** Width of the conversation list, rem. */
  get listRem(): number {
    return this.collapsed ? collapsedListRem : this.#listRem;
  }

  /** Whether the list shows avatars only. Never in one pane, where it has all the room. */
  get collapsed(): boolean {
    return this.#collapsed && this.mode !== "one";
  }

  get detailsOpen(): boolean {
    return this.#detailsOpen;
  }

  setWindow(widthPx: number, textScale: number): void {
    this.#widthPx = widthPx;
    this.#textScale = textScale;
  }

  /**
   * Follows a drag of the list's edge: far enough to the start, the list collapses to avatars.
   *
   * @param rem - where the edge was dragged to
   */
  dragList(rem: number): void {
    this.#collapsed = rem < collapseBelowRem;
    if (!this.#collapsed) this.#listRem = clampList(rem);
    this.#remember();
  }

  /** Moves the list's edge by the keyboard. */
  growList(byRem: number): void {
    if (this.#collapsed && byRem > 0) this.#collapsed = false;
    else if (this.#listRem + byRem < minListRem) this.#collapsed = true;
    else this.#listRem = clampList(this.#listRem + byRem);
    this.#remember();
  }

  toggleCollapsed(): void {
    this.#collapsed = !this.#collapsed;
    this.#remember();
  }

  showDetails(open: boolean): void {
    this.#detailsOpen = open;
    this.#remember();
  }

  #remember(): void {
    const remembered: Remembered = {
      listRem: this.#listRem,
      collapsed: this.#collapsed,
      detailsOpen: this.#detailsOpen,
    };
    this.#storage.setItem(storageKey, JSON.stringify(remembered));
  }
}

function clampList(rem: number): number {
  return Math.min(maxListRem, Math.max(minListRem, rem));
}

function readLayout(text: string | null): Remembered {
  const fallback: Remembered = { listRem: defaultListRem, collapsed: false, detailsOpen: false };
  if (text === null) return fallback;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return fallback;
    const { listRem, collapsed, detailsOpen } = value as Readonly<
      Partial<Record<keyof Remembered, unknown>>
    >;
    return {
      listRem: typeof listRem === "number" ? clampList(listRem) : fallback.listRem,
      collapsed: collapsed === true,
      detailsOpen: detailsOpen === true,
    };
  } catch {
    return fallback;
  }
}
