import { encodeBatch, sizeOf } from "./batch.ts";
import type { BoundSql } from "./database.ts";
import type { FrameKeys } from "./frame-keys.ts";
import type { LogEnd } from "./log-writer.ts";
import type { TextTable } from "./text-table.ts";

/** The log that a frame is for. */
export interface FrameTarget {
  /** Of its generation. */
  readonly keys: FrameKeys;
  /** Where it ends: the frame is the next one. */
  readonly log: LogEnd;
  /** Of the snapshot that the log continues. */
  readonly snapshotTag: Uint8Array;
  /** The vault's, before the frame. */
  readonly sequence: number;
  /** Is told what the frame names; to be settled or discarded when the frame was written or not. */
  readonly texts: TextTable;
}

/** Seals the next frame of a log. None: a mark that the vault was closed in good order. */
export function sealBatch(
  { keys, log, sequence, snapshotTag, texts }: FrameTarget,
  transactions: readonly (readonly BoundSql[])[],
): Promise<Uint8Array> {
  const stored = transactions.map((transaction) =>
    transaction.map(({ sql, params }) => [texts.placeOf(sql), ...params] as const),
  );
  const batch = {
    snapshotTag: log.frames === 0 ? snapshotTag : null,
    sequence,
    newTexts: texts.unnamed,
    transactions: stored,
  };
  const sizeBytes = transactions.reduce((sum, transaction) => sum + sizeOf(transaction), 0);
  const place = { sequence: log.frames + 1, previousTag: log.lastTag };
  return keys.seal(place, encodeBatch(batch, sizeBytes));
}
