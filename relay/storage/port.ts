import type { Brand, ConversationId, DeviceId, RelayCloseReason } from "#protocol";
import type { Disposer } from "../clock.ts";

/**
 * Name of a stored value: tokens of `A-Z a-z 0-9 _ -` joined by dots, so that it is a NATS subject too. At most 200 characters.
 * Keys sort by their characters.
 */
export type StorageKey = Brand<string, "StorageKey">;

/** A value with the mark of its last change: a value that was written anew has a larger one. */
export interface StoredValue {
  readonly bytes: Uint8Array;
  readonly revision: number;
}

/** A change that happens whole or not at all. */
export interface Change {
  /** Keys that must still have the revision given; null: must be absent. */
  readonly checks: readonly { readonly key: StorageKey; readonly revision: number | null }[];
  /** Values to be set, and keys (null) to be removed. */
  readonly writes: readonly { readonly key: StorageKey; readonly value: Uint8Array | null }[];
}

/** Keys that begin with `prefix`, in order. */
export interface KeyRange {
  readonly prefix: StorageKey;
  /** Only keys behind this one; null for all. */
  readonly after: StorageKey | null;
  readonly limit: number;
}

/** News for whoever is connected, on any process of the relay. Best effort: a client that missed one reads. */
export interface Announcement {
  /** An encoded event frame, sent as it is; null when there is nothing to send. */
  readonly frame: Uint8Array | null;
  /** A conversation that the devices listening here listen to from now on. */
  readonly join: ConversationId | null;
  /** Devices that get this announcement and no further one of its topic. */
  readonly leave: readonly DeviceId[];
  /** Ends the connections that listen here. */
  readonly close?: RelayCloseReason;
}

/**
 * What the relay keeps things in. Every adapter passes tests/unit/relay/storage-conformance.ts.
 *
 * Every method but `announce` and `subscribe` fails with AppError `relay-storage-failed` when storage can't do its work; it is then
 * unknown whether a change happened, and the change may be offered again.
 */
export interface RelayStorage {
  /** The values of `keys`, in order, all from one moment; undefined where there is none. */
  read(keys: readonly StorageKey[]): Promise<readonly (StoredValue | undefined)[]>;
  list(
    range: KeyRange,
  ): Promise<readonly { readonly key: StorageKey; readonly bytes: Uint8Array }[]>;
  /** Resolves when the change is on stable storage, and visible; or when a check failed and nothing was changed. */
  commit(change: Change): Promise<"committed" | "conflict">;
  /** Tells all subscribers of `topic`, in the order of calls. */
  announce(topic: string, announcement: Announcement): void;
  subscribe(topic: string, listener: (announcement: Announcement) => void): Disposer;
  /** Finishes what was begun and lets go. */
  close(): Promise<void>;
}
