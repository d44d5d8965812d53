import { readFileSync, renameSync, writeFileSync } from "node:fs";
import * as v from "valibot";

/** A rectangle on the desktop, in device-independent pixels. */
export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is remembered of the window between two starts. No content: it lies in clear. */
export interface WindowState {
  /** null: where the system likes. */
  readonly bounds: Bounds | null;
  readonly isMaximized: boolean;
  /** The colours of the last run, so that the next one doesn't begin with a flash. */
  readonly theme: "system" | "light" | "dark" | "high-contrast";
}

/** Narrower or lower than this nothing can be read, pixels. */
export const smallestWindow = { width: 400, height: 480 } as const;
/** A window of a first start, pixels. */
export const firstWindow = { width: 1180, height: 780 } as const;

const firstState: WindowState = { bounds: null, isMaximized: false, theme: "system" };

const coordinate = v.pipe(v.number(), v.safeInteger(), v.minValue(-100_000), v.maxValue(100_000));
const stateSchema: v.GenericSchema<unknown, WindowState> = v.object({
  bounds: v.nullable(
    v.object({ x: coordinate, y: coordinate, width: coordinate, height: coordinate }),
  ),
  isMaximized: v.boolean(),
  theme: v.picklist(["system", "light", "dark", "high-contrast"]),
});

/** Reads what was remembered; a file that is missing or broken is as good as none. */
export function readWindowState(path: string): WindowState {
  try {
    return v.parse(stateSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return firstState;
  }
}

/** Remembers; a disk that doesn't take it costs a window's place and nothing else. */
export function writeWindowState(path: string, state: WindowState): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // See above.
  }
}

/** How much of a window must lie on a screen to be grabbed there, pixels. */
const graspPx = 80;

/**
 * The remembered bounds, if a person could still reach the window there: screens come and go between two starts.
 *
 * @param screens - the work areas of all screens
 */
export function reachableBounds(bounds: Bounds | null, screens: readonly Bounds[]): Bounds | null {
  if (bounds === null) return null;
  const sized = {
    ...bounds,
    width: Math.max(bounds.width, smallestWindow.width),
    height: Math.max(bounds.height, smallestWindow.height),
  };
  const isReachable = screens.some((screen) => {
    const left = Math.max(sized.x, screen.x);
    const right = Math.min(sized.x + sized.width, screen.x + screen.width);
    // The title bar must be on it: that is what the mouse takes hold of.
    const isTitleThere = sized.y >= screen.y && sized.y < screen.y + screen.height - graspPx;
    return right - left >= graspPx && isTitleThere;
  });
  return isReachable ? sized : null;
}
