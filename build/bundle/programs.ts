import type { InlineConfig, Plugin } from "vite";

import { inRepository } from "../lib/paths.ts";

/** A program bundled for Electron, or for the worker processes it starts. */
export interface Program {
  /** The entry, below the repository's root. */
  readonly entry: string;
  /** The bundle, below dist/. */
  readonly output: string;
  readonly format: "es" | "cjs";
}

/**
 * Programs and where their bundles lie. The places mirror the sources, so that `../crypto/worker` is right from both.
 * The preload script is sandboxed: Electron gives it no module loader, hence one CommonJS file.
 */
export const programs: readonly Program[] = [
  { entry: "electron/main.ts", output: "electron/main.js", format: "es" },
  { entry: "electron/preload.ts", output: "electron/preload.cjs", format: "cjs" },
  { entry: "crypto/worker.ts", output: "crypto/worker.js", format: "es" },
  { entry: "relay/embedded.ts", output: "relay/embedded.js", format: "es" },
];

/**
 * Packages that stay packages: those with a native part or a wasm file beside their script, and those that load parts of themselves
 * by name at run time. Everything else is bundled. The installer packs exactly these (build/electron-builder.ts).
 */
export const externalPackages: readonly string[] = [
  "@fastify/websocket",
  "fastify",
  "keytar",
  "libsodium-wrappers",
  "libsodium-wrappers-sumo",
  "lmdb",
  "sql.js",
  "ws",
];

/** The bundler's settings for one program. @param program - one of {@link programs}. */
export function programConfig(program: Program): InlineConfig {
  const { entry, output, format } = program;
  return {
    configFile: false,
    root: inRepository(),
    publicDir: false,
    logLevel: "warn",
    plugins: [refuseImports(format === "cjs" ? sandboxedModules : undefined)],
    ssr: { noExternal: true, external: [...externalPackages], target: "node" },
    build: {
      ssr: inRepository(entry),
      outDir: inRepository("dist"),
      emptyOutDir: false,
      target: "node24",
      minify: false,
      sourcemap: false,
      rolldownOptions: {
        external: ["electron"],
        output: { format, entryFileNames: output, codeSplitting: false },
      },
    },
  };
}

/** What Electron's sandbox lets a preload script require, as far as we use it. */
const sandboxedModules: readonly string[] = ["electron"];

/**
 * Fails the build when the bundle would ask for a module that it can't have where it runs.
 * @param allowed - the only modules it may import; undefined: Node's own, electron and {@link externalPackages}.
 */
function refuseImports(allowed: readonly string[] | undefined): Plugin {
  const isFine = (name: string): boolean =>
    allowed === undefined
      ? name === "electron" || name.startsWith("node:") || externalPackages.includes(name)
      : allowed.includes(name);
  return {
    name: "sotto:refuse-imports",
    generateBundle(_options, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== "chunk") continue;
        const strangers = [...file.imports, ...file.dynamicImports].filter((i) => !isFine(i));
        if (strangers.length > 0) this.error(`${name} may not import ${strangers.join(", ")}`);
      }
    },
  };
}
