import { AppError } from "#protocol";

/** Node's name of a file system failure, or undefined. */
export function fileErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** What a failure to write means for people. */
export function mapWriteError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const reason = fileErrorCode(cause) ?? "unknown";
  const isFull = reason === "ENOSPC" || reason === "EDQUOT";
  return new AppError(isFull ? "disk-full" : "vault-write-failed", { cause, data: { reason } });
}

/** Whether a failure says that this directory or file is not to be written at all. */
export function isWriteProtected(error: unknown): boolean {
  return ["EROFS", "EACCES", "EPERM"].includes(fileErrorCode(error) ?? "");
}
