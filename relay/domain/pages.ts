import { AppError, maxFrameBytes } from "#protocol";

/** A page ends before it grows larger than this, bytes; but it has one entry at least. */
export const maxPageBytes = 1024 * 1024;
/** What a frame says besides the one byte string that fills it, bytes. */
const frameOverheadBytes = 16 * 1024;
/** The largest byte string that is taken: it must fit the frame in which it is given out. */
export const maxStoredPartBytes = maxFrameBytes - frameOverheadBytes;

/** @throws AppError `frame-too-large`: nobody could be given these bytes */
export function checkPartSizes(...parts: readonly (Uint8Array | null)[]): void {
  for (const part of parts) {
    if (part !== null && part.length > maxStoredPartBytes) {
      throw new AppError("frame-too-large", {
        data: { sizeBytes: part.length, maxBytes: maxStoredPartBytes },
      });
    }
  }
}
