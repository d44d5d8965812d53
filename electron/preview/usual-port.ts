import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const fileName = "preview-port";
/** Below this, ports are the system's. */
const firstPort = 1024;

/** The port that a profile's preview had last time; 0 when there is none. */
export async function readUsualPort(profileDirectory: string): Promise<number> {
  const text = await readFile(join(profileDirectory, fileName), "utf8").catch(() => "");
  const port = /^\d{4,5}$/u.test(text) ? Number(text) : 0;
  return port >= firstPort && port <= 65_535 ? port : 0;
}

/** Remembers it; a disk that doesn't take it costs the widths of panes and nothing else. */
export async function writeUsualPort(profileDirectory: string, port: number): Promise<void> {
  await writeFile(join(profileDirectory, fileName), String(port), { mode: 0o600 }).catch(
    () => undefined,
  );
}
