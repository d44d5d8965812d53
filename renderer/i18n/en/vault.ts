/** The vault: the lock, what can be wrong with it, what protects it, what it holds. */
export const vault = {
  "lock.title": "Sotto is locked",
  "lock.start.passphrase": "Enter your passphrase to open the vault on this computer.",
  "lock.start.recovery-code": "Enter your recovery code to open the vault on this computer.",
  "lock.reason.person": "You locked it. Nothing of your messages is in memory.",
  "lock.reason.idle": "Nobody used Sotto for a while, so it locked itself.",
  "lock.reason.os-lock": "It locked itself together with this computer's screen.",
  "lock.reason.suspend": "It locked itself when this computer went to sleep.",
  "lock.submit": "Unlock",
  "lock.useCode": "Use recovery code",
  "lock.usePassphrase": "Use passphrase",
  "lock.capsLock": "Caps Lock is on.",
  "lock.newMessages": {
    one: "{count} new item since then",
    other: "{count} new items since then",
  },
  "lock.wait": "Too many wrong attempts. The next one is possible in {left}.",
  "lock.waitOver": "You can try again now.",
  "lock.attemptsLeft": {
    one: "This is the last attempt. If it is wrong too, the keys of this vault are destroyed, as your organisation has set.",
    other:
      "{count} attempts left. After the last one the keys of this vault are destroyed, as your organisation has set.",
  },
  "lock.help": "Can't get in?",
  "lock.help.code":
    "If you kept a recovery code, use it. It opens the vault without the passphrase; afterwards you can set a new one in the settings.",
  "lock.help.noCode": "No recovery code was made for this vault, so only the passphrase opens it.",
  "lock.help.nobody":
    "Nobody can reset your passphrase, not even your administrator. What is left is to erase this vault and to join again with a new invite.",
  "lock.needsPassphrase": "To lock Sotto, set a passphrase first.",

  "recoveryCode.label": "Recovery code",
  "recoveryCode.hint":
    "Capital or small letters, with or without hyphens. O and 0, I, L and 1 count as the same.",

  "erase.open": "Erase this vault…",
  "erase.title": "Erase this vault?",
  "erase.text":
    "Everything that Sotto keeps on this computer for this profile is destroyed: messages, drafts, keys and this device's identity. Copies on other people's devices stay until they end.",
  "erase.after":
    "Nothing brings it back. To use Sotto here again you need a new invite, and you come back as a new device.",
  "erase.phrase": "To confirm, type “{phrase}”",
  "erase.submit": "Erase everything",

  "problem.title.keychain": "The keychain can't be used",
  "problem.title.vault": "Your vault needs attention",
  "problem.title.erased": "This vault was erased",
  "problem.title.in-use": "Sotto is already open",
  "problem.title.disk": "The disk is full",
  "problem.title.encryption": "The encryption check failed",
  "problem.title.relay": "The relay can't be used",
  "problem.title.removed": "This computer was removed",
  "problem.title.other": "Something went wrong",
  "problem.code": "Error code: {code}",
  "problem.changed": "What has changed since the key was stored",
  "problem.changed.backend": "Key store",
  "problem.changed.application": "Application",
  "problem.changed.user": "Account on this computer",
  "problem.changed.path": "Folder",
  "problem.changed.value": "then {before}, now {now}",
  "problem.action.retry": "Try again",
  "problem.action.use-passphrase": "Use a passphrase",
  "problem.action.use-recovery-code": "Use recovery code",
  "problem.action.open-read-only": "Open for reading only",
  "problem.action.quit": "Quit Sotto",
  "problem.action.erase": "Erase this vault…",

  "notice.rolled-back.title": "An older copy of this vault was put back",
  "notice.rolled-back.rejoining": {
    one: "Messages that came after the copy was made may be missing. {count} conversation is still being joined anew; until then nothing is sent in it.",
    other:
      "Messages that came after the copy was made may be missing. {count} conversations are still being joined anew; until then nothing is sent in them.",
  },
  "notice.rolled-back.done":
    "Messages that came after the copy was made may be missing. Every conversation has been joined anew.",
  "notice.keychain-behind.title": "The keychain is behind",
  "notice.keychain-behind.text":
    "Sotto could not renew its key there. Until it can, what has ended might be opened with an old copy of this disk.",
  "notice.keychain-behind.renew": "Renew",
  "notice.keychain-weak.title": "This keychain is weak",
  "notice.keychain-weak.text":
    "{backend} keeps secrets without protection: whoever can read your files can open this vault. Set up a real keychain.",
  "notice.lock-required.title": "An app lock is required",
  "notice.lock-required.text": "Your organisation wants a passphrase on this computer's vault.",
  "notice.lock-required.set": "Set a passphrase",
  "notice.region": "Notices about the vault",
  "notice.more": { one: "{count} more notice", other: "{count} more notices" },

  "protection.intro":
    "Your messages lie in an encrypted vault on this computer. Any one of these opens it.",
  "protection.since": "Since {when}",
  "protection.forgetting.title": "What this changes about forgetting",
  "protection.forgetting.passphrase":
    "With the keychain alone, a message that has ended is gone even for somebody with an old copy of this disk. With a passphrase, whoever has such a copy and learns the passphrase could still open it. Choose one that can't be guessed.",
  "protection.forgetting.code":
    "With the keychain alone, a message that has ended is gone even for somebody with an old copy of this disk. With a recovery code, whoever has such a copy and finds the code could still open it. Keep the code away from this computer.",

  "protection.lock": "App lock",
  "protection.lock.off": "Off. Whoever can use your account on this computer can open Sotto.",
  "protection.lock.on": "On. Your passphrase opens Sotto.",
  "protection.lock.set": "Set a passphrase",
  "protection.lock.change": "Change passphrase",
  "protection.lock.remove": "Turn off",
  "protection.lock.now": "Lock now",
  "protection.lock.required": "Required by your organisation, so it can't be turned off.",
  "protection.lock.requiredMissing": "Required by your organisation: set a passphrase.",
  "protection.lock.only":
    "Without a keychain the passphrase is all that opens this vault, so it can't be removed.",
  "protection.lock.attempts": {
    one: "After {count} wrong attempt the keys of this vault are destroyed, as your organisation has set.",
    other:
      "After {count} wrong attempts the keys of this vault are destroyed, as your organisation has set.",
  },
  "protection.lock.idle": "Lock when Sotto isn't used for",
  "protection.lock.never": "Never",
  "protection.lock.forbidden": "{duration}: longer than allowed",
  "protection.lock.neverForbidden": "Never: not allowed",
  "protection.lock.maxIdle": "Your organisation allows at most {duration}.",
  "protection.lock.onOsLock": "Lock with the screen",
  "protection.lock.onOsLockText": "When this computer's screen is locked.",
  "protection.lock.onSuspend": "Lock on sleep",
  "protection.lock.onSuspendText": "When this computer goes to sleep or is shut.",
  "protection.lock.needsPassphrase": "For these, set a passphrase first.",

  "protection.code": "Recovery code",
  "protection.code.none":
    "None. If you forget the passphrase or lose the keychain, nobody can open this vault.",
  "protection.code.there": "Opens this vault when passphrase and keychain are lost.",
  "protection.code.create": "Create recovery code",
  "protection.code.replace": "Replace",
  "protection.code.remove": "Remove",
  "protection.code.forbidden": "Your organisation doesn't allow recovery codes.",
  "protection.code.removeTitle": "Remove the recovery code?",
  "protection.code.removeText":
    "The code that you kept won't open this vault any more. You can create another at any time.",
  "protection.code.replaceTitle": "Replace the recovery code?",
  "protection.code.replaceText":
    "You get a new code. The one that you kept won't open this vault any more.",
  "protection.code.removed": "Recovery code removed",

  "protection.keychain": "Keychain",
  "protection.keychain.named": "Keychain: {backend}",
  "protection.keychain.in-step": "Holds the present key of this vault, and no older one.",
  "protection.keychain.behind":
    "Holds an older key: what has ended might be opened with an old copy of this disk.",
  "protection.keychain.unavailable": "Can't be reached now. Sotto tries again by itself.",
  "protection.keychain.none": "Not used: the passphrase takes its place.",
  "protection.keychain.add": "Keep the key in this computer's keychain too",
  "protection.keychain.added": "The keychain holds the key too",
  "protection.keychain.renew": "Renew",
  "protection.keychain.renewed": "Keychain renewed",
  "protection.keychain.weak":
    "It keeps secrets without protection: whoever can read your files can open this vault. Your organisation allows that.",

  "protection.organisation": "Organisation recovery",
  "protection.organisation.there":
    "Your organisation can open this vault with a recovery key that its security officers hold.",
  "protection.organisation.why": "Set by your organisation; it can't be removed here.",
  "protection.organisation.none": "Not set up: your organisation can't open this vault.",

  "passphraseDialog.set.title": "Set a passphrase",
  "passphraseDialog.set.text":
    "You enter it when Sotto starts and whenever it was locked. Nobody can reset it.",
  "passphraseDialog.set.submit": "Turn on app lock",
  "passphraseDialog.set.done": "App lock is on",
  "passphraseDialog.change.title": "Change passphrase",
  "passphraseDialog.change.text": "The old passphrase stops working at once.",
  "passphraseDialog.change.submit": "Change passphrase",
  "passphraseDialog.change.done": "Passphrase changed",
  "passphraseDialog.replace.title": "Set a new passphrase",
  "passphraseDialog.replace.text":
    "The recovery code opened this vault, so the old passphrase isn't asked for. It stops working at once.",
  "passphraseDialog.replace.submit": "Set new passphrase",
  "passphraseDialog.replace.done": "Passphrase changed",
  "passphraseDialog.remove.title": "Turn off app lock?",
  "passphraseDialog.remove.text":
    "From then on the keychain alone opens Sotto: whoever can use your account on this computer can read your messages.",
  "passphraseDialog.remove.submit": "Turn off app lock",
  "passphraseDialog.remove.done": "App lock is off",
  "passphraseDialog.current": "Present passphrase",
  "passphraseDialog.new": "New passphrase",
  "passphraseDialog.currentRequired": "Enter the present passphrase.",

  "codeProof.create.title": "Create a recovery code",
  "codeProof.create.text":
    "Whoever has the code can open this vault without the passphrase, so the passphrase is asked for first.",
  "codeProof.create.submit": "Create recovery code",
  "codeProof.replace.title": "Replace the recovery code?",
  "codeProof.replace.text":
    "You get a new code. The one that you kept won't open this vault any more. The passphrase is asked for first.",
  "codeProof.replace.submit": "Replace",
  "codeProof.remove.title": "Remove the recovery code?",
  "codeProof.remove.text":
    "The code that you kept won't open this vault any more. If you then forget the passphrase, it can't help you.",
  "codeProof.remove.submit": "Remove",

  "codeDialog.title": "Your recovery code",
  "codeDialog.text":
    "Write it down or print it, and keep it where you keep important papers. It is shown only now; Sotto keeps no copy.",
  "codeDialog.code": "Recovery code",
  "codeDialog.copy": "Copy",
  "codeDialog.copied": "Recovery code copied. Other programs can read the clipboard.",
  "codeDialog.print": "Print",
  "codeDialog.kept": "I have kept this code in a safe place",
  "codeDialog.leaveTitle": "Close without keeping the code?",
  "codeDialog.leaveText":
    "It can't be shown again. If you haven't kept it, create another one: that replaces this one.",
  "codeDialog.leaveConfirm": "Close",
  "codeSheet.title": "Sotto recovery code",
  "codeSheet.person": "Name",
  "codeSheet.network": "Network",
  "codeSheet.profile": "Profile",
  "codeSheet.date": "Made on",
  "codeSheet.use":
    "To open the vault, choose “Use recovery code” when Sotto is locked and type the code. Capital and small letters, hyphens and spaces make no difference.",
  "codeSheet.keep":
    "Whoever has this sheet and this computer can read what its vault holds. Keep the two apart. A new code makes this one useless.",

  "storage.messages": "Messages",
  "storage.bytes": "On this disk",
  "storage.health": "Vault",
  "storage.health.healthy": "Whole",
  "storage.health.damaged": "Damaged",
  "storage.health.read-only": "Reading only",
  "storage.health.healthyText":
    "Every part was checked against its seal when the vault was opened.",
  "storage.health.damagedText":
    "Frame {frame} of the file {file} doesn't match its seal. What lies before it can be read; nothing is written.",
  "storage.health.damagedUnknown":
    "A part doesn't match its seal. What lies before it can be read; nothing is written.",
  "storage.health.readOnlyText":
    "The vault can be read but not written. Look at the disk and the folder's permissions, then start Sotto again.",
  "storage.ends": "When messages end",
  "storage.ends.within": "Within {duration}",
  "storage.ends.later": "Later",
  "storage.ends.count": { one: "{count} message", other: "{count} messages" },
  "storage.ends.summary": "Messages by the time in which they end: {spans}.",
  "storage.ends.span": "{span}: {count}",
  "storage.ends.table": "Show as a table",
  "storage.ends.tableSpan": "Ends",
  "storage.ends.none": "There are no messages on this computer.",
  "storage.ends.note":
    "Each message ends at its time: its key is destroyed, and no copy of the files opens it after that. If Sotto isn't running then, the next start shows nothing of it, and destroys its key once the time is certain: with the relay's word, or after ten minutes without it.",
  "storage.slots": "Opened by",
  "storage.slot.keychain": "Keychain",
  "storage.slot.passphrase": "Passphrase",
  "storage.slot.recovery-code": "Recovery code",
  "storage.slot.organisation": "Organisation",
  "storage.compact": "Compact now",
  "storage.compactText":
    "Writes the files anew without what has ended. Sotto does so by itself; you can go on working meanwhile.",
  "storage.compacting": "Writing the files anew",
  "storage.compacted": "Done: {before} became {after}.",
  "storage.details": "Details",
  "storage.details.generation": "Generation of the files",
  "storage.details.sequence": "Transactions so far",
  "storage.details.snapshot": "Snapshot",
  "storage.details.log": "Log",
  "storage.details.logValue": {
    one: "{size} in {count} frame",
    other: "{size} in {count} frames",
  },
  "storage.details.keyring": "Keyring",
  "storage.details.revision": "Revision of the keyring",
  "storage.details.nodes": "Nodes of the key tree",
  "storage.details.destruction": "Keys last destroyed",
  "storage.details.compaction": "Files last written anew",
  "storage.details.notYet": "Not since Sotto was started",
} as const;
