import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "#protocol";
import * as v from "valibot";
import type { AboutFacts } from "./ports.ts";

const licencesSchema = v.array(
  v.object({ name: v.string(), version: v.string(), license: v.string() }),
);

/**
 * What "About" says of the programs: from the process, and from `package.json` and `dist/licences.json` (written with the bundles).
 *
 * @param root - the application's folder
 * @throws AppError `internal` when the bundle is not whole
 */
export async function readAboutFacts(
  root: string,
  runtime: "electron" | "preview",
): Promise<AboutFacts> {
  // Electron's types say that these are always there; the preview runs on plain Node.
  const versions: Readonly<Record<string, string | undefined>> = process.versions;
  try {
    const manifest = await readJson(join(root, "package.json"));
    return {
      version: v.parse(v.object({ version: v.string() }), manifest).version,
      runtime,
      electron: versions["electron"] ?? null,
      chromium: versions["chrome"] ?? null,
      node: process.versions.node,
      licences: v.parse(licencesSchema, await readJson(join(root, "dist", "licences.json"))),
    };
  } catch (cause) {
    throw new AppError("internal", { cause, data: { reason: "the bundle is not whole" } });
  }
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8")) as unknown;
}
