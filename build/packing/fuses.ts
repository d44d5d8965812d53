import { join } from "node:path";

import { flipFuses, FuseV1Options, FuseVersion } from "@electron/fuses";
import type { AfterPackContext } from "electron-builder";

/**
 * All nine fuses of Electron 45, each with its reason. electron-builder 26 knows eight of them, so we set them ourselves; a tenth in a
 * later Electron fails the packing until it stands here.
 */
export const fuses = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  /** Nobody turns our signed binary into a plain Node. */
  [FuseV1Options.RunAsNode]: false,
  /** We set no cookies; should Chromium, then sealed by the OS. */
  [FuseV1Options.EnableCookieEncryption]: true,
  /** NODE_OPTIONS would load foreign code into the process that holds the vault. */
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  /** --inspect would let any local program read the process that holds the vault. */
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  /** A changed app.asar does not start (macOS and Windows). */
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  /** Without this one the check above could be walked around with a folder named app. */
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  /** We make no snapshot of our own. */
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  /** The page comes from sotto-app:, never from file:. */
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  /** libsodium and SQLite are WebAssembly: memory bounds checked by the processor instead of by code. */
  [FuseV1Options.WasmTrapHandlers]: true,
} as const;

/** Where electron-builder has put the executable of the app it is packing. */
function executablePath({ appOutDir, packager, electronPlatformName }: AfterPackContext): string {
  const { productFilename } = packager.appInfo;
  if (electronPlatformName === "darwin") return join(appOutDir, `${productFilename}.app`);
  if (electronPlatformName === "win32") return join(appOutDir, `${productFilename}.exe`);
  return join(appOutDir, executableName);
}

/** The program's name on Linux. */
export const executableName = "sotto";

/** electron-builder's hook between packing and signing: sets the fuses. @throws Error when the binary has other fuses than these. */
export async function setFuses(context: AfterPackContext): Promise<void> {
  await flipFuses(executablePath(context), fuses);
}
