/** Suspending people, for administrators of the network. */
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
  "suspension.offline": "People can be suspended while the relay can be reached.",
} as const;
