import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { codeReader } from "../../../renderer/code-reader.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

// What it reads of a screen is shown in tests/e2e/trust.spec.ts: that takes a browser.
test("a screen that shows nothing is given up, and shared no longer", async () => {
  const track = { stop: vi.fn() };
  const stream = { getTracks: () => [track] };
  const video = { play: () => new Promise<void>(() => undefined), srcObject: null as unknown };
  const view = {
    navigator: { mediaDevices: { getDisplayMedia: () => Promise.resolve(stream) } },
    document: { createElement: () => video },
    setTimeout,
    clearTimeout,
  };
  const reading = codeReader(view as unknown as Window).fromScreen();
  const outcome = expect(reading).rejects.toThrow("no frame");
  await vi.advanceTimersByTimeAsync(4000);
  expect(video.srcObject).toBe(stream);
  expect(track.stop).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  await outcome;
  expect(track.stop).toHaveBeenCalledWith();
  expect(video.srcObject).toBeNull();
});
