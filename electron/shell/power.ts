import type { PowerMonitor } from "electron";

/** What the machine does that matters to a profile. Locking drops keys in a later issue; its places are here. */
export interface PowerListener {
  /** The machine sleeps, or its screen is locked. */
  readonly onAway: () => void;
  /** It is awake again: connections that died meanwhile are made anew at once. */
  readonly onBack: () => void;
}

/** Follows sleep and screen lock. */
export function watchPower(powerMonitor: Pick<PowerMonitor, "on">, listener: PowerListener): void {
  powerMonitor.on("suspend", listener.onAway);
  powerMonitor.on("lock-screen", listener.onAway);
  powerMonitor.on("resume", listener.onBack);
  powerMonitor.on("unlock-screen", listener.onBack);
}
