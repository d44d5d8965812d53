import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { compilerOptions } from "./svelte.config.js";

/**
 * V8 of Node 24.18 and later sometimes ends a process that starts and ends many threads with WebAssembly, as its code is collected: "Check failed:
 * jit_page_->allocations_.erase(addr) == 1", nodejs/node#64500. Projects don't inherit it.
 */
const execArgv = ["--no-wasm-code-gc"];

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
          execArgv,
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
      {
        test: {
          name: "vectors",
          execArgv,
          include: ["tests/vectors/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "integration",
          execArgv,
          include: ["tests/{integration,scenario}/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
