/** A figure that must not be larger than another one's so many fold. */
export interface Bound {
  readonly what: string;
  /** NaN where it couldn't be measured. */
  readonly ratio: number;
  readonly atMost: number;
}

/** Prints a line for each; the bench fails when one is missed, or couldn't be measured. */
export function judge(bounds: readonly Bound[]): void {
  console.log("\nbounds");
  for (const { what, ratio, atMost } of bounds) {
    const held = ratio <= atMost;
    const measured = Number.isNaN(ratio) ? "not measured" : ratio.toFixed(2);
    console.log(
      `${held ? "held" : "NOT HELD"}: ${what}: ${measured}, at most ${atMost.toFixed(2)}`,
    );
    if (!held) process.exitCode = 1;
  }
}
