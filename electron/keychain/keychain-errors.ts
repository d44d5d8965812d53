import { AppError, type ErrorCode } from "#protocol";

/*
 * keytar passes on the words of libsecret, of the Security framework or of Windows, and nothing else: no code. The first two come in
 * English whatever the language of the desktop as far as they are listed here; what is not recognised counts as a refusal.
 */
const patterns: readonly (readonly [RegExp, ErrorCode])[] = [
  // D-Bus or the Secret Service isn't there.
  [
    /autolaunch d-bus|dbus-launch|could not connect|connection refused|cannot spawn/iu,
    "keychain-absent",
  ],
  [/not provided by any \.service|serviceunknown|name has no owner/iu, "keychain-absent"],
  [/disconnected from message bus|connection is closed/iu, "keychain-absent"],
  // It is there, but has no collection to store in.
  [/object does not exist at path|no such secret collection|no such object/iu, "keychain-absent"],
  // macOS: errSecNotAvailable, errSecNoDefaultKeychain, errSecNoSuchKeychain.
  [/no keychain is available|keychain could not be found/iu, "keychain-absent"],
  // Windows: ERROR_NO_SUCH_LOGON_SESSION.
  [/logon session does not exist/iu, "keychain-absent"],
  // The binary itself, or a library it needs.
  [
    /failed to load keytar|cannot find (module|package)|cannot open shared object/iu,
    "keychain-absent",
  ],
  [/timeout was reached|timed out/iu, "keychain-timeout"],
];

/** What keytar's failure means for people. */
export function mapKeychainError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  const known = patterns.find(([pattern]) => pattern.test(words));
  return new AppError(known?.[1] ?? "keychain-denied", { cause });
}
