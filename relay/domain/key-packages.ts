import {
  AppError,
  encodeFrame,
  suiteCodes,
  type DeviceId,
  type ParsedRelayParams,
  type RelayResult,
  type SuiteName,
} from "#protocol";
import type { Reader, Transaction } from "../storage/transaction.ts";
import { standingsOf } from "./accounts.ts";
import {
  deviceTopic,
  keyPackageScope,
  storeNote,
  type DeviceCaller,
  type RelayContext,
} from "./context.ts";
import {
  keyPackageQueueSlot,
  keyPackageSeenSlot,
  keyPackageSlot,
  type KeyPackageQueue,
} from "./layout.ts";
import { maxStoredPartBytes } from "./pages.ts";

/** Below this many the device is asked for more. Source: mls.md, rule 5. */
const lowMark = 50;
/** What one device can have here; beyond, the oldest go. */
const maxStored = 1000;
/** Longer than a key package lives: until then the same one is not taken twice. */
const seenRetentionMs = 400 * 24 * 3_600_000;

const emptyQueue: KeyPackageQueue = { first: 0, next: 0, lastResort: null };
const countOf = ({ first, next }: KeyPackageQueue): number => next - first;

/** How many one-time key packages a device has left. */
export async function keyPackagesLeft(reader: Reader, deviceId: DeviceId): Promise<number> {
  return countOf((await reader.load(keyPackageQueueSlot(deviceId))) ?? emptyQueue);
}

/** Takes new key packages of a device. One that was published before, handed out or not, is left out. */
export function publishKeyPackages(
  context: RelayContext,
  { keyPackages, lastResort, replace = false }: ParsedRelayParams<"keyPackages.publish">,
  { deviceId }: DeviceCaller,
): Promise<RelayResult<"keyPackages.publish">> {
  return context.units.run(keyPackageScope, async (transaction) => {
    const slot = keyPackageQueueSlot(deviceId);
    const queue = (await transaction.load(slot)) ?? emptyQueue;
    let { first, next } = queue;
    for (; replace && first < next; first += 1) transaction.remove(keyPackageSlot(deviceId, first));
    for (const bytes of keyPackages) {
      const seen = keyPackageSeenSlot(deviceId, bytes);
      if ((await transaction.load(seen)) !== undefined) continue;
      storeNote(context, transaction, {
        slot: seen,
        value: new Uint8Array(),
        retentionMs: seenRetentionMs,
      });
      transaction.store(keyPackageSlot(deviceId, next), bytes);
      next += 1;
    }
    for (; next - first > maxStored; first += 1) {
      transaction.remove(keyPackageSlot(deviceId, first));
    }
    const updated = { first, next, lastResort: lastResort ?? queue.lastResort };
    transaction.store(slot, updated);
    return { keyPackagesLeft: countOf(updated) };
  });
}

/** Takes one key package of each device. All claims share one scope, so each package goes out once. */
export function claimKeyPackages(
  context: RelayContext,
  { devices, suite, whole = false }: ParsedRelayParams<"keyPackages.claim">,
): Promise<RelayResult<"keyPackages.claim">> {
  return context.units.run(keyPackageScope, async (transaction) => {
    const standings = await standingsOf(transaction, devices);
    if (standings.includes(null)) {
      throw new AppError("not-found", { data: { what: "device" } });
    }
    const lacking: DeviceId[] = [];
    for (const [index, deviceId] of devices.entries()) {
      // A device that may not be added has none.
      const excluded = standings[index]?.refusal !== null;
      if (excluded || (await nextOf(transaction, deviceId, suite)) === null) lacking.push(deviceId);
    }
    if (whole && lacking.length > 0) return { keyPackages: devices.map(() => null), lacking };
    const keyPackages = [];
    let sizeBytes = 0;
    for (const deviceId of devices) {
      const none = lacking.includes(deviceId);
      const taken = none ? null : await takeOne(context, transaction, { deviceId, suite });
      keyPackages.push(taken);
      sizeBytes += (taken?.bytes.length ?? 0) + 64;
      // Thrown before anything is written: no package is lost in an answer that can't be sent.
      if (sizeBytes > maxStoredPartBytes) {
        throw new AppError("frame-too-large", {
          data: { sizeBytes, maxBytes: maxStoredPartBytes },
        });
      }
    }
    return { keyPackages, lacking };
  });
}

/** The key package that a device would give next. A device has such of one suite: the oldest one tells which. */
async function nextOf(transaction: Transaction, deviceId: DeviceId, suite: SuiteName | undefined) {
  const queue = (await transaction.load(keyPackageQueueSlot(deviceId))) ?? emptyQueue;
  const place = keyPackageSlot(deviceId, queue.first);
  const lastResort = countOf(queue) === 0;
  const bytes = lastResort ? queue.lastResort : await transaction.load(place);
  if (bytes === undefined) {
    throw new AppError("relay-storage-failed", { data: { reason: "key-package-missing" } });
  }
  return bytes === null || !isOfSuite(bytes, suite) ? null : { queue, place, bytes, lastResort };
}

async function takeOne(
  context: RelayContext,
  transaction: Transaction,
  { deviceId, suite }: { readonly deviceId: DeviceId; readonly suite: SuiteName | undefined },
) {
  const next = await nextOf(transaction, deviceId, suite);
  if (next === null) return null;
  const { queue, place, bytes, lastResort } = next;
  if (lastResort) return { bytes, lastResort };
  const updated = { ...queue, first: queue.first + 1 };
  transaction.remove(place);
  transaction.store(keyPackageQueueSlot(deviceId), updated);
  const left = countOf(updated);
  if (left < lowMark) {
    const body = { keyPackagesLeft: left };
    const frame = encodeFrame({ kind: "event", name: "keyPackages.low", body });
    transaction.afterCommit(() => {
      context.storage.announce(deviceTopic(deviceId), { frame, join: null, leave: [] });
    });
  }
  return { bytes, lastResort };
}

/**
 * The suite that a key package names. All that is looked at are the heads of MLSMessage (version, wire format) and KeyPackage (version, cipher
 * suite), two bytes each: whether it is one, who uses it finds out. Source: RFC 9420 §6, §10.
 */
function isOfSuite(bytes: Uint8Array, suite: SuiteName | undefined): boolean {
  if (suite === undefined) return true;
  const code = suiteCodes[suite];
  return bytes[6] === code >> 8 && bytes[7] === (code & 0xff);
}
