import { join } from "node:path";

/** The repository's root folder. */
export const root = join(import.meta.dirname, "../..");

/** An absolute path inside the repository. @param parts - path segments below the root. */
export function inRepository(...parts: readonly string[]): string {
  return join(root, ...parts);
}

/** The script behind a command of an installed package, to be run with this Node. @param path - path below node_modules. */
export function inModules(path: string): string {
  return join(root, "node_modules", path);
}
