import { decodeQR } from "qr/decode.js";
import type { CodeReader } from "./state/ports.ts";

/** Larger pictures are drawn smaller: a code that fills a tenth of a screen stays readable. Pixels on the longer side. */
const maxSide = 2400;
/** A smaller drawing is tried too: photographs of screens are sharper that way. */
const sides = [maxSide, 1000];
const timeLimitMs = 1500;
/** A window that is minimised or gone never shows a frame: after so long nothing is waited for, and nothing shared any more. */
const frameLimitMs = 5000;

/** Reads codes with what a browser has: nothing of a picture leaves the page. */
export function codeReader(view: Window): CodeReader {
  return {
    fromPicture: async (picture) => readBitmap(view, await view.createImageBitmap(picture)),
    fromScreen: () => readScreen(view),
  };
}

function readBitmap(view: Window, bitmap: ImageBitmap): string | null {
  try {
    for (const side of sides) {
      const text = decode(draw(view, bitmap, side));
      if (text !== null) return text;
    }
    return null;
  } finally {
    bitmap.close();
  }
}

function draw(view: Window, bitmap: ImageBitmap, side: number): ImageData {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width * scale, bitmap.height * scale].map(Math.ceil);
  const canvas = view.document.createElement("canvas");
  canvas.width = width ?? 1;
  canvas.height = height ?? 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new TypeError("no canvas");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function decode({ width, height, data }: ImageData): string | null {
  try {
    return decodeQR({ width, height, data }, { timeLimit: timeLimitMs });
  } catch {
    // It says so when there is no code.
    return null;
  }
}

/** One frame; the capture ends before it is looked at. */
async function readScreen(view: Window): Promise<string | null> {
  const stream = await view.navigator.mediaDevices.getDisplayMedia({ video: true, audio: false });
  const video = view.document.createElement("video");
  try {
    video.muted = true;
    video.srcObject = stream;
    await inTime(view, video.play());
    const bitmap = await view.createImageBitmap(video);
    stopAll(stream);
    return readBitmap(view, bitmap);
  } finally {
    stopAll(stream);
    video.srcObject = null;
  }
}

/** @throws Error when it takes longer than {@link frameLimitMs} */
function inTime(view: Window, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = view.setTimeout(() => {
      reject(new Error("no frame"));
    }, frameLimitMs);
    const stop = (): void => {
      view.clearTimeout(timer);
    };
    void work.then(resolve, reject).then(stop);
  });
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
