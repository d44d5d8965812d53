import { AppError } from "#protocol";

const maxDepth = 32;

/**
 * Fails unless `value` is plain data: null, booleans, finite numbers, text, arrays and plain objects of them.
 * The last gate before anything leaves for a window: a byte string, a key holder or any other object of the engine does not pass.
 *
 * @throws AppError `internal`
 */
export function ensurePlainData(value: unknown): void {
  check(value, 0);
}

function check(value: unknown, depth: number): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value !== "object" || depth >= maxDepth) throw notPlain(typeof value);
  if (Array.isArray(value)) {
    for (const item of value) check(item, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notPlain("instance");
  for (const item of Object.values(value)) {
    // An absent property and an undefined one are the same to JSON and to structured cloning of an interface's data.
    if (item !== undefined) check(item, depth + 1);
  }
}

function notPlain(what: string): AppError {
  return new AppError("internal", { data: { reason: "not plain data", what } });
}
