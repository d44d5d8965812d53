import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** An entry of an archive's directory, as Electron writes it. */
interface AsarEntry {
  readonly files?: Readonly<Record<string, AsarEntry>>;
  readonly size?: number;
  readonly offset?: string;
  readonly unpacked?: boolean;
}

/** A file of an archive. `bytes` is undefined for one that lies beside it, in `app.asar.unpacked`. */
export interface AsarFile {
  readonly path: string;
  readonly bytes: Buffer | undefined;
}

/** Reads an archive of Electron's format. @param path - the file, such as `resources/app.asar`. */
export function readAsar(path: string): readonly AsarFile[] {
  const archive = readFileSync(path);
  // Two nested pickles: the size of the directory's pickle, then the length of its JSON.
  const directoryBytes = archive.readUInt32LE(4);
  const json = archive.subarray(16, 16 + archive.readUInt32LE(12)).toString("utf8");
  const bodyStart = 8 + directoryBytes;
  const files: AsarFile[] = [];
  const visit = (entry: AsarEntry, at: string): void => {
    for (const [name, child] of Object.entries(entry.files ?? {})) visit(child, join(at, name));
    if (entry.size === undefined) return;
    const start = bodyStart + Number(entry.offset);
    const isInside = entry.unpacked !== true;
    const bytes = isInside ? archive.subarray(start, start + entry.size) : undefined;
    files.push({ path: at, bytes });
  };
  visit(JSON.parse(json) as AsarEntry, "");
  return files;
}

/** Writes an archive's files into a folder. Those beside the archive are taken from there. */
export function extractAsar(path: string, folder: string): void {
  for (const file of readAsar(path)) {
    const target = join(folder, file.path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.bytes ?? readFileSync(join(`${path}.unpacked`, file.path)));
  }
}
