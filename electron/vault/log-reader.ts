import type { CryptoWorker } from "#protocol";
import { couldBeTorn, frameAt, frameEnd, frameHeaderBytes, tagBytes, tagOf } from "./frames.ts";
import type { Frame } from "./frames.ts";
import { generationHeaderBytes, uint32At } from "./headers.ts";

/** A log and what opens it. */
export interface LogSource {
  readonly bytes: Uint8Array;
  readonly generation: number;
  readonly worker: CryptoWorker;
}

/** What {@link readLog} found. */
export interface LogReading {
  /** Frames that were read and taken. */
  readonly frames: number;
  /** Where the last of them ends; what comes behind it, if anything, is a torn tail or damaged. */
  readonly endBytes: number;
  /** Where the last of them begins. */
  readonly lastFrameAt: number;
  /** Of the last frame; empty when there is none. */
  readonly lastTag: Uint8Array;
  /** Whether what comes behind is damage: the next frame was once written whole. */
  readonly isDamaged: boolean;
}

/** How much is sent to the worker at once. */
const runFrames = 512;
const runBytes = 4 * 1024 * 1024;

/**
 * Opens a log frame by frame, up to its end, to a torn tail or to damage.
 *
 * A frame is written only when the one before it is on the disk, so a crash can harm the last frame alone. What can't be opened
 * is a torn tail if no frame behind it opens, and if it could be a part of the frame that belongs there; otherwise it is damage.
 *
 * @param take - gets the content of each frame in order; false: it is authentic, but makes no sense, which counts as damage
 */
export async function readLog(
  source: LogSource,
  take: (plain: Uint8Array) => boolean,
): Promise<LogReading> {
  let endBytes = generationHeaderBytes;
  let lastFrameAt = endBytes;
  let frames = 0;
  let lastTag: Uint8Array = new Uint8Array();
  while (true) {
    const run = nextRun(source.bytes, endBytes, frames + 1);
    const { plains } = await source.worker.call("vault.openFrames", {
      generation: source.generation,
      firstSequence: frames + 1,
      previousTag: lastTag,
      frames: run.map((frame) => frame.sealed),
    });
    for (const [index, plain] of plains.entries()) {
      const frame = run[index];
      if (frame === undefined || !take(plain)) {
        return { frames, endBytes, lastFrameAt, lastTag, isDamaged: true };
      }
      frames += 1;
      lastFrameAt = frame.at;
      endBytes = frameEnd(frame);
      lastTag = tagOf(frame.sealed);
    }
    if (plains.length < run.length || run.length === 0) break;
  }
  const isDamaged =
    endBytes < source.bytes.length &&
    (!couldBeTorn(source.bytes, endBytes, frames + 1) ||
      isFollowed(source.bytes, endBytes, frames + 1) ||
      (await opensLater(source, endBytes, frames + 1)));
  return { frames, endBytes, lastFrameAt, lastTag, isDamaged };
}

/** Whole frames with the right numbers from `at` on, as many as make one call. */
function nextRun(log: Uint8Array, at: number, firstNumber: number): Frame[] {
  const run: Frame[] = [];
  let sizeBytes = 0;
  let position = at;
  while (run.length < runFrames && sizeBytes < runBytes) {
    const frame = frameAt(log, position);
    if (frame?.number !== firstNumber + run.length) break;
    run.push(frame);
    sizeBytes += frame.sealed.length;
    position = frameEnd(frame);
  }
  return run;
}

/**
 * Whether the frame that begins at `at` has its full length and the next one's number behind it: the next was begun only when this one was
 * whole on the disk. That one can't be asked itself where this one's tag, which it is chained to, is what was damaged.
 */
function isFollowed(log: Uint8Array, at: number, number: number): boolean {
  const frame = frameAt(log, at);
  if (frame === null) return false;
  const next = frameEnd(frame);
  return next + frameHeaderBytes <= log.length && uint32At(log, next + 4) === number + 1;
}

/**
 * Whether any frame opens behind frame `damaged`, which should begin at `from`. A frame is chained to the 16 bytes that lie before it,
 * so it can be checked without knowing the ones before.
 */
async function opensLater(source: LogSource, from: number, damaged: number): Promise<boolean> {
  const { bytes, generation, worker } = source;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const highest = damaged + Math.ceil((bytes.length - from) / (frameHeaderBytes + tagBytes));
  const start = from + frameHeaderBytes + tagBytes;
  for (let at = start; at + frameHeaderBytes + tagBytes <= bytes.length; at++) {
    const number = view.getUint32(at + 4);
    if (number <= damaged || number > highest) continue;
    const frame = frameAt(bytes, at);
    if (frame === null) continue;
    const { plains } = await worker.call("vault.openFrames", {
      generation,
      firstSequence: number,
      previousTag: bytes.slice(at - tagBytes, at),
      frames: [frame.sealed],
    });
    if (plains.length === 1) return true;
  }
  return false;
}
