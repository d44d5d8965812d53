import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { FuseState, FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { externalPackages } from "../../../build/bundle/programs.ts";
import { type AsarFile, extractAsar, readAsar } from "../../support/asar.ts";

/**
 * Packs the app as for a release, but around a stand-in for Electron: its binary comes from outside the registry, and what is looked at
 * here is ours. Linux only, since each system packs its own.
 */
const run = promisify(execFile);
const repository = join(import.meta.dirname, "../../..");
const fuseSentinel = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";

describe.runIf(process.platform === "linux")("the packed app", () => {
  let folder: string;
  let app: string;
  let files: readonly AsarFile[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sotto-pack-"));
    const electron = standInElectron(join(folder, "electron"), 9);
    await pack(electron, join(folder, "out"));
    app = join(
      folder,
      "out",
      readdirSync(join(folder, "out")).find((n) => n.endsWith("unpacked"))!,
    );
    files = readAsar(join(app, "resources/app.asar"));
  }, 120_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("holds the bundles, its licence and nothing else of ours", () => {
    const ours = files.map(({ path }) => path).filter((path) => !path.startsWith("node_modules/"));
    for (const needed of [
      "dist/electron/main.js",
      "dist/electron/preload.cjs",
      "dist/crypto/worker.js",
      "dist/relay/embedded.js",
      "dist/renderer/index.html",
      "dist/icons/tray.png",
      "dist/licences.json",
      "dist/licences.md",
      "LICENSE",
      "package.json",
    ]) {
      expect(ours).toContain(needed);
    }
    const strangers = ours.filter((path) => !/^(dist\/|LICENSE$|package\.json$)/u.test(path));
    expect(strangers).toEqual([]);
  });

  test("holds no sources, source maps, tests of packages or development packages", () => {
    const paths = files.map(({ path }) => path);
    expect(paths.filter((path) => /\.(ts|svelte|map)$/u.test(path))).toEqual([]);
    for (const name of ["electron", "svelte", "vite", "typescript", "playwright", "ts-mls"]) {
      expect(paths.filter((path) => path.startsWith(`node_modules/${name}/`))).toEqual([]);
    }
  });

  test("keeps only native files outside the archive, for this system alone", () => {
    const outside = files.filter(({ bytes }) => bytes === undefined).map(({ path }) => path);
    expect(outside.filter((path) => !path.endsWith(".node"))).toEqual([]);
    const system = `${process.platform}-${process.arch}`;
    expect(outside).toContain(`node_modules/keytar/prebuilds/${system}/keytar.node`);
    expect(outside).toContain(`node_modules/@lmdb/lmdb-${system}/node.napi.glibc.node`);
    expect(outside.filter((path) => !path.includes(system))).toEqual([]);
  });

  test("has the main program's entry where package.json says", () => {
    const manifest = files.find(({ path }) => path === "package.json")!;
    const { main, scripts } = JSON.parse(manifest.bytes!.toString("utf8")) as {
      main: string;
      scripts?: unknown;
    };
    expect(files.map(({ path }) => path)).toContain(main);
    expect(scripts).toBeUndefined();
  });

  test("brings everything that its packages need", async () => {
    const extracted = join(folder, "extracted");
    extractAsar(join(app, "resources/app.asar"), extracted);
    const imports = externalPackages.map((name) => `await import(${JSON.stringify(name)});`);
    const probe = join(extracted, "probe.mjs");
    writeFileSync(probe, `${imports.join("\n")}\nconsole.log("all loaded");\nprocess.exit(0);\n`);
    const { stdout } = await run(process.execPath, [probe], { cwd: extracted });
    expect(stdout.trim()).toBe("all loaded");
  });

  test("has all nine fuses set", async () => {
    const wire = await getCurrentFuseWire(join(app, "sotto"));
    const state = (fuse: FuseV1Options): boolean => wire[fuse] === FuseState.ENABLE;
    expect(Object.keys(wire).filter((key) => key !== "version")).toHaveLength(9);
    expect(state(FuseV1Options.RunAsNode)).toBe(false);
    expect(state(FuseV1Options.EnableCookieEncryption)).toBe(true);
    expect(state(FuseV1Options.EnableNodeOptionsEnvironmentVariable)).toBe(false);
    expect(state(FuseV1Options.EnableNodeCliInspectArguments)).toBe(false);
    expect(state(FuseV1Options.EnableEmbeddedAsarIntegrityValidation)).toBe(true);
    expect(state(FuseV1Options.OnlyLoadAppFromAsar)).toBe(true);
    expect(state(FuseV1Options.LoadBrowserProcessSpecificV8Snapshot)).toBe(false);
    expect(state(FuseV1Options.GrantFileProtocolExtraPrivileges)).toBe(false);
    expect(state(FuseV1Options.WasmTrapHandlers)).toBe(true);
  });

  test("is not made when Electron has a fuse that we don't know", async () => {
    const newer = standInElectron(join(folder, "newer"), 10);
    await expect(pack(newer, join(folder, "refused"))).rejects.toThrow("strictlyRequireAllFuses");
  }, 120_000);
});

/** Packs into a folder without making installers. */
async function pack(electronDist: string, output: string): Promise<void> {
  const script = join(repository, "build/dist.ts");
  const places = ["--electron-dist", electronDist, "--output", output];
  await run(process.execPath, [script, "--dir", ...places], { cwd: repository });
}

/** What electron-builder and the fuses want to see of Electron. @param fuseCount - length of the fuse wire, all off. */
function standInElectron(folder: string, fuseCount: number): string {
  mkdirSync(join(folder, "resources"), { recursive: true });
  mkdirSync(join(folder, "locales"));
  writeFileSync(join(folder, "locales/en-US.pak"), "");
  writeFileSync(join(folder, "LICENSE"), "");
  writeFileSync(join(folder, "version"), "45.4.1");
  const wire = Buffer.from([1, fuseCount, ...Buffer.from("0".repeat(fuseCount))]);
  const binary = Buffer.concat([Buffer.alloc(64), Buffer.from(fuseSentinel), wire]);
  writeFileSync(join(folder, "electron"), binary, { mode: 0o755 });
  return folder;
}
