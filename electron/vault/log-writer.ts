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

/** @param file - open for writing, and this writer's from now on */
export function createLogWriter(file: VaultFile, end: LogEnd): LogWriter {
  let { endBytes, frames, lastTag } = end;
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
      try {
        await file.write(frame, endBytes);
        await file.sync();
      } catch (error) {
        // So that a transaction which is reported as failed isn't found at the next start, if that can still be helped.
        await file.truncate(endBytes).catch(() => undefined);
        throw error;
      }
      endBytes += frame.length;
      frames += 1;
      lastTag = tagOf(sealed);
    },
    close: () => file.close(),
  };
}
