/**
 * Whose doing a failure is: a remote party's, the calling code's, the machine's or network's, or ours.
 */
export type Fault = "peer" | "caller" | "environment" | "bug";

interface ErrorKind {
  readonly fault: Fault;
  /** For people, in English: what happened, and what to do. No secrets, no ids. */
  readonly text: string;
}

/** Every error code, whose fault it is, and its words. `docs/errors.md` is held equal to this table by a test. */
export const errorKinds = {
  "argument-invalid": {
    fault: "caller",
    text: "That can't be done with these values. Check what you entered and try again.",
  },
  "command-unknown": {
    fault: "caller",
    text: "This window asked for something Sotto doesn't know. Reload the window.",
  },
  "sender-refused": {
    fault: "caller",
    text: "A request came from a place that may not make it, and was refused.",
  },
  "not-found": {
    fault: "caller",
    text: "That is no longer here. It may have ended or been removed.",
  },
  "not-ready": {
    fault: "caller",
    text: "Sotto is still starting or is locked. Try again in a moment.",
  },
  "not-allowed": {
    fault: "caller",
    text: "Your role doesn't allow that. Ask an administrator.",
  },
  "conversation-over": {
    fault: "caller",
    text: "This conversation is over for you, so nothing can be sent or changed there. Copy what you still need. In a group, somebody who is in it can add you again.",
  },
  "person-leaving": {
    fault: "caller",
    text: "This person is leaving the conversation, so their role there can't change any more. Nothing was changed.",
  },
  "policy-forbids": {
    fault: "caller",
    text: "Your organisation's policy doesn't allow that. Settings shows what it allows.",
  },
  "message-too-long": {
    fault: "caller",
    text: "The message is too long. Shorten it or send it in parts.",
  },
  "profile-name-invalid": {
    fault: "caller",
    text: "A profile's name has 1 to 32 lower-case letters, digits, hyphens or underscores, and begins with a letter or digit.",
  },
  "name-invalid": { fault: "caller", text: "A name has 1 to 80 characters and isn't only spaces." },
  "frame-malformed": {
    fault: "peer",
    text: "Something arrived that doesn't have the agreed form. It was refused; nothing was lost.",
  },
  "frame-too-large": {
    fault: "peer",
    text: "Something arrived that is larger than allowed. It was refused; nothing was lost.",
  },
  "frame-out-of-order": {
    fault: "peer",
    text: "The relay sent something out of order. Sotto connects again and fetches it anew.",
  },
  "protocol-version-unknown": {
    fault: "peer",
    text: "The other side speaks a version this Sotto doesn't know. Update Sotto, or ask your administrator to update the relay.",
  },
  "signature-invalid": {
    fault: "peer",
    text: "A signature doesn't match what it should protect. It was refused; tell your security officer if it happens again.",
  },
  "record-invalid": {
    fault: "peer",
    text: "The relay gave a directory record that isn't properly signed. It was refused; tell your security officer.",
  },
  "relay-identity-changed": {
    fault: "peer",
    text: "The relay at this address doesn't belong to your organisation's network. Nothing was sent. Ask your administrator.",
  },
  "policy-rollback": {
    fault: "peer",
    text: "The relay offered an older policy than you already have. It was refused; tell your administrator.",
  },
  "sign-in-refused": {
    fault: "peer",
    text: "The relay doesn't know this device. Ask your administrator whether it was removed.",
  },
  "device-revoked": {
    fault: "peer",
    text: "This computer was removed from your account, so it gets and sends nothing any more. What it has here stays until it ends. If you didn't remove it, tell your administrator.",
  },
  "account-suspended": {
    fault: "peer",
    text: "An administrator has suspended your account. This computer gets and sends nothing, and leaves your conversations. Ask your administrator.",
  },
  "too-many-devices": {
    fault: "caller",
    text: "An account has at most 10 computers at a time and 50 in all. Remove one that you no longer use, then try again.",
  },
  "network-key-missing": {
    fault: "caller",
    text: "This computer doesn't hold the network's key. Only the computer on which the network was founded can suspend people or change the rules.",
  },
  "invite-malformed": {
    fault: "caller",
    text: "This isn't a complete Sotto invite link. Copy the whole link, or ask for a new one.",
  },
  "invite-unknown": {
    fault: "caller",
    text: "The relay doesn't know this invite. It may have been withdrawn; ask for a new one.",
  },
  "invite-expired": { fault: "caller", text: "This invite has expired. Ask for a new one." },
  "invite-used": {
    fault: "caller",
    text: "This invite has already been used. Ask for a new one; an invite works once unless it says otherwise.",
  },
  "link-code-malformed": {
    fault: "caller",
    text: "This isn't a complete code. Copy all of it from your other computer, or look for a mistyped character.",
  },
  "link-code-unknown": {
    fault: "caller",
    text: "This code isn't known there. It may have ended after ten minutes, or the address may be another relay's. Show a new code on your other computer.",
  },
  "link-code-used": {
    fault: "caller",
    text: "Another computer has used this code already. If that wasn't you, choose “They differ” on your other computer. Then show a new code there.",
  },
  "link-ended": {
    fault: "environment",
    text: "Your other computer has ended this, or the ten minutes are over. Nothing was added. Show a new code to begin again.",
  },
  "link-declined": {
    fault: "caller",
    text: "Your other computer has declined this, or could not go on. Nothing was added. Show a new code to begin again.",
  },
  "link-symbols-differ": {
    fault: "peer",
    text: "The symbols differ, so somebody may have stood between your two computers. Nothing was added and nothing was given away. Use another way to carry the code, and tell your security officer if it happens again.",
  },
  "link-open": {
    fault: "environment",
    text: "The other computer hasn't said that it is done. Look there: if Sotto doesn't show your conversations, remove it from this list and begin again.",
  },
  "link-refused": {
    fault: "peer",
    text: "What came from the other computer doesn't fit the code, so it was refused. Nothing was added. Show a new code to begin again.",
  },
  "network-claimed": {
    fault: "caller",
    text: "This relay already belongs to a network. Ask its administrator for an invite.",
  },
  "claim-refused": {
    fault: "caller",
    text: "The claim code doesn't match the one this relay printed when it started first.",
  },
  "conversation-exists": { fault: "caller", text: "A conversation with this id is already there." },
  "rate-limited": {
    fault: "caller",
    text: "Too many requests in a short time. Sotto waits a moment and tries again by itself.",
  },
  "key-packages-exhausted": {
    fault: "environment",
    text: "This person's device has no keys left for new conversations. Try again when they have been on line.",
  },
  "suite-outdated": {
    fault: "environment",
    text: "This conversation still has an earlier cipher suite, and this person's device has no keys of it any more. They can be added when it has changed; its details say what it waits for.",
  },
  "conversation-too-large": {
    fault: "caller",
    text: "That is more computers than fit in one change of this conversation. Add fewer people at once; a conversation that is full takes nobody more.",
  },
  "key-package-foreign": {
    fault: "peer",
    text: "The relay handed out the keys of another device than the one you wanted to add. Nobody was added and nothing was sent. Tell your administrator: the relay may have been tampered with.",
  },
  "message-unopenable": {
    fault: "peer",
    text: "A message could not be opened on this device. It is shown as such, and the sender can send it again.",
  },
  "commit-refused": {
    fault: "peer",
    text: "A change to this conversation broke its rules and was refused on this device.",
  },
  "epoch-unknown": {
    fault: "environment",
    text: "This device must first catch up with the conversation. It does so by itself.",
  },
  "conversation-stuck": {
    fault: "environment",
    text: "This device can't follow a change to this conversation. Sotto mends that by itself, and what you send waits; if it lasts, ask a member to remove you and add you again.",
  },
  "members-unvouched": {
    fault: "peer",
    text: "Nobody whom this device knows in this conversation says who is in it now. What you send waits, and Sotto tries again. If it lasts, ask somebody who is in it by another way; then you can join by the word of whoever is named.",
  },
  "voucher-changed": {
    fault: "peer",
    text: "Who says who is in this conversation has changed, or this device has learned more about it. Nothing was joined. Look again at who is named now.",
  },
  "device-unknown": {
    fault: "environment",
    text: "A device isn't in the directory yet. Sotto fetches the directory and tries again.",
  },
  "relay-unreachable": {
    fault: "environment",
    text: "The relay can't be reached. Messages wait here and are sent when the connection is back.",
  },
  "relay-storage-failed": {
    fault: "environment",
    text: "The relay could not store that, perhaps because its disk is full. Nothing was acknowledged; Sotto tries again. Tell whoever runs the relay.",
  },
  "relay-start-failed": {
    fault: "environment",
    text: "The relay on this computer could not start. Another program may be using its port or its folder.",
  },
  "keychain-absent": {
    fault: "environment",
    text: "This computer has no keychain that Sotto can use. Unlock or set one up, or protect Sotto with a passphrase instead.",
  },
  "keychain-timeout": {
    fault: "environment",
    text: "The keychain didn't answer within 15 seconds. A window asking for its password may be waiting behind others. Answer it and try again, or use a passphrase.",
  },
  "keychain-denied": {
    fault: "environment",
    text: "The keychain refused access. Unlock it and allow Sotto, then try again.",
  },
  "keychain-weak": {
    fault: "environment",
    text: "This computer's keychain keeps secrets without protection, so Sotto doesn't use it. Set up a real keychain or use a passphrase.",
  },
  "vault-key-missing": {
    fault: "environment",
    text: "The keychain no longer holds the key to this computer's Sotto vault. Nothing was deleted. Restore the keychain, or unlock with a passphrase if you set one.",
  },
  "vault-key-wrong": {
    fault: "environment",
    text: "The key in the keychain isn't the key of this vault; it may belong to another copy. Nothing was changed.",
  },
  "passphrase-wrong": {
    fault: "caller",
    text: "That isn't the passphrase of this vault. Try again.",
  },
  "recovery-code-wrong": {
    fault: "caller",
    text: "That isn't the recovery code of this vault. Look for a mistyped or missing character and try again.",
  },
  "unlock-delayed": {
    fault: "caller",
    text: "Too many wrong attempts. Wait until the time shown, then try again.",
  },
  "vault-erased": {
    fault: "environment",
    text: "After too many wrong attempts, as your organisation has set, the keys of this vault were destroyed. What it held can't be opened any more. Ask your administrator for a new invite and start again.",
  },
  "passphrase-weak": {
    fault: "caller",
    text: "Choose a passphrase of at least 12 characters; four unrelated words are a good one.",
  },
  "vault-missing": { fault: "caller", text: "There is no vault here yet." },
  "vault-exists": {
    fault: "caller",
    text: "There already is a vault here. Sotto never puts a new one over it.",
  },
  "safety-number-changed": {
    fault: "peer",
    text: "The safety number has changed while it was shown. Compare the new one before you decide.",
  },
  "vault-damaged": {
    fault: "environment",
    text: "A file of this vault is damaged. Sotto shows what could be read up to the damage and writes nothing. Restore the folder from a backup, or join again from another device.",
  },
  "vault-newer-format": {
    fault: "environment",
    text: "This vault was written by a newer Sotto. Update Sotto to open it; nothing was changed.",
  },
  "vault-older-format": {
    fault: "environment",
    text: "This vault was written by a development version of Sotto whose format is no longer read. Nothing was changed. Start with another profile, or move the folder away.",
  },
  "vault-in-use": {
    fault: "environment",
    text: "Sotto is already running with this profile. Use the window that is open.",
  },
  "vault-write-failed": {
    fault: "environment",
    text: "The vault could not be written. What you see is safe; new messages wait until Sotto is started again.",
  },
  "vault-read-only": {
    fault: "environment",
    text: "The vault is open for reading only, because of damage or because its folder can't be written.",
  },
  "disk-full": {
    fault: "environment",
    text: "The disk is full. Nothing was lost, but nothing new can be kept. Free some space and start Sotto again.",
  },
  "clock-differs": {
    fault: "environment",
    text: "The relay's clock and this computer's clock differ by more than ten minutes, so Sotto doesn't know when messages end. Nothing was ended. Check the date, the time and the time zone of this computer, and tell whoever runs the relay if they are right.",
  },
  "vault-rolled-back": {
    fault: "environment",
    text: "This folder is an older copy of a vault that this computer has used since. The keychain holds later keys only. Put the newest copy back, or use your passphrase or recovery code; Sotto then joins each conversation anew before it sends.",
  },
  "crypto-self-test-failed": {
    fault: "environment",
    text: "Sotto's encryption failed its self-test on this computer, so it doesn't start. Install Sotto again or tell your IT department.",
  },
  "worker-stopped": {
    fault: "environment",
    text: "Sotto's encryption process stopped and is being started again. Nothing was lost.",
  },
  "group-unknown": { fault: "bug", text: "A conversation was used before it was loaded." },
  internal: {
    fault: "bug",
    text: "Something went wrong in Sotto itself. Nothing was lost; start Sotto again and report it if it stays.",
  },
} as const satisfies Readonly<Record<string, ErrorKind>>;

