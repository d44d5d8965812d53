/** The first screen of a new profile, and what is shown while Sotto starts. */
export const firstRun = {
  "firstRun.title": "Welcome to Sotto",
  "firstRun.claim": "Private conversations in which every message has an end.",
  "firstRun.doors": "How do you want to begin?",
  "firstRun.join.title": "Join your organisation",
  "firstRun.join.text": "With an invite link from your administrator or a colleague.",
  "firstRun.link.title": "Add this computer to my account",
  "firstRun.link.text": "With a code from a device where you already use Sotto.",
  "firstRun.host.title": "Host a network on this computer",
  "firstRun.host.text": "Try Sotto, or run it for your team. You become its administrator.",

  "firstRun.join.heading": "Join your organisation",
  "firstRun.join.link": "Invite link",
  "firstRun.join.linkHint": "It begins with sotto://join/ and works for a limited time.",
  "firstRun.join.paste": "Paste",
  "firstRun.join.checking": "Reading the invite",
  "firstRun.join.network": "You are joining {network}",
  "firstRun.join.relay": "Through the relay {relay}",
  "firstRun.join.submit": "Join",
  "firstRun.join.submitNamed": "Join {network}",

  "firstRun.host.heading": "Host a network on this computer",
  "firstRun.host.explainTitle": "Runs on this computer",
  "firstRun.host.explain":
    "Sotto starts a relay inside this app. Others reach it while this app runs. You can invite them as soon as you are in.",
  "firstRun.host.networkName": "Name of the network",
  "firstRun.host.networkNameHint": "Your organisation or team, as invited people will see it.",
  "firstRun.host.submit": "Create network",

  "firstRun.name": "Your name",
  "firstRun.nameHint": "Colleagues see it beside your messages.",
  "firstRun.name.required": "Enter a name of 1 to 80 characters.",

  "firstRun.profile": "Profile: {profile}",

  "passphrase.title": "Protect this computer's vault",
  "passphrase.label": "Passphrase",
  "passphrase.repeat": "Repeat the passphrase",
  "passphrase.hint":
    "At least 12 characters. Four unrelated words are easy to remember and hard to guess.",
  "passphrase.why":
    "Your messages are kept in an encrypted vault. Its key would normally lie in this computer's keychain. Without one, a passphrase that you enter at each start takes its place. Nobody can reset it.",
  "passphrase.differs": "The two passphrases are not the same.",
  "passphrase.tooShort": "Use at least 12 characters.",
  "passphrase.show": "Show passphrase",
  "passphrase.hide": "Hide passphrase",
  "passphrase.strength": "Strength: {strength}",
  "passphrase.strength.weak": "weak",
  "passphrase.strength.fair": "fair",
  "passphrase.strength.good": "good",
  "passphrase.strength.strong": "strong",

  "starting.title": "Starting Sotto",
  "starting.titleNew": "Setting up Sotto",
  "starting.starting": "Starting",
  "starting.unlocking": "Opening the vault",
  "starting.making-keys": "Making your keys",
  "starting.starting-relay": "Starting the relay",
  "starting.joining": "Joining the network",
  "starting.sweeping": "Removing what has ended",
} as const;
