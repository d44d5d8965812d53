import { maxNameCharacters } from "#protocol";

/** A name for one more device: as it is, or with the first number that tells it from those that there are. */
export function freeName(name: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? "" : ` ${String(number)}`;
    const whole = Array.from(name).slice(0, maxNameCharacters - suffix.length);
    const candidate = `${whole.join("").trimEnd()}${suffix}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
