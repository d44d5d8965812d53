import type { Telling } from "./tellings.ts";

/** How an attack is named. */
export type Row =
  | Telling
  /** Which one depends on what is under way just then. */
  | { readonly either: readonly Telling[] }
  /** It is said to nobody, because nothing comes of it: and why that is so. */
  | { readonly nothing: string };

type Scene = Readonly<Record<string, Row>>;

const stuck = "line: conversation-stuck";
const missing = "details: count";
const stranger = "offline: relay-identity-changed";
const malformed = "offline: frame-malformed";
const outOfOrder = "offline: frame-out-of-order";
/** Who sends something just then needs the page for that, and gives up the connection. */
const anew = { either: ["line: rejoined", outOfOrder] } as const;

const maker = { nothing: "who made a change stands, signed, in its bytes" } as const;
const itself = {
  nothing: "what an entry is stands, signed, in its bytes: it is read as that",
} as const;

/**
 * Every attack of the relay's that is played, and what the person hears of it, by the next message at the latest. Nothing of what it wants is believed in any
 * of them. See `attack.ts`; the relay is in `hostile-relay.ts`.
 */
export const attacks = {
  "of a message": {
    "changes a bit": missing,
    "appends a byte": missing,
    "cuts off the end": missing,
    "leaves nothing": missing,
    "puts noise in its place": missing,
    "leaves only the number": missing,
    "hides that it was there, by counting the others anew": missing,
    "gives an older one once more in its place": missing,
    "gives one of another conversation in its place": missing,
    "changes its place with the next one": missing,
    "calls it a change of the conversation": itself,
  },
  "of a change": {
    "changes a bit": stuck,
    "appends a byte": stuck,
    "cuts off the end": stuck,
    "leaves nothing": stuck,
    "puts noise in its place": stuck,
    "leaves only the number": stuck,
    "gives an earlier one once more in its place": stuck,
    "calls it a message": itself,
  },
  "of a page of the log": {
    "leaves an entry out": anew,
    "turns the order around": anew,
    "gives an entry twice": anew,
    "begins before what was asked for": anew,
    "promises more than there is": anew,
  },
  "to who writes": {
    "says that a message was taken, and throws it away": missing,
    "says for ever that they are behind, of a message": "message: waiting",
    "says for ever that they are behind, of a change": "answer: epoch-unknown",
    "says that their change was made, and to the others that another one was: a split view":
      "line: forked",
  },
  "of itself": {
    "that it serves another network": stranger,
    "that another key issues user records": stranger,
    "that somebody else has certified its key": stranger,
    "that it serves no network any more": stranger,
    "that it speaks only a protocol nobody knows": "offline: protocol-version-unknown",
    "that it is tomorrow already": "offline: clock-differs",
    "that it is still yesterday": "offline: clock-differs",
    "a challenge that is too short to be one": malformed,
  },
  "of the policy": {
    "older than the one that is known": "offline: policy-rollback",
    "signed by somebody else": "offline: signature-invalid",
    "with its terms changed": "offline: signature-invalid",
    "of another network": "offline: record-invalid",
  },
  "of the directory": {
    "a device that its person has not signed": "line: device objected",
    "a device less, that nobody has revoked": "line: left-out objected",
    "another key in the place of a device's": "line: device objected",
    "a revocation that its person has not signed": "line: exclusion objected",
    "a suspension that the network has not signed": "line: exclusion objected",
    "a user record that the issuer has not signed": "line: person objected",
    "an older user record than the one that is known": "line: person objected",
    "somebody whom the issuer has not signed": "notice: relay-objections",
    "a further device of who asks": "notice: relay-objections",
    "versions that go backwards": outOfOrder,
    "nobody any more": "notice: directory-behind",
    "at sign-in, an older state": "notice: directory-behind",
  },
  "of key packages": {
    "of somebody else's device": "answer: key-package-foreign",
    "with another key in it": "answer: signature-invalid",
    "that are cut short": "answer: key-package-foreign",
    "of another suite": "answer: commit-refused",
    "of nobody": "answer: key-packages-exhausted",
  },
  "of frames": {
    "are noise": malformed,
    "are empty": malformed,
    "are larger than any may be": malformed,
    "answer what was never asked": outOfOrder,
    "tell of events that there are none of": malformed,
    "tell of an event in the wrong shape": malformed,
    "ask something of the client": outOfOrder,
    "answer in the wrong shape": malformed,
  },
  "in longer stories": {
    "our change comes back under another's name": maker,
    "another's change comes under our name": maker,
    "another's messages come under our name, the second one spoilt": missing,
    "every message is spoilt": "line: message-unopenable",
    "a change's answer is lost, and the log is said not to be there": {
      nothing: "the change waits for an answer, which the next connection brings",
    },
    "the log of one conversation can't be read": {
      nothing: "it is asked for again after growing pauses, and comes whole; the others go on",
    },
    "a change is spoilt, and comes whole when it is read once more": stuck,
    "a change is withheld": stuck,
    "who invites is kept back from the directory": {
      nothing:
        "keeping back can't be told from being slow; the invitation waits, and nothing is taken on trust",
    },
    "a Welcome comes to another group of the same name": missing,
    "live entries don't come to who leaves": {
      nothing: "they are read before the leaving is carried out",
    },
  },
  "of a rejoin": {
    "by a GroupInfo that it has changed": "notice: rolled-back",
  },
} as const satisfies Readonly<Record<string, Scene>>;
