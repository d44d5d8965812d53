import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";

/** Where official test vectors lie: beside the repository, because they belong to their sources. */
export const vectorsFolder = join(import.meta.dirname, "..", "..", "..", "shared", "vectors");

/** Bytes from hexadecimal. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/**
 * Runs `suite` with the vectors of a file, or skips it and says so where the vectors aren't on this machine.
 *
 * @param path - inside the vectors' folder
 */
export function describeVectors(path: string, suite: (vectors: unknown) => void): void {
  const file = join(vectorsFolder, path);
  if (!existsSync(file)) {
    describe.skip(`${path}: skipped, the vectors are not at ${vectorsFolder}`, () => undefined);
    return;
  }
  describe(path, () => {
    suite(JSON.parse(readFileSync(file, "utf8")));
  });
}
