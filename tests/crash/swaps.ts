import { AppError, equalBytes, type CryptoWorker } from "#protocol";
import { createVault, openVault, type Vault } from "../../electron/vault/index.ts";
import { optionsFor, vaultDirectory } from "../support/vault-disk/image-check.ts";
import { emptyDisk, type DiskImage } from "../support/vault-disk/operations.ts";
import { createRecordingDisk } from "../support/vault-disk/recording-disk.ts";
import { itemsOf, put } from "../support/vault-fixture.ts";

/** A vault at some time of its life, in its three files. */
interface Source {
  readonly name: string;
  readonly keyring: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly log: Uint8Array;
  /** What it held when its snapshot was written, and after each transaction since. */
  readonly states: readonly (readonly string[])[];
}

/** What came of putting files of different times and vaults together. */
export interface SwapResult {
  /** Vaults that were put together. */
  readonly mixtures: number;
  /** Of them, how many showed something, read-only. */
  readonly shown: number;
}

const generation = 3;

/**
 * Puts every keyring, snapshot and log of several times and vaults together, with the keychain of each of these times, and opens what comes of
 * it: it is refused, or shows a beginning of what one of them held, and says that it is damaged.
 *
 * @throws Error for a mixture that passes for a vault
 */
export async function swapFiles(worker: CryptoWorker): Promise<SwapResult> {
  const { sources, entries } = await createSources(worker);
  const all = sources.flatMap((keyring) =>
    sources.flatMap((snapshot) => sources.map((log) => ({ keyring, snapshot, log }))),
  );
  const mixtures = all.filter(
    ({ keyring, snapshot, log }) => keyring !== snapshot || snapshot !== log,
  );
  let shown = 0;
  for (const mixture of mixtures) {
    for (const keys of entries) {
      const found = await lookAt(imageOf(mixture, keys), worker);
      if (found === null) continue;
      shown += 1;
      checkFound(found, mixture, sources);
    }
  }
  return { mixtures: mixtures.length, shown };
}

/** Whose files these are. */
interface Mixture {
  readonly keyring: Source;
  readonly snapshot: Source;
  readonly log: Source;
}

function imageOf(
  { keyring, snapshot, log }: Mixture,
  entries: ReadonlyMap<string, Uint8Array>,
): DiskImage {
  const files = new Map([
    [pathOf("keyring"), keyring.keyring],
    [pathOf(`snapshot.${generation}`), snapshot.snapshot],
    [pathOf(`log.${generation}`), log.log],
  ]);
  return { ...emptyDisk(vaultDirectory), files, entries };
}

function checkFound(
  found: { readonly readOnly: string | null; readonly items: readonly string[] },
  { keyring, snapshot, log }: Mixture,
  sources: readonly Source[],
): void {
  const what = `keyring ${keyring.name}, snapshot ${snapshot.name}, log ${log.name}`;
  // A keyring and its keychain from before a compaction have the key of the generation that it makes: as when power fails in between.
  const isPair = snapshot === log;
  if (found.readOnly === null && !isPair) throw new Error(`${what}: passes for a vault`);
  const isOfOne = sources.some(({ states }) =>
    states.some((state) => state.join() === found.items.join()),
  );
  if (!isOfOne) throw new Error(`${what}: shows ${found.items.join()}`);
}

async function lookAt(image: DiskImage, worker: CryptoWorker) {
  const disk = createRecordingDisk<never>(image);
  let vault: Vault;
  try {
    vault = await openVault(optionsFor(disk, worker));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
  const found = { readOnly: vault.readOnly, items: [...itemsOf(vault).keys()] };
  await vault.close();
  for (const [path, bytes] of image.files) {
    const isKept = equalBytes(disk.image().files.get(path) ?? new Uint8Array(), bytes);
    if (found.readOnly !== null && !isKept) throw new Error(`${path} was changed`);
  }
  return found;
}

/** One vault at three generations, the third in two lives that part ways; and another vault. */
async function createSources(worker: CryptoWorker) {
  const sources: Source[] = [];
  const entries: ReadonlyMap<string, Uint8Array>[] = [];
  const write = async (vault: Vault, names: readonly string[]) => {
    for (const name of names) await vault.transact([put(name, name)]);
  };
  /** Lives from an image to the end of the next generation. */
  const live = async (start: DiskImage | null, name: string, at: number): Promise<DiskImage> => {
    const disk = createRecordingDisk<never>(start ?? emptyDisk(parentOfVault));
    const options = optionsFor(disk, worker);
    const vault = start === null ? await createVault(options) : await openVault(options);
    if (start !== null) {
      await write(vault, [`${name} before`]);
      await vault.compact();
    }
    const states = [[...itemsOf(vault).keys()]];
    for (const suffix of ["one", "two"]) {
      await write(vault, [`${name} ${suffix}`]);
      states.push([...itemsOf(vault).keys()]);
    }
    await vault.close();
    const image = disk.image();
    const file = (fileName: string) => image.files.get(pathOf(fileName)) ?? new Uint8Array();
    sources.push({
      name,
      keyring: file("keyring"),
      snapshot: file(`snapshot.${at}`),
      log: file(`log.${at}`),
      states,
    });
    entries.push(image.entries);
    return image;
  };
  const first = await live(null, "a1", 1);
  const second = await live(first, "a2", 2);
  await live(second, "a3", 3);
  await live(second, "fork3", 3);
  const other = await live(await live(null, "b1", 1), "b2", 2);
  await live(other, "b3", 3);
  return { sources, entries };
}

function pathOf(name: string): string {
  return `${vaultDirectory}/${name}`;
}

const parentOfVault = vaultDirectory.slice(0, vaultDirectory.lastIndexOf("/"));
