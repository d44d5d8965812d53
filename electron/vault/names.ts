import type { BlobId } from "#protocol";

/** The files of a vault's directory, by name. */
export const keyringName = "keyring";
export const lockName = "lock";
/** Stands in the directory while a vault is being created, until its keyring is there. */
export const creatingName = "creating";
/** Stands in the directory from the moment its vault is to be destroyed until nothing of it is left. Names the accounts of its keychain entries. */
export const erasingName = "erasing";
/** What {@link erasingName} becomes when nothing is left but entries that the keychain would not delete: a new vault may be made beside it. */
export const erasedName = "erased";
/** Before the id of an encrypted attachment. */
const blobStem = "blob.";
export const temporarySuffix = ".new";

export function logName(generation: number): string {
  return `log.${generation}`;
}

export function snapshotName(generation: number): string {
  return `snapshot.${generation}`;
}

export function blobName(blobId: BlobId): string {
  return blobStem + blobId;
}

/** What lies in a vault's directory. */
export interface DirectoryContents {
  readonly hasKeyring: boolean;
  readonly isBeingCreated: boolean;
  readonly isBeingErased: boolean;
  /** Generations, ascending. */
  readonly logs: readonly number[];
  readonly snapshots: readonly number[];
  /** What a crash in mid-write left. */
  readonly temporary: readonly string[];
}

/** Sorts the names of a vault's directory; foreign ones are passed over. */
export function sortNames(names: readonly string[]): DirectoryContents {
  const generationsOf = (stem: string) =>
    names
      .map((name) => new RegExp(`^${stem}\\.([1-9]\\d{0,9})$`, "u").exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((left, right) => left - right);
  return {
    hasKeyring: names.includes(keyringName),
    isBeingCreated: names.includes(creatingName),
    isBeingErased: names.includes(erasingName),
    logs: generationsOf("log"),
    snapshots: generationsOf("snapshot"),
    temporary: names.filter((name) => /^(keyring|(log|snapshot)\.\d+)\.new$/u.test(name)),
  };
}
