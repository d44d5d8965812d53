import { describe, expect, test, vi } from "vitest";
import { cutPowerAtRandom, cutPowerInCombinations } from "../../../crash/power-cuts.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";

vi.setConfig({ testTimeout: 300_000 });

/* A share of what `npm run test:crash` does: 200 seeds and all combinations. */

const options = { worker: createSealingWorker(), exhaustive: 24, sampled: 12, thoroughEvery: 25 };

describe("a vault whose power is cut at any moment", () => {
  test("opens from whatever the disk may hold then, with all that was acknowledged, over several cuts in a row", async () => {
    const seeds = [1, 2, 3];
    const { images } = await cutPowerAtRandom(seeds, { ...options, parts: 3, steps: 5 });
    expect(images).toBeGreaterThan(500);
  });

  test("does so in combinations of three steps", async () => {
    const { combinations, images } = await cutPowerInCombinations(
      options,
      (index) => index % 97 === 5,
    );
    expect(combinations).toBeGreaterThan(15);
    expect(images).toBeGreaterThan(500);
  });
});
