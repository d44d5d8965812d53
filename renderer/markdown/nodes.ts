/** A stretch of text inside a block. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "strong"; readonly children: readonly Inline[] }
  | { readonly kind: "emphasis"; readonly children: readonly Inline[] }
  | { readonly kind: "strike"; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  /** `href` has passed the allow-list. */
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] }
  /** A picture is never fetched: its description stands for it. */
  | { readonly kind: "image"; readonly alt: string }
  | { readonly kind: "break" };

/** An item of a list; `checked` is null unless it is a task. */
export interface ListItem {
  readonly checked: boolean | null;
  readonly blocks: readonly Block[];
}

/** A block of a message. */
export type Block =
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | {
      readonly kind: "list";
      /** The first number of an ordered list, null for bullets. */
      readonly start: number | null;
      readonly items: readonly ListItem[];
    }
  | {
      readonly kind: "table";
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: "rule" };
