import { spawn, spawnSync } from "node:child_process";

/** The command that opens an address in the person's browser, or undefined where there is no screen or no browser. */
function opener(address: string): readonly string[] | undefined {
  if (process.platform === "darwin") return ["open", address];
  if (process.platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", address];
  if (!hasScreen()) return undefined;
  const commands = ["xdg-open", "chromium", "google-chrome", "firefox"];
  const found = commands.find((name) => spawnSync("which", [name]).status === 0);
  return found === undefined ? undefined : [found, address];
}

/** Whether windows can be shown: always outside Linux, there with a display. */
export function hasScreen(): boolean {
  if (process.platform !== "linux") return true;
  const names = ["DISPLAY", "WAYLAND_DISPLAY"];
  return names.some((name) => (process.env[name] ?? "") !== "");
}

/**
 * Opens an address in the person's browser, if there is one.
 * @returns whether a browser was started.
 */
export function openAddress(address: string): boolean {
  const [program, ...rest] = opener(address) ?? [];
  if (program === undefined) return false;
  const child = spawn(program, rest, { detached: true, stdio: "ignore" });
  // The address stands in the terminal as well: a browser that doesn't start is no failure of the preview.
  child.once("error", () => undefined);
  child.unref();
  return true;
}
