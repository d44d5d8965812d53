import { existsSync, readFileSync } from "node:fs";

import { findChromium } from "./browser.ts";
import { inModules, inRepository } from "./paths.ts";
import { run, runNode } from "./run.ts";

/** What the packages are wanted for. */
export type Purpose = "run" | "test";

/**
 * Installs the Debian packages that are missing; does nothing on other systems.
 * @param purpose - "test" includes what "run" needs.
 * @returns undefined when all is there; else what the person has to do, in words with the command.
 */
export async function ensurePackages(purpose: Purpose): Promise<string | undefined> {
  if (!existsSync("/usr/bin/dpkg-query")) {
    return purpose === "test" && findChromium() === undefined ? chromiumByHand : undefined;
  }
  const missing: string[] = [];
  for (const name of wantedPackages(purpose)) {
    if (!(await isInstalled(name))) missing.push(name);
  }
  if (missing.length > 0) {
    const problem = await install(missing);
    if (problem !== undefined) return problem;
  }
  return purpose === "test" ? ensureChromium() : undefined;
}

/** Names from build/debian-packages.txt, without a browser where one is there or Debian's is not to be had. */
function wantedPackages(purpose: Purpose): readonly string[] {
  const browserIsSettled = findChromium() !== undefined || isUbuntu();
  return readFileSync(inRepository("build/debian-packages.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/u) as [string, Purpose])
    .filter(([, use]) => use === "run" || purpose === "test")
    .map(([name]) => name)
    .filter((name) => name !== "chromium" || !browserIsSettled);
}

async function isInstalled(name: string): Promise<boolean> {
  const query = ["/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Status}", name];
  return (await run(query, { quiet: true })).output === "installed";
}

async function install(names: readonly string[]): Promise<string | undefined> {
  const apt = await aptPrefix();
  const byHand = `sudo apt-get update && sudo apt-get install --no-install-recommends ${names.join(" ")}`;
  if (apt === undefined) {
    return `These Debian packages are missing, and installing them needs your password. Run:\n  ${byHand}`;
  }
  console.log(`Installing Debian packages: ${names.join(" ")}`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await run([...apt, "apt-get", "update", "-qq"], { environment });
  const command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names];
  const { exitCode } = await run([...apt, ...command], { environment });
  return exitCode === 0
    ? undefined
    : `Installing Debian packages failed (see above). Try it by hand:\n  ${byHand}`;
}

/** What to put before apt-get: nothing for root, sudo where it asks for no password, undefined where neither is so. */
async function aptPrefix(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (!existsSync("/usr/bin/sudo")) return undefined;
  const { exitCode } = await run(["/usr/bin/sudo", "-n", "true"], { quiet: true });
  return exitCode === 0 ? ["/usr/bin/sudo", "-n"] : undefined;
}

const chromiumByHand =
  "The end-to-end tests need Chromium or Chrome. Install one (`npx playwright install chromium` brings Playwright's own), or name " +
  "yours with SOTTO_CHROMIUM=/path/to/it.";

/** Ubuntu's chromium is a snap, which Playwright can't drive: there Playwright's own build is taken. */
async function ensureChromium(): Promise<string | undefined> {
  if (findChromium() !== undefined) return undefined;
  const withDependencies = (await aptPrefix()) === undefined ? [] : ["--with-deps"];
  const cli = inModules("playwright/cli.js");
  const { exitCode } = await runNode([cli, "install", ...withDependencies, "chromium"]);
  return exitCode === 0 && findChromium() !== undefined ? undefined : chromiumByHand;
}

function isUbuntu(): boolean {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID=ubuntu$/mu.test(readFileSync("/etc/os-release", "utf8"));
}
