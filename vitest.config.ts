import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { compilerOptions } from "./svelte.config.js";

export default defineConfig({
  test: {
    allowOnly: false,
    passWithNoTests: false,
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          // Real crypto, disks and processes on a busy machine: a hang fails, slowness doesn't.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: ["tests/unit/**/*.test.ts"],
          exclude: ["tests/unit/renderer/**"],
        },
      },
      {
        // Rune state (name.svelte.ts) is compiled as in the app, for the browser's Svelte, but runs in plain Node.
        plugins: [
          svelte({
            configFile: false,
            compilerOptions,
          }),
        ],
        resolve: { conditions: ["browser"] },
        test: {
          name: "renderer",
          include: ["tests/unit/renderer/**/*.test.ts"],
          environment: "./tests/support/svelte-environment.ts",
          server: { deps: { inline: [/svelte/u, /runed/u] } },
        },
      },
      { test: { name: "vectors", include: ["tests/vectors/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "integration",
          include: ["tests/{integration,scenario}/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
