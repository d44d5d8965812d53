import { basename } from "node:path";
import { nodeFiles, type VaultFile, type VaultFiles } from "../../electron/vault/index.ts";

/** One call of the file-system port. */
export interface FileCall {
  readonly operation:
    | "list"
    | "makeDirectory"
    | "read"
    | "open"
    | "rename"
    | "remove"
    | "syncDirectory"
    | "sizeBytes"
    | "write"
    | "sync"
    | "truncate"
    | "close";
  /** The file's or directory's name; of a rename the new one. */
  readonly name: string;
}

/** How a call fails: a code of Node; `done` says that it was carried out all the same, `half` that a write got halfway. */
export interface FileFault {
  readonly code: string;
  readonly effect?: "none" | "half" | "done";
}

/** The disk, with faults; and a record of what was asked of it. */
export interface FaultyFiles extends VaultFiles {
  readonly calls: readonly FileCall[];
  /** Asked before each call; null: it goes well. */
  decide: (call: FileCall, count: number) => FileFault | null;
  /** Waits for this before each sync, so that a test can look in between. */
  beforeSync: () => Promise<void>;
}

/**
 * @param under - what carries out what goes well
 * @param failedSync - is told the name of each file whose sync failed
 */
export function createFaultyFiles(
  under: VaultFiles = nodeFiles,
  failedSync: (name: string) => void = () => undefined,
): FaultyFiles {
  const calls: FileCall[] = [];

  async function run<Result>(
    call: FileCall,
    work: () => Promise<Result>,
    half?: () => Promise<void>,
  ) {
    calls.push(call);
    const fault = files.decide(call, calls.length);
    if (fault === null) return work();
    if (fault.effect === "done") await work();
    if (fault.effect === "half") await half?.();
    throw Object.assign(new Error(`${fault.code}: on purpose`), { code: fault.code });
  }

  const wrap = (file: VaultFile, name: string): VaultFile => {
    const faulty: VaultFile = {
      sizeBytes: () => run({ operation: "sizeBytes", name }, () => file.sizeBytes()),
      read: (target, position) =>
        run({ operation: "read", name }, () => file.read(target, position)),
      write: (bytes, position) =>
        run(
          { operation: "write", name },
          () => file.write(bytes, position),
          () => file.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), position),
        ),
      // Two steps, each with its own faults, however the disk does it.
      writeDurably: async (bytes, position) => {
        await faulty.write(bytes, position);
        await faulty.sync();
      },
      sync: async () => {
        await files.beforeSync();
        await run({ operation: "sync", name }, () => file.sync()).catch((error: unknown) => {
          failedSync(name);
          throw error;
        });
      },
      truncate: (size) => run({ operation: "truncate", name }, () => file.truncate(size)),
      // A descriptor is given back whatever the system says.
      close: () => run({ operation: "close", name }, () => file.close(), undefined),
    };
    return faulty;
  };

  const files: FaultyFiles = {
    calls,
    decide: () => null,
    beforeSync: () => Promise.resolve(),
    list: (directory) =>
      run({ operation: "list", name: basename(directory) }, () => under.list(directory)),
    makeDirectory: (directory) =>
      run({ operation: "makeDirectory", name: basename(directory) }, () =>
        under.makeDirectory(directory),
      ),
    read: (path) => run({ operation: "read", name: basename(path) }, () => under.read(path)),
    open: async (path, mode) => {
      const name = basename(path);
      return wrap(await run({ operation: "open", name }, () => under.open(path, mode)), name);
    },
    rename: (from, to) =>
      run({ operation: "rename", name: basename(to) }, () => under.rename(from, to)),
    remove: (path) => run({ operation: "remove", name: basename(path) }, () => under.remove(path)),
    syncDirectory: (directory) =>
      run({ operation: "syncDirectory", name: basename(directory) }, () =>
        under.syncDirectory(directory),
      ),
  };
  return files;
}
