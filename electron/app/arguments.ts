import { AppError } from "#protocol";
import { findLink } from "./links.ts";
import { defaultProfile, isProfileName } from "./profile.ts";

/** What Sotto was started with. */
export interface StartArguments {
  readonly profile: string;
  /** A `sotto://` link, as the operating system hands it over when one is opened. */
  readonly link: string | null;
  /** Preview only: the TCP port to listen on; 0 takes a free one. */
  readonly port: number;
}

/**
 * Reads a command line. Unknown words are left alone: Chromium and the operating system add their own.
 *
 * @param argv - the arguments after the program's (and script's) name
 * @throws AppError `profile-name-invalid` or `argument-invalid`
 */
export function parseArguments(argv: readonly string[]): StartArguments {
  // What stands after `--` was put there by the operating system (a link that somebody made): no option is read from it.
  const end = argv.indexOf("--");
  const options = end < 0 ? argv : argv.slice(0, end);
  const profile = optionOf(options, "profile") ?? defaultProfile;
  if (!isProfileName(profile)) throw new AppError("profile-name-invalid");
  const portText = optionOf(options, "port") ?? "0";
  const port = /^\d{1,5}$/u.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65_535)) throw new AppError("argument-invalid", { data: { option: "--port" } });
  return { profile, link: findLink(argv), port };
}

/** The value of `--name value` or `--name=value`; "" when the value is missing, the last one when it is given twice. */
function optionOf(argv: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  argv.forEach((word, index) => {
    if (word === `--${name}`) value = argv[index + 1] ?? "";
    if (word.startsWith(`--${name}=`)) value = word.slice(name.length + 3);
  });
  return value;
}
