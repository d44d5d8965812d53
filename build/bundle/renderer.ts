import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { InlineConfig, Plugin } from "vite";

import { compilerOptions } from "../../svelte.config.js";
import { inRepository } from "../lib/paths.ts";

/**
 * The page: one HTML file, hashed scripts and styles, nothing inline, so that it runs under `default-src 'none'` with scripts and
 * styles from 'self' only.
 * @param outDir - where it goes; emptied first.
 */
export function rendererConfig(outDir: string): InlineConfig {
  return {
    configFile: false,
    root: inRepository("renderer"),
    base: "./",
    publicDir: false,
    logLevel: "warn",
    plugins: [svelte({ configFile: false, compilerOptions }), refuseInline()],
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2024",
      // A data: address in a style would need img-src or font-src data:.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: false,
      reportCompressedSize: false,
      // It is read from the disk, not over a network.
      chunkSizeWarningLimit: 4096,
      rolldownOptions: {
        checks: { bundlerTimings: false },
        output: {
          entryFileNames: "assets/[name]-[hash].js",
          chunkFileNames: "assets/[name]-[hash].js",
          assetFileNames: "assets/[name]-[hash][extname]",
        },
      },
    },
  };
}

/** Fails the build when the page holds what the content security policy refuses: better here than as a blank window. */
function refuseInline(): Plugin {
  return {
    name: "sotto:refuse-inline",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== "asset" || !name.endsWith(".html")) continue;
        const faults = inlineFaults(String(file.source));
        if (faults.length > 0) this.error(`${name}: ${faults.join("; ")}`);
      }
    },
  };
}

/**
 * What in a page the content security policy would refuse.
 * @param html - the whole document.
 * @returns one line per fault, in words; empty when the page is clean.
 */
export function inlineFaults(html: string): readonly string[] {
  const rules: readonly (readonly [RegExp, string])[] = [
    [/<script(?![^>]*\ssrc=)[^>]*>/iu, "a script without src"],
    [/<style[\s>]/iu, "a style element"],
    [/<[^>]+\sstyle\s*=/iu, "a style attribute"],
    [/<[^>]+\son[a-z]+\s*=/iu, "an event handler attribute"],
    [/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//iu, "an address on the network"],
    [/(?:src|href)\s*=\s*["']?(?:javascript|data):/iu, "a javascript: or data: address"],
  ];
  return rules.filter(([pattern]) => pattern.test(html)).map(([, words]) => words);
}
