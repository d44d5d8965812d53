import type { UserId, DeviceId } from "#protocol";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Random } from "../primitives.ts";
import type { RelayStorage } from "../storage/port.ts";
import type { Slot } from "../storage/slot.ts";
import type { Reader, Transaction } from "../storage/transaction.ts";
import type { Units } from "../storage/units.ts";
import { dueSlot, type Due } from "./layout.ts";

/** What every part of the relay works with. */
export interface RelayContext {
  readonly storage: RelayStorage;
  readonly units: Units;
  /** Reads what is stored now. */
  readonly reader: Reader;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Something is due at `atMs`: the sweeper must not sleep longer. */
  readonly wakeAt: (atMs: number) => void;
}

/** A signed-in device. */
export interface DeviceCaller {
  readonly deviceId: DeviceId;
  readonly userId: UserId;
}

/** A connection before sign-in. */
export interface VisitorCaller {
  /** What its `hello` asked it to sign. */
  readonly challenge: Uint8Array;
  /**
   * Makes the connection that device's: from the return on it gets the device's events.
   *
   * @param check - asked once nothing that is said of the device can be missed any more; where it throws, nobody is signed in
   */
  readonly signIn: (device: DeviceCaller, check: () => Promise<void>) => Promise<void>;
}

/** Whoever calls, signed in or not. */
export type AnyCaller = DeviceCaller | VisitorCaller;

/** The result of a request that gives none. */
export type Done = Readonly<Record<never, never>>;

/** Work that shares one of these scopes is done in order. */
export const directoryScope = "directory";
export const keyPackageScope = "key-packages";
export const rendezvousScope = "rendezvous";
export const groupScope = (conversationId: string): string => `group.${conversationId}`;
export const inboxScope = (deviceId: string): string => `inbox.${deviceId}`;

/** What announcements are about. */
export const directoryTopic = "directory";
export const groupTopic = (conversationId: string): string => `group.${conversationId}`;
export const deviceTopic = (deviceId: string): string => `device.${deviceId}`;

/** How long the relay remembers what it answered, for clients that come back and ask again: 30 days. */
export const answerRetentionMs = 30 * 24 * 3_600_000;

/**
 * Lets something be done at a time.
 *
 * @param subject - what it is about: tokens joined by dots
 */
export function schedule(
  context: RelayContext,
  transaction: Transaction,
  job: { readonly atMs: number; readonly subject: string; readonly due: Due },
): void {
  transaction.store(dueSlot(job.atMs, job.subject), job.due);
  transaction.afterCommit(() => {
    context.wakeAt(job.atMs);
  });
}

/** Stores a note that is forgotten after `retentionMs`. */
export function storeNote<Value>(
  context: RelayContext,
  transaction: Transaction,
  note: {
    readonly slot: Slot<Value>;
    readonly value: NoInfer<Value>;
    readonly retentionMs: number;
  },
): void {
  const { slot, value, retentionMs } = note;
  transaction.store(slot, value);
  schedule(context, transaction, {
    atMs: context.clock.nowMs() + retentionMs,
    subject: `note.${slot.key}`,
    due: { kind: "note", key: slot.key },
  });
}
