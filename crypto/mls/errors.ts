import { CodecError, CryptoVerificationError, MlsError } from "ts-mls/mlsError.js";
import { AppError, type ErrorCode } from "#protocol";

/**
 * The one place where what ts-mls throws becomes an {@link AppError}. What others sent can make the library throw anything,
 * `TypeError`s included; so everything unforeseen is the fault of what was being taken, not a bug of ours.
 *
 * @param fallback - what it means when the library doesn't say more
 */
export function mapMlsError(error: unknown, fallback: ErrorCode): AppError {
  if (error instanceof AppError) {
    // Our provider's way of saying that an input isn't a key or a ciphertext.
    return error.code === "argument-invalid" ? new AppError(fallback, { cause: error }) : error;
  }
  if (error instanceof CryptoVerificationError) {
    return new AppError("signature-invalid", { cause: error });
  }
  if (error instanceof CodecError) return new AppError("frame-malformed", { cause: error });
  const reason = error instanceof MlsError ? error.message : "unexpected";
  return new AppError(fallback, { cause: error, data: { reason } });
}

/** Runs what calls the library, with its errors mapped. */
export async function mappingErrors<Result>(
  fallback: ErrorCode,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw mapMlsError(error, fallback);
  }
}
