import { join } from "node:path";
import { AppError } from "#protocol";

/** What decides where data lies: taken from `process` by an entry, written down by a test. */
export interface Machine {
  readonly platform: "darwin" | "win32" | "linux";
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The person's home directory. */
  readonly home: string;
}

/** The directories of one profile. Everything a profile ever writes lies below `root`. */
export interface ProfilePaths {
  readonly name: string;
  readonly root: string;
  readonly vault: string;
  /** The embedded relay's store, when this profile hosts a network. */
  readonly relay: string;
  /** Chromium's own files: caches and the single-instance lock. No message ever goes there. */
  readonly browser: string;
}

/** The profile that is used when none is named. */
export const defaultProfile = "default";

const profilePattern = /^[a-z0-9][a-z0-9_-]{0,31}$/u;
/** Names that Windows gives to devices; a folder called so can't be made there. */
const deviceNames = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/u;

/** Lower-case letters, digits, `-` and `_`, at most 32, so that a name is a folder of its own on every file system. */
export function isProfileName(text: string): boolean {
  return profilePattern.test(text) && !deviceNames.test(text);
}

/**
 * Where all profiles of this person on this computer lie: `SOTTO_DATA_DIR`, or the platform's place for data that stays on the machine.
 * Windows: the local folder, never the roaming one, because a vault that is copied between machines would repeat MLS generations.
 *
 * Source: XDG Base Directory Specification 0.8 ("relative paths are invalid and ignored"); Apple File System Programming Guide.
 */
export function dataDirectory(machine: Machine): string {
  const override = machine.env["SOTTO_DATA_DIR"];
  if (override !== undefined && override !== "") return override;
  switch (machine.platform) {
    case "darwin":
      return join(machine.home, "Library", "Application Support", "Sotto");
    case "win32":
      return join(machine.env["LOCALAPPDATA"] ?? join(machine.home, "AppData", "Local"), "Sotto");
    case "linux": {
      const xdg = machine.env["XDG_DATA_HOME"];
      return xdg?.startsWith("/") === true
        ? join(xdg, "sotto")
        : join(machine.home, ".local", "share", "sotto");
    }
  }
}

/**
 * The directories of a profile; makes none of them.
 *
 * @throws AppError `profile-name-invalid`
 */
export function profilePaths(machine: Machine, name: string): ProfilePaths {
  if (!isProfileName(name)) throw new AppError("profile-name-invalid");
  const root = join(dataDirectory(machine), "profiles", name);
  return {
    name,
    root,
    vault: join(root, "vault"),
    relay: join(root, "relay"),
    browser: join(root, "browser"),
  };
}
