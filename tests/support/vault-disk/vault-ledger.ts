import type { BodyItem, KeySlotKind } from "#protocol";
import type { KeyDestruction, SqlValue, VaultUnlock } from "../../../electron/vault/index.ts";

/** A sealed body, as whoever kept a copy of the disk has it. */
export interface SealedBody {
  readonly item: BodyItem;
  readonly sealed: Uint8Array;
  readonly plain: string;
}

/** What a transaction of the tests does: puts values, and may bring the body of a message. */
export interface LedgerTransaction {
  readonly puts: ReadonlyMap<string, SqlValue>;
}

/** What a vault was asked, and what it has acknowledged. */
export type VaultMark =
  | { readonly kind: "creation"; readonly isDone: boolean }
  | { readonly kind: "transaction"; readonly transaction: LedgerTransaction }
  /** Of the transactions begun, so many in their order. */
  | { readonly kind: "acknowledged"; readonly count: number }
  /** The vault was opened with so many, and could be written. */
  | { readonly kind: "found"; readonly sequence: number }
  | { readonly kind: "body"; readonly body: SealedBody }
  | { readonly kind: "destruction"; readonly request: KeyDestruction; readonly isDone: boolean }
  | {
      readonly kind: "slot";
      readonly slot: KeySlotKind;
      readonly secrets: SlotSecrets;
    };

/** Each of these may be what opens a slot; null: there may be no slot; `unknown`: one that nobody was told. */
export type SlotSecrets = readonly (VaultUnlock | "unknown" | null)[];

/** What must be found when a vault is opened at some point of its life. */
export interface Expectation {
  creation: "none" | "begun" | "done";
  /** All that were begun, since the vault was created. */
  transactions: LedgerTransaction[];
  acknowledged: number;
  bodies: { readonly body: SealedBody; state: "kept" | "ending" | "ended" }[];
  slots: Map<KeySlotKind, SlotSecrets>;
  /** Buckets before this hour were dropped, or may have been. */
  droppedBefore: number;
}

/** Of a body's key. */
export type BodyState = Expectation["bodies"][number]["state"];

/** Before anything was done. */
export function nothingExpected(): Expectation {
  return {
    creation: "none",
    transactions: [],
    acknowledged: 0,
    bodies: [],
    slots: new Map(),
    droppedBefore: 0,
  };
}

/** Brings an expectation up to what has happened since. */
export function expectMark(expectation: Expectation, mark: VaultMark): void {
  switch (mark.kind) {
    case "creation":
      expectation.creation = mark.isDone ? "done" : "begun";
      return;
    case "transaction":
      expectation.transactions.push(mark.transaction);
      return;
    case "acknowledged":
      expectation.acknowledged += mark.count;
      return;
    case "found":
      if (mark.sequence < expectation.acknowledged) {
        throw new Error(`${mark.sequence} instead of ${expectation.acknowledged}`);
      }
      expectation.transactions.length = mark.sequence;
      expectation.acknowledged = mark.sequence;
      return;
    case "body":
      expectation.bodies.push({ body: mark.body, state: "kept" });
      return;
    case "destruction":
      expectation.droppedBefore = Math.max(
        expectation.droppedBefore,
        mark.request.hoursBefore ?? 0,
      );
      for (const entry of expectation.bodies) {
        if (!isMeant(mark.request, entry.body.item) || entry.state === "ended") continue;
        entry.state = mark.isDone ? "ended" : "ending";
      }
      return;
    case "slot":
      expectation.slots.set(mark.slot, mark.secrets);
  }
}

const hourMs = 3_600_000;

function isMeant({ leaves, hoursBefore }: KeyDestruction, { expiresAtMs, leaf }: BodyItem) {
  const hour = Math.floor(expiresAtMs / hourMs);
  return (
    (hoursBefore !== null && hour < hoursBefore) ||
    leaves.some((other) => other.hour === hour && other.leaf === leaf)
  );
}

/** What must be found from now on, when this was found. */
export function expectationAfter(
  { transactions, bodies, slots, droppedBefore }: Expectation,
  found: FoundVault,
): Expectation {
  if (found.kind === "none") return nothingExpected();
  return {
    creation: "done",
    transactions: transactions.slice(0, found.sequence),
    acknowledged: found.sequence,
    bodies: bodies.map(({ body }, index) => ({
      body,
      state: found.openBodies[index] === true ? "kept" : "ended",
    })),
    slots: new Map(slots),
    droppedBefore,
  };
}

/** How far a vault on a disk image has come. */
export type FoundVault =
  /** There is none, and none was promised. */
  | { readonly kind: "none" }
  | {
      readonly kind: "vault";
      readonly sequence: number;
      /** Which of the expected bodies can be opened. */
      readonly openBodies: readonly boolean[];
    };

/** A copy that can be changed by itself. */
export function copyOf(expectation: Expectation): Expectation {
  return {
    ...expectation,
    transactions: [...expectation.transactions],
    bodies: expectation.bodies.map((entry) => ({ ...entry })),
    slots: new Map(expectation.slots),
  };
}

/** What the table of items holds after so many transactions. */
export function itemsAfter(
  transactions: readonly LedgerTransaction[],
  count: number,
): ReadonlyMap<string, SqlValue> {
  const items = new Map<string, SqlValue>();
  for (const { puts } of transactions.slice(0, count)) {
    for (const [id, value] of puts) items.set(id, value);
  }
  return items;
}

/** The same for expectations that ask the same. */
export function signatureOf({ creation, transactions, acknowledged, bodies, slots }: Expectation) {
  return JSON.stringify([
    creation,
    transactions.length,
    acknowledged,
    bodies.map(({ state }) => state),
    [...slots].map(([slot, secrets]) => [slot, secrets.length, JSON.stringify(secrets)]),
  ]);
}
