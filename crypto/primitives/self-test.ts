import { AppError, toHex } from "#protocol";
import { knownAnswers, encapsulationSeed, type KnownAnswer } from "./known-answers.ts";
import { rareAnswers, type RarePrimitive } from "./known-answers-rare.ts";
import { loadPrimitives, type Primitives } from "./primitives.ts";

/** The primitives under test, with the randomness that the known answers were made with. */
export function loadPrimitivesUnderTest(): Promise<Primitives> {
  return loadPrimitives((sizeBytes) => encapsulationSeed.slice(0, sizeBytes));
}

/**
 * Computes every known answer, in a few milliseconds.
 *
 * @param primitives - from {@link loadPrimitivesUnderTest}
 * @throws AppError `crypto-self-test-failed`; `data.primitive` names the first that is wrong
 */
export function checkKnownAnswers(
  primitives: Primitives,
  answers: readonly KnownAnswer[] = knownAnswers,
): void {
  for (const { name, compute, expected } of answers) {
    const failed = (cause?: unknown): AppError =>
      new AppError("crypto-self-test-failed", { data: { primitive: name }, cause });
    let answer: Uint8Array;
    try {
      answer = compute(primitives);
    } catch (cause) {
      throw failed(cause);
    }
    if (toHex(answer) !== expected) throw failed();
  }
}

/**
 * Checks what only some suites use, a tenth of a second together: before the first use, so that a start needn't wait for it.
 *
 * @throws AppError `crypto-self-test-failed`
 */
export async function checkRarePrimitives(names: readonly RarePrimitive[]): Promise<void> {
  const primitives = await loadPrimitivesUnderTest();
  checkKnownAnswers(
    primitives,
    names.map((name) => rareAnswers[name]),
  );
}

/** What passed. */
export interface SelfTestReport {
  /** How many known answers were checked. */
  readonly tests: number;
  /** libsodium's version. */
  readonly libsodium: string;
}

/**
 * Loads the primitives and checks them. To be called at each start, before anything else uses them.
 *
 * @throws AppError `crypto-self-test-failed`
 */
export async function runSelfTest(): Promise<SelfTestReport> {
  let primitives: Primitives;
  try {
    primitives = await loadPrimitivesUnderTest();
  } catch (cause) {
    throw new AppError("crypto-self-test-failed", { data: { primitive: "libsodium" }, cause });
  }
  checkKnownAnswers(primitives);
  return { tests: knownAnswers.length, libsodium: primitives.libsodiumVersion };
}
