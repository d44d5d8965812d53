import { AppError, equalBytes, fromBase64url, toBase64url } from "#protocol";
import type { Clock } from "../link/index.ts";
import { searchKeyringFiles, type ClearTextSearch } from "./clear-text.ts";
import { mapKeychainError } from "./keychain-errors.ts";
import type { Keychain } from "./keychain.ts";
import { createSingleFile } from "./single-file.ts";

/** What of the package `keytar` is used. `findCredentials` never: with a locked Secret Service it ends the process. */
export interface KeytarModule {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

/** What {@link createKeytarKeychain} needs. */
export interface KeytarKeychainOptions {
  readonly clock: Clock;
  /** Left out: this process's. */
  readonly platform?: NodeJS.Platform;
  /** Left out: the package `keytar`, loaded at first use, so that a machine without libsecret still starts the app. */
  readonly load?: () => Promise<KeytarModule>;
  /** Left out: `app.sotto.desktop`. */
  readonly service?: string;
  /** Longest wait for the operating system, milliseconds; left out: 15 s. */
  readonly timeoutMs?: number;
  /** Whether new keys may be given to a key store that keeps them in clear; left out: no. */
  readonly allowWeak?: boolean;
  /** Left out: what gnome-keyring has written, on Linux. */
  readonly searchClearText?: ClearTextSearch;
  /** The desktop, whose key store it is on Linux; left out: what the environment says. */
  readonly desktop?: string;
}

/** The operating system's keychain. */
export interface KeytarKeychain extends Keychain {
  readonly weak: boolean;
  /**
   * Whether a call into the operating system has still not come back. Such a call holds a thread that `process.exit()` waits for
   * for ever: whoever ends the process while this is true sends it SIGKILL, after the vault is closed.
   */
  readonly isHanging: boolean;
}

const defaultService = "app.sotto.desktop";
const defaultTimeoutMs = 15_000;
const keyBytes = 32;
// Each process has entries of its own: of two that write and delete the same one at once, gnome-keyring refuses either.
const lockProbeAccount = `lock-probe-${process.pid}`;
const clearProbeAccount = `clear-probe-${process.pid}`;
const clearProbe = "Sotto looks whether this is kept in clear";

const backends: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "macOS Keychain",
  linux: "Secret Service",
  win32: "Windows Credential Manager",
};

function backendOf(platform: NodeJS.Platform, desktop: string): string {
  const name = backends[platform] ?? platform;
  // GNOME, KDE and others each bring a Secret Service of their own, with other entries in it.
  return platform === "linux" && desktop !== "" ? `${name} (${desktop})` : name;
}

async function loadKeytar(): Promise<KeytarModule> {
  const { default: keytar } = await import("keytar");
  return keytar;
}

/**
 * The operating system's keychain through keytar. Values are stored as base64url.
 *
 * A call that gets no answer in time fails with `keychain-timeout` and its answer is ignored when it comes; until then no other call is
 * begun, because each that hangs holds one of the four threads that also write files.
 *
 * A key store that keeps values in clear (as gnome-keyring does under an empty password) gets no new key, unless that is allowed.
 */
export function createKeytarKeychain(options: KeytarKeychainOptions): KeytarKeychain {
  const { clock, platform = process.platform, load = loadKeytar } = options;
  const { service = defaultService, timeoutMs = defaultTimeoutMs } = options;
  const { allowWeak = false, desktop = process.env["XDG_CURRENT_DESKTOP"] ?? "" } = options;
  const isLinux = platform === "linux";
  const searchClearText =
    options.searchClearText ?? (isLinux ? searchKeyringFiles() : () => Promise.resolve(false));
  let isWeak: boolean | null = null;
  const singleFile = createSingleFile({ clock, timeoutMs });

  const call = <Result>(run: (keytar: KeytarModule) => Promise<Result>): Promise<Result> =>
    singleFile.run(async () => {
      try {
        return await run(await load());
      } catch (cause) {
        throw mapKeychainError(cause);
      }
    });

  const read = async (account: string): Promise<Uint8Array | null> => {
    const text = await call((keytar) => keytar.getPassword(service, account));
    if (text === null) return null;
    isWeak ??= await searchClearText(text);
    const value = fromBase64url(text);
    // Somebody else's value under our name: a key, but not ours.
    if (value?.length !== keyBytes) throw new AppError("vault-key-wrong");
    return value;
  };

  /** No secret is risked for it. */
  const probeClearText = async (): Promise<boolean> => {
    await call((keytar) => keytar.setPassword(service, clearProbeAccount, clearProbe));
    const isFound = await searchClearText(clearProbe);
    await call((keytar) => keytar.deletePassword(service, clearProbeAccount));
    return isFound;
  };

  /** @throws AppError `keychain-weak` */
  const refuseIfWeak = async (account: string): Promise<void> => {
    isWeak ??= await probeClearText();
    if (!isWeak || allowWeak) return;
    // The key that is there lies in clear already; were its successor refused, it would never go.
    const present = await call((keytar) => keytar.getPassword(service, account));
    if (present === null) throw new AppError("keychain-weak", { data: { backend } });
  };

  const backend = backendOf(platform, desktop);
  return {
    backend,
    get weak() {
      return isWeak === true;
    },
    get isHanging() {
      return singleFile.isBusy;
    },
    async get(account) {
      const value = await read(account);
      if (value === null && isLinux) {
        // A Secret Service that stays locked answers "no such entry". Only writing tells: "your key is gone" would be a lie.
        await call((keytar) => keytar.setPassword(service, lockProbeAccount, "unlocked"));
        await call((keytar) => keytar.deletePassword(service, lockProbeAccount));
      }
      return value;
    },
    async set(account, value) {
      if (value.length !== keyBytes) throw new AppError("argument-invalid");
      await refuseIfWeak(account);
      await call((keytar) => keytar.setPassword(service, account, toBase64url(value)));
      const back = await read(account);
      // Not in constant time: both values are ours, and nobody measures who doesn't already read our memory.
      const isSame = back !== null && equalBytes(back, value);
      back?.fill(0);
      if (!isSame) throw new AppError("keychain-denied", { data: { reason: "not read back" } });
    },
    async delete(account) {
      await call((keytar) => keytar.deletePassword(service, account));
    },
  };
}
