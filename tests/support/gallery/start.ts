import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { rendererConfig } from "../../../build/bundle/renderer.ts";
import { serveFolder } from "./serve.ts";

/** The interface over the fixture, built and served. */
export interface Gallery {
  readonly address: string;
  readonly close: () => void;
}

/** Builds the interface over the fixture into a temporary folder and serves it under the product's content security policy. */
export async function startGallery(): Promise<Gallery> {
  const folder = mkdtempSync(join(tmpdir(), "sotto-gallery-"));
  await build({ ...rendererConfig(folder), root: import.meta.dirname, logLevel: "error" });
  const { address, server } = await serveFolder(folder);
  return {
    address,
    close: () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
