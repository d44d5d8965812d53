/** Comparing keys with people, and what happens when one changes. */
export const trust = {
  "trust.verified": "Verified",
  "trust.changed": "Key changed",

  "verify.open": "Verify",
  "verify.openWith": "Verify {name}",
  "verify.again": "Verify again",
  "verify.title": "Verify with {name}",
  "verify.explain":
    "Compare the number with {name}, side by side or in a call in which you know their voice. If it is the same for both of you, nobody sits in between.",
  "verify.explainChanged":
    "{name} has another key than the one you verified: they may have set up Sotto anew, or somebody pretends to be them. Compare the new number before you go on.",
  "verify.loading": "Computing the safety number",
  "verify.number": "Safety number with {name}",
  "verify.copy": "Copy number",
  "verify.copied": "Safety number copied",
  "verify.qr": "QR code of the safety number, for {name} to scan",
  "verify.scanTitle": "Scan their code",
  "verify.scanText":
    "Drop or paste a picture of the code that {name} sees, choose a file, or take it from the screen.",
  "verify.scanFile": "Choose picture",
  "verify.scanScreen": "Scan the screen",
  "verify.noCode":
    "There is no readable QR code in this picture. Take one that shows the whole code, straight and sharp.",
  "verify.notPicture": "This is no picture that can be read.",
  "verify.noScreen": "The screen could not be taken. Use a picture of the code.",
  "verify.verdict.matches": "It matches. This is {name}'s code, and both keys are right.",
  "verify.verdict.differs":
    "Stop: it doesn't match. This is {name}'s code, but for other keys. Somebody may be sitting in between. Write nothing confidential, and ask whoever runs your network.",
  "verify.verdict.other-person": "This is the code of somebody else, not of {name}.",
  "verify.verdict.other-reader":
    "{name} has opened this code for somebody else. They must open “Verify” in their conversation with you.",
  "verify.verdict.own": "This is your own code. Scan the one that {name} sees.",
  "verify.verdict.newer": "This code was made by a newer Sotto. Update Sotto to read it.",
  "verify.verdict.unreadable": "This QR code is no safety number of Sotto.",
  "verify.mark": "Mark as verified",
  "verify.marked": "{name} is verified",
  "verify.clear": "Clear verification",
  "verify.cleared": "{name} is no longer marked as verified",
  "verify.stateDigits": "You verified {name} by the number",
  "verify.stateCode": "You verified {name} by their code",
  "verify.local":
    "{when}. Kept on this computer only: your other devices and {name} don't hear of it.",
  "verify.devices": { one: "{count} device", other: "{count} devices" },
  "verify.since": "Since {when}",
  "verify.deviceKey": "Key {fingerprint}",
  "verify.noDevices": "No device is known.",

  "stopped.title": "The key of {people} has changed",
  "stopped.text":
    "You had verified it. Nothing you write here is sent until you verify again; what waits is kept.",
  "stopped.what": "What does this mean?",
  "stopped.about.title": "When a key changes",
  "stopped.about.text":
    "Your network says that {name} has another key. That happens when somebody sets up Sotto anew without their other devices. It also happens when whoever runs the network, or an intruder there, puts a key of their own in its place to read along.",
  "stopped.about.do":
    "Ask {name} over another channel whether they set up Sotto anew, and compare the new safety number. You can also go on without comparing: then {name} is no longer verified, and if somebody sits in between, they read what you write.",
  "stopped.accept": "Go on without verifying",
  "stopped.acceptTitle": "Go on without verifying {name}?",
  "stopped.acceptText":
    "What waits is sent to the new key. If it isn't {name}'s, somebody else reads it.",
  "stopped.accepted": "{name}'s new key is used, unverified",

  "voucher.what": "What can I do?",
  "voucher.title": "Join again by somebody's word?",
  "voucher.text":
    "This computer has to join “{title}” anew, and nobody whom it knew there says who is in it now. Only this person does, whom it did not know there:",
  "voucher.danger":
    "If {name} was removed or has left, they may be deceiving you, together with the relay. What waits here, and what you write, would go to them, and perhaps to the people they name.",
  "voucher.do": "Ask somebody who is in the conversation first, in person or by phone.",
  "voucher.people": "Also in it, by their word",
  "voucher.wait": "Keep waiting",
  "voucher.join": "Join by their word",

  "system.keyChanged":
    "{by}'s key has changed. If you didn't expect that, compare your safety number.",
  "system.keyChangedStopped":
    "{by}'s key has changed. You had verified it, so nothing is sent until you verify again.",
  "system.keyVerified": "You verified {by}'s new key",
  "system.keyAccepted": "You went on with {by}'s new key without verifying it",
  "system.deviceAdded": "{by} added the computer “{device}”",
  "system.deviceRemoved": "{by} removed the computer “{device}”",
  "system.objection.person":
    "The relay gave out a record of {by} that your network hasn't signed, or an older one. It was refused. Tell whoever runs your network.",
  "system.objection.device":
    "The relay named a computer of {by} that isn't validly signed. It was refused, and reads nothing. Tell whoever runs your network.",
  "system.objection.exclusion":
    "The relay said without a valid signature that {by} was suspended or has lost a computer. It was refused. Tell whoever runs your network.",
  "system.objection.leftOut":
    "The relay keeps back a computer of {by} that nobody has removed. It stays known here. Tell whoever runs your network.",

  "notice.own-key.title": "Your network gives you another key",
  "notice.own-key.text":
    "The directory names a key for your account that this computer doesn't have. Sotto doesn't believe it, but others may. Ask whoever runs your network, and tell the people you write to.",
  "notice.relay-objections.title": "The relay's directory isn't right",
  "notice.relay-objections.text":
    "What it says of {people} isn't validly signed, or leaves something out. Sotto believes none of it. Tell whoever runs your network: the relay may have been tampered with.",
  "notice.relay-objections.unknown":
    "It names somebody unknown whom your network hasn't signed. Sotto believes none of it. Tell whoever runs your network: the relay may have been tampered with.",
  "notice.directory-behind.title": "The relay has forgotten something",
  "notice.directory-behind.text":
    "Its directory of people and computers is older than the one you have. Nothing is forgotten here. Ask whoever runs your network whether a backup was put back; if not, the relay may have been tampered with.",
  "notice.own-device.title": "A computer was added to your account",
  "notice.own-device.text":
    "“{device}” reads your conversations from now on. If you don't know it, remove it.",
  "notice.own.dismiss": "I've read this",
  "notice.own-device.show": "Show devices",
} as const;
