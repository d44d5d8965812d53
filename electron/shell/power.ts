import type { PowerMonitor } from "electron";

/** What the machine does that matters to a profile. */
export interface PowerListener {
  /** The machine goes to sleep, or its screen is locked: the vault may be to be locked as well. */
  readonly onAway: (reason: "os-lock" | "suspend") => void;
  /** It is awake again: connections that died meanwhile are made anew at once. */
  readonly onBack: () => void;
}

/** Follows sleep and screen lock. */
export function watchPower(powerMonitor: Pick<PowerMonitor, "on">, listener: PowerListener): void {
  powerMonitor.on("suspend", () => {
    listener.onAway("suspend");
  });
  powerMonitor.on("lock-screen", () => {
    listener.onAway("os-lock");
  });
  powerMonitor.on("resume", listener.onBack);
  powerMonitor.on("unlock-screen", listener.onBack);
}

/**
 * How long nobody has touched this computer, milliseconds.
 *
 * @returns null where the system doesn't tell, as under some compositors of Linux
 */
export function systemIdleMs(
  powerMonitor: Pick<PowerMonitor, "getSystemIdleState" | "getSystemIdleTime">,
): number | null {
  if (powerMonitor.getSystemIdleState(1) === "unknown") return null;
  return powerMonitor.getSystemIdleTime() * 1000;
}
