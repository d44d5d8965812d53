import {
  AppError,
  encodeFrame,
  maxPageEntries,
  type DirectoryEntry,
  type ParsedRelayParams,
  type RelayResult,
  type UserId,
} from "#protocol";
import type { StorageKey } from "../storage/port.ts";
import type { Reader, Transaction } from "../storage/transaction.ts";
import { directoryTopic, type RelayContext } from "./context.ts";
import {
  deviceSlot,
  directoryChanges,
  directoryChangeSlot,
  directoryVersionSlot,
  userSlot,
  type StoredUser,
} from "./layout.ts";
import { maxPageBytes } from "./pages.ts";

/** A person's row as it is to be; `version` is the one that it had, null when it is new. */
type ChangedUser = Omit<StoredUser, "version"> & {
  readonly userId: UserId;
  readonly version: number | null;
};

/** Stores a person's row at the directory's next version, and tells everybody. To be run in the directory's scope. */
export async function noteChange(
  context: RelayContext,
  transaction: Transaction,
  { userId, ...user }: ChangedUser,
): Promise<void> {
  const version = (await directoryVersion(transaction)) + 1;
  if (user.version !== null) transaction.remove(directoryChangeSlot(user.version));
  transaction.store(directoryVersionSlot, { version });
  transaction.store(directoryChangeSlot(version), { userId });
  transaction.store(userSlot(userId), { ...user, version });
  const frame = encodeFrame({ kind: "event", name: "directory.changed", body: { version } });
  transaction.afterCommit(() => {
    context.storage.announce(directoryTopic, { frame, join: null, leave: [] });
  });
}

/** The directory's version. */
export async function directoryVersion(reader: Reader): Promise<number> {
  return (await reader.load(directoryVersionSlot))?.version ?? 0;
}

/** People whose entry changed after a version, oldest change first, as many as fit a page. */
export async function listDirectory(
  { reader }: RelayContext,
  { afterVersion }: ParsedRelayParams<"directory.list">,
): Promise<RelayResult<"directory.list">> {
  // Before the entries: a change that comes in between is then above `version`, and is fetched next time.
  const version = await directoryVersion(reader);
  const keys = await reader.listKeys({
    prefix: directoryChanges,
    after: directoryChangeSlot(afterVersion).key,
    limit: maxPageEntries,
  });
  const entries: DirectoryEntry[] = [];
  let sizeBytes = 0;
  for (const key of keys) {
    const entry = await loadEntry(reader, key);
    // It changed once more since the keys were listed: it comes at its new version.
    if (entry === null) continue;
    const { user, devices, revocations, suspension } = entry;
    for (const record of [user, ...devices, ...revocations, suspension]) {
      sizeBytes += (record?.payload.length ?? 0) + 100;
    }
    if (entries.length > 0 && sizeBytes > maxPageBytes) break;
    entries.push(entry);
  }
  return { entries, version };
}

async function loadEntry(reader: Reader, changeKey: StorageKey): Promise<DirectoryEntry | null> {
  const at = Number(changeKey.slice(directoryChanges.length));
  const change = await reader.load(directoryChangeSlot(at));
  const row = change === undefined ? null : await loadRow(reader, change.userId);
  return row?.version === at ? row : null;
}

async function loadRow(reader: Reader, userId: UserId): Promise<DirectoryEntry | null> {
  const user = await reader.load(userSlot(userId));
  if (user === undefined) return null;
  const devices = await reader.loadAll(user.devices.map(deviceSlot));
  return {
    version: user.version,
    user: user.record,
    devices: devices.map((device) => {
      if (device === undefined) {
        throw new AppError("relay-storage-failed", { data: { reason: "device-missing" } });
      }
      return device.record;
    }),
    revocations: user.revocations.map(({ record }) => record),
    suspension: user.suspension?.record ?? null,
  };
}
