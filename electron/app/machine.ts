import { homedir } from "node:os";
import { AppError } from "#protocol";
import type { Machine } from "./profile.ts";

/**
 * The machine that this process runs on.
 *
 * @throws AppError `internal` on a platform that Sotto isn't made for
 */
export function thisMachine(): Machine {
  const { platform, env } = process;
  if (platform !== "darwin" && platform !== "win32" && platform !== "linux") {
    throw new AppError("internal", { data: { platform } });
  }
  return { platform, env, home: homedir() };
}

/**
 * What this computer is called in the list of devices. Not its host name: that often is its owner's or an inventory number, and the list
 * is seen by the relay and everybody in the network.
 */
export function deviceNameOf(platform: Machine["platform"]): string {
  return { darwin: "Mac", win32: "Windows computer", linux: "Linux computer" }[platform];
}
