import { AppError, isErrorCode, type CommandAnswer } from "#protocol";

/**
 * The result that an answer carries.
 *
 * @throws AppError the one that the answer carries
 */
export function unwrapAnswer(answer: CommandAnswer): unknown {
  if (answer.ok) return answer.result;
  throw isErrorCode(answer.error.code) ? AppError.fromWire(answer.error) : new AppError("internal");
}