/** A literal name of something that can go wrong. */
export type ErrorCode = keyof typeof errorKinds;

/** Plain values that may be logged and shown: no content, no key, no name of a person. */
export type SafeData = Readonly<Record<string, string | number | boolean | null>>;

/** An {@link AppError} as it crosses a port, a socket or IPC. */
export interface WireError {
  readonly code: ErrorCode;
  readonly data?: SafeData;
}

/** The one error type of Sotto. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly data: SafeData;

  /**
   * @param code - one of {@link errorKinds}
   * @param details - `data` is safe to log; `cause` stays on this side of any port
   */
  constructor(
    code: ErrorCode,
    details: { readonly data?: SafeData; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${errorKinds[code].text}`, { cause: details.cause });
    this.name = "AppError";
    this.code = code;
    this.data = details.data ?? {};
  }

  get fault(): Fault {
    return errorKinds[this.code].fault;
  }

  toWire(): WireError {
    return Object.keys(this.data).length === 0
      ? { code: this.code }
      : { code: this.code, data: this.data };
  }

  static fromWire(wire: WireError): AppError {
    return new AppError(wire.code, wire.data === undefined ? {} : { data: wire.data });
  }
}

/**
 * Why a conversation's log can't be read on: a commit names devices that the directory doesn't have; a commit was refused, or is missing; or
 * nobody known vouches for what would be joined anew.
 */
export type BlockingCode = "device-unknown" | "conversation-stuck" | "members-unvouched";

export function isBlockingCode(code: ErrorCode): code is BlockingCode {
  return code === "device-unknown" || code === "conversation-stuck" || code === "members-unvouched";
}

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(errorKinds, text);
}

/** `error` itself when it is an {@link AppError}, otherwise an `internal` one that carries it as cause. */
export function ensureAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError("internal", { cause: error });
}
