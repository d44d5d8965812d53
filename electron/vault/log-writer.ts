import type { VaultFile } from "./files.ts";
import { encodeFrame, tagOf } from "./frames.ts";

/** Where a log ends. */
export interface LogEnd {
  readonly endBytes: number;
  /** Frames in it. */
  readonly frames: number;
  /** Of the last frame; empty when there is none. */
  readonly lastTag: Uint8Array;
}

/** A log that grows. One append at a time. */
export interface LogWriter extends LogEnd {
  /**
   * Appends the next frame; on the disk when it resolves. A failure is final: the log then ends somewhere behind {@link LogEnd.endBytes}.
   *
   * @param sealed - the frame `frames + 1`, chained to `lastTag`
   */
  append(sealed: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** How much a log grows at a time, bytes. */
const reserveBytes = 128 * 1024;

/** @param file - open for writing, and this writer's from now on */
export function createLogWriter(file: VaultFile, end: LogEnd): LogWriter {
  let { endBytes, frames, lastTag } = end;
  let reservedBytes = endBytes;

  /**
   * Lets the file grow in large steps, by zeros that frames are then written over: a sync that need not also store a new size costs about
   * half. A disk without room for that may still have room for the frame.
   */
  const reserve = async (untilBytes: number) => {
    if (untilBytes <= reservedBytes) return;
    const stepBytes = Math.ceil((untilBytes - reservedBytes) / reserveBytes) * reserveBytes;
    const at = reservedBytes;
    reservedBytes += stepBytes;
    await file.write(new Uint8Array(stepBytes), at).catch(() => undefined);
  };

  return {
    get endBytes() {
      return endBytes;
    },
    get frames() {
      return frames;
    },
    get lastTag() {
      return lastTag;
    },
    async append(sealed) {
      const frame = encodeFrame(frames + 1, sealed);
      await reserve(endBytes + frame.length);
      try {
        await file.writeDurably(frame, endBytes);
      } catch (error) {
        // So that a transaction which is reported as failed isn't found at the next start, if that can still be helped.
        await file.truncate(endBytes).catch(() => undefined);
        throw error;
      }
      endBytes += frame.length;
      frames += 1;
      lastTag = tagOf(sealed);
    },
    async close() {
      if (reservedBytes > endBytes) await file.truncate(endBytes).catch(() => undefined);
      await file.close();
    },
  };
}
