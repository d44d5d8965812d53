/** Whether the process behind the page answers. In Electron it always does: page and process end together. */
export type LinkState = "connecting" | "open" | "lost" | "refused";

/** Follows the connection between the page and its process. */
export interface RuntimeLink {
  readonly state: LinkState;
  /** @returns a disposer */
  readonly onChange: (listener: (state: LinkState) => void) => () => void;
}

/** A link that cannot break. */
export const steadyLink: RuntimeLink = { state: "open", onChange: () => () => undefined };
