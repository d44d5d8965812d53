import { leafOf } from "./notes.ts";

/** What a child that uses a vault has said, over all its lives. */
export interface KillLedger {
  /** The highest transaction that was acknowledged. */
  readonly acknowledged: number;
  /** What must be, of the key of note n: `ending` when it was being destroyed, and nobody said how that ended. */
  stateOf(n: number): "kept" | "ending" | "ended";
  /** One of these opens the passphrase's slot; null: there may be none. */
  readonly passphrases: readonly (string | null)[];
  /** Takes what a life has said; returns what the vault's sequence was each time it was opened. */
  take(output: string): readonly number[];
  /** What was found after a kill: from now on it must be so. */
  settle(found: { readonly sequence: number; readonly ended: ReadonlySet<number> }): void;
}

export function createKillLedger(): KillLedger {
  let acknowledged = 0;
  let passphrases: readonly (string | null)[] = [null];
  let endingBefore = 0;
  let endedBefore = 0;
  const ending = new Set<number>();
  const ended = new Set<number>();

  const takeLine = (line: string): number | null => {
    const [word, ...rest] = line.split(" ");
    const numbers = rest.map(Number);
    const [first = 0] = numbers;
    switch (word) {
      case "open":
        return first;
      case "done":
        acknowledged = Math.max(acknowledged, first);
        break;
      case "ending":
        for (const n of numbers) ending.add(n);
        break;
      case "ended":
        for (const n of numbers) ended.add(n);
        break;
      case "ending-before":
        endingBefore = Math.max(endingBefore, first);
        break;
      case "ended-before":
        endedBefore = Math.max(endedBefore, first);
        break;
      case "setting-passphrase":
        passphrases = [...passphrases, rest.length === 0 ? null : rest.join(" ")];
        break;
      case "passphrase":
        passphrases = [rest.length === 0 ? null : rest.join(" ")];
        break;
      default:
        throw new Error(`the child said: ${line}`);
    }
    return null;
  };

  return {
    get acknowledged() {
      return acknowledged;
    },
    get passphrases() {
      return passphrases;
    },
    stateOf(n) {
      const { hour } = leafOf(n);
      if (ended.has(n) || hour < endedBefore) return "ended";
      return ending.has(n) || hour < endingBefore ? "ending" : "kept";
    },
    take(output) {
      // The last line may have been cut short by the kill.
      const lines = output.split("\n").slice(0, -1);
      return lines.map(takeLine).filter((sequence) => sequence !== null);
    },
    settle(found) {
      acknowledged = found.sequence;
      for (const n of found.ended) ended.add(n);
    },
  };
}
