import { argon2idSaltBytes, type Argon2id, type Argon2idCost } from "../../primitives/index.ts";

/** What a passphrase slot never costs less than. Source: RFC 9106 §4, with more memory and fewer passes. */
const floor: Argon2idCost = { passes: 2, memoryBytes: 128 * 1024 * 1024 };
const maxPasses = 12;
/** How long an unlock may take on the machine that made the slot. */
const targetMs = 1000;

/**
 * The cost that takes this machine about a second: as many passes as fit, found out by one. At least 128 MiB and 2 passes, and no more
 * passes than another machine can be asked for.
 *
 * @param nowMs - a clock; one that stands still gives the fewest passes
 */
export function measurePassphraseCost(argon2id: Argon2id, nowMs: () => number): Argon2idCost {
  const { memoryBytes } = floor;
  const passMs = (): number => {
    const startMs = nowMs();
    argon2id(new Uint8Array(0), new Uint8Array(argon2idSaltBytes), { passes: 1, memoryBytes }, 32);
    return nowMs() - startMs;
  };
  // Twice: the first one may also have to get the memory.
  const fastestMs = Math.min(passMs(), passMs());
  if (fastestMs <= 0) return floor;
  const passes = Math.round(targetMs / fastestMs);
  return { passes: Math.min(maxPasses, Math.max(floor.passes, passes)), memoryBytes };
}
