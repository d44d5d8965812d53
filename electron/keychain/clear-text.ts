import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Whether a text lies readable in a file of the operating system's key store. */
export type ClearTextSearch = (text: string) => Promise<boolean>;

/** Of a keyring that holds a few hundred secrets; larger ones aren't looked into. */
const maxFileBytes = 16 * 1024 * 1024;

/**
 * Looks into the files of gnome-keyring: a keyring whose person has chosen an empty password is written in clear, which no call of the Secret
 * Service tells. Other systems and key stores have no such mode.
 *
 * @param directory - left out: where gnome-keyring keeps them for this user
 */
export function searchKeyringFiles(
  directory = join(process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "keyrings"),
): ClearTextSearch {
  return async (text) => {
    const names = await readdir(directory).catch(() => []);
    for (const name of names) {
      const path = join(directory, name);
      // A file that can't be read is not one of ours.
      const content = await readSmall(path).catch(() => null);
      if (content?.includes(text) === true) return true;
    }
    return false;
  };
}

async function readSmall(path: string): Promise<Buffer | null> {
  const facts = await stat(path);
  return facts.isFile() && facts.size <= maxFileBytes ? readFile(path) : null;
}
