import { AppError, concatBytes } from "#protocol";
import { uint32At, uint32Bytes } from "./headers.ts";

/*
 * A log after its header is a row of frames:   length of what follows the number 4 | number 4 | sealed
 *
 * Frames are numbered from 1 in each generation. What is sealed is checked by the worker, which chains each frame to the last
 * 16 bytes (the AEAD tag) of the one before. Length and number have no checksum: a wrong length makes the seal fail, and the number
 * lets whoever looks behind a damaged place find where the next frame begins.
 */

export const frameHeaderBytes = 8;
export const tagBytes = 16;
/** No frame is longer, so that a damaged length can't ask for all memory. */
export const maxSealedBytes = 64 * 1024 * 1024;

/** A frame as it lies in a log. */
export interface Frame {
  readonly number: number;
  /** Where its header begins. */
  readonly at: number;
  readonly sealed: Uint8Array;
}

/** @param number - from 1 */
export function encodeFrame(number: number, sealed: Uint8Array): Uint8Array {
  if (sealed.length > maxSealedBytes || sealed.length < tagBytes) {
    throw new AppError("internal", { data: { sealedBytes: sealed.length } });
  }
  return concatBytes(uint32Bytes(sealed.length), uint32Bytes(number), sealed);
}

/** @returns the frame whose header begins at `at`, if one of a possible length does that lies whole in the log */
export function frameAt(log: Uint8Array, at: number): Frame | null {
  if (log.length - at < frameHeaderBytes) return null;
  const sizeBytes = uint32At(log, at);
  const begin = at + frameHeaderBytes;
  if (sizeBytes < tagBytes || sizeBytes > maxSealedBytes || sizeBytes > log.length - begin) {
    return null;
  }
  return {
    number: uint32At(log, at + 4),
    at,
    sealed: log.subarray(begin, begin + sizeBytes),
  };
}

/** Where the frame after this one begins. */
export function frameEnd(frame: Frame): number {
  return frame.at + frameHeaderBytes + frame.sealed.length;
}

/** What the next frame is chained to. */
export function tagOf(sealed: Uint8Array): Uint8Array {
  return sealed.slice(-tagBytes);
}

/**
 * Whether what begins at `at` could be frame `number` written in part: each byte of its number is there, or was never written (a file
 * grows by zeros), or lies behind the end. Anything else was not torn but changed.
 */
export function couldBeTorn(log: Uint8Array, at: number, number: number): boolean {
  const expected = uint32Bytes(number);
  const found = log.subarray(at + 4, at + frameHeaderBytes);
  return found.every((byte, index) => byte === 0 || byte === expected[index]);
}
