import { spawnSync } from "node:child_process";
import type { Person } from "./person.ts";

/** By hand, as somebody does who tidies up their keychain. A process of its own: libsecret connects once per process. */
const forget = `
import keytar from "keytar";
const service = "app.sotto.desktop";
const prefix = process.argv[1];
const entries = await keytar.findCredentials(service);
const ours = entries.map(({ account }) => account).filter((account) => account.startsWith(prefix));
for (const account of ours) await keytar.deletePassword(service, account);
process.stdout.write(String(ours.length), () => process.exit(0));
`;

/** Deletes what a person's keychain holds of their Sotto. @returns how many entries there were */
export function forgetKeychainEntries({ options }: Person): number {
  const child = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", forget, `${options.profile}/`],
    { encoding: "utf8", env: { ...process.env, ...options.environment }, timeout: 20_000 },
  );
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}
