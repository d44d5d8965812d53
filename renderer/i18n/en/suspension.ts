/** Suspending people: for administrators of the network, and for who is suspended. */
export const suspension = {
  "suspension.people": "People",
  "suspension.nobody": "Nobody else is in the network yet.",
  "suspension.suspended": "Suspended",
  "suspension.suspendAsk": "Suspend…",
  "suspension.suspendOf": "Suspend {name}…",
  "suspension.suspend": "Suspend",
  "suspension.suspendTitle": "Suspend {name}?",
  "suspension.suspendText":
    "Their computers are cut off from the relay at once, and leave every conversation as soon as one of its members is on line. What they have already received stays with them until it ends.",
  "suspension.suspendDone": "{name} is suspended",
  "suspension.lift": "Lift suspension",
  "suspension.liftOf": "Lift suspension of {name}",
  "suspension.liftTitle": "Lift the suspension of {name}?",
  "suspension.liftText":
    "Their computers can sign in again. They are in no conversation until somebody adds them.",
  "suspension.liftDone": "{name} is no longer suspended",
  "suspended.title": "Your account is suspended",
  "suspended.note":
    "Nothing is sent or received. The messages you have here end when their timers say. Ask your administrator.",
  "suspended.composer": "Your account is suspended, so nothing can be sent.",
  "suspended.what": "What happened",
  "suspended.whatText":
    "An administrator of {network} has suspended you. Your computers no longer reach the network, and they leave your conversations.",
  "suspended.messages": "Your messages",
  "suspended.messagesText":
    "You can go on reading what you have here. Each message ends when its timer says, as before. Nothing is sent any more, and nothing new arrives.",
  "suspended.help": "What you can do",
  "suspended.helpText":
    "Ask your administrator. When the suspension is lifted, Sotto connects by itself, and others can add you to conversations again.",
  "suspension.offline": "People can be suspended while the relay can be reached.",
} as const;
