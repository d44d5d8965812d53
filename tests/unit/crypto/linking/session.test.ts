import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeCode } from "../../../../crypto/identity/person-code.ts";
import { LinkSession, type Taken } from "../../../../crypto/linking/session.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { ensure } from "../../../support/ensure.ts";
import { errorWith } from "../../../support/protocol.ts";

const primitives = await loadPrimitives();

interface Pair {
  readonly owner: LinkSession;
  readonly joiner: LinkSession;
  readonly first: Uint8Array;
}

function pair(secret = primitives.random(16)): Pair {
  const code = writeCode(secret);
  const owner = LinkSession.show(primitives, secret);
  const { session: joiner, message } = LinkSession.enter(primitives, code);
  return { owner, joiner, first: message };
}

function messageOf(taken: Taken): Uint8Array {
  if (taken.kind === "said") throw new Error("said already");
  return ensure(taken.message);
}

function symbolsOf(taken: Taken): readonly number[] {
  if (taken.kind !== "compare") throw new Error("nothing to compare");
  return taken.symbols;
}

/** Both sides, up to where people compare. */
function compared({ owner, joiner, first }: Pair) {
  const second = messageOf(owner.take(first));
  const third = messageOf(joiner.take(second));
  const atOwner = owner.take(third);
  const atJoiner = joiner.take(messageOf(atOwner));
  return { atOwner: symbolsOf(atOwner), atJoiner: symbolsOf(atJoiner) };
}

describe("two computers with one code", () => {
  test("see the same six symbols, and others with each code", () => {
    const seen = new Set<string>();
    for (let index = 0; index < 8; index += 1) {
      const { atOwner, atJoiner } = compared(pair());
      expect(atOwner).toEqual(atJoiner);
      expect(atOwner).toHaveLength(6);
      expect(atOwner.every((symbol) => symbol >= 0 && symbol < 64)).toBe(true);
      seen.add(atOwner.join());
    }
    expect(seen.size).toBe(8);
  });

  test("talk in private afterwards, each message once and in order", () => {
    const { owner, joiner, first } = pair();
    compared({ owner, joiner, first });
    const hello = joiner.say({ kind: "done" });
    const more = joiner.say({ kind: "declined" });
    expect(owner.take(hello)).toEqual({ kind: "said", said: { kind: "done" } });
    expect(owner.take(more)).toEqual({ kind: "said", said: { kind: "declined" } });
    expect(() => owner.take(more)).toThrow(errorWith("link-refused"));
  });

  test("nothing is said before the keys are agreed", () => {
    const { owner, joiner } = pair();
    expect(() => owner.say({ kind: "done" })).toThrow(errorWith("not-ready"));
    expect(() => joiner.say({ kind: "done" })).toThrow(errorWith("not-ready"));
  });
});

test("a code is read as people type it, and a mistyped one is none", () => {
  const code = writeCode(primitives.random(16));
  const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
  expect(LinkSession.enter(primitives, typed).session.rendezvousId).toBe(
    LinkSession.enter(primitives, code).session.rendezvousId,
  );
  const other = code.startsWith("7") ? `8${code.slice(1)}` : `7${code.slice(1)}`;
  for (const wrong of ["", other, code.slice(1), `${code}0`]) {
    expect(() => LinkSession.enter(primitives, wrong)).toThrow(errorWith("link-code-malformed"));
  }
});

describe("who doesn't have the code", () => {
  test("changes no byte of what is said without the linking ending", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (step, at, flip) => {
          const { owner, joiner, first } = pair();
          const changed = (message: Uint8Array): Uint8Array => {
            const bytes = new Uint8Array(message);
            bytes[at % bytes.length]! ^= flip;
            return bytes;
          };
          const carry = (index: number, message: Uint8Array): Uint8Array =>
            index === step ? changed(message) : message;
          const sides = [owner, joiner, owner, joiner] as const;
          const run = (): void => {
            let message = first;
            for (const [index, side] of sides.entries()) {
              const taken = side.take(carry(index, message));
              if (taken.kind === "compare" && taken.message === null) break;
              message = messageOf(taken);
            }
            owner.take(carry(4, joiner.say({ kind: "done" })));
          };
          expect(run).toThrow(errorWith("link-refused"));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("a message at the wrong step, to the wrong side, or again, ends it", () => {
    const { owner, joiner, first } = pair();
    expect(() => joiner.take(first)).toThrow(errorWith("link-refused"));
    const second = messageOf(owner.take(first));
    expect(() => owner.take(first)).toThrow(errorWith("link-refused"));
    expect(() => owner.take(second)).toThrow(errorWith("link-refused"));
  });

  test("another code opens nothing", () => {
    const { owner } = pair();
    const { first } = pair();
    expect(() => owner.take(first)).toThrow(errorWith("link-refused"));
  });
});

describe("who has the code too, and stands between", () => {
  /** Two sessions of the one between, one to each side. */
  function between(secret: Uint8Array) {
    const { owner, joiner, first } = pair(new Uint8Array(secret));
    const toJoiner = LinkSession.show(primitives, new Uint8Array(secret));
    const { session: toOwner, message } = LinkSession.enter(primitives, writeCode(secret));
    const fourth = owner.take(messageOf(toOwner.take(messageOf(owner.take(message)))));
    const third = messageOf(joiner.take(messageOf(toJoiner.take(first))));
    const answer = toJoiner.take(third);
    return {
      atOwner: symbolsOf(fourth),
      atJoiner: symbolsOf(joiner.take(messageOf(answer))),
    };
  }

  test("people see different symbols", () => {
    for (let index = 0; index < 5; index += 1) {
      const { atOwner, atJoiner } = between(primitives.random(16));
      expect(atOwner).not.toEqual(atJoiner);
    }
  });

  test("can't take another public key once it has committed to one", () => {
    const secret = primitives.random(16);
    const { owner, first } = pair(new Uint8Array(secret));
    const code = writeCode(secret);
    const second = messageOf(owner.take(first));
    // Another guest of the same code has made its own commitment, and reveals the key of that.
    const { session: other } = LinkSession.enter(primitives, code);
    const third = messageOf(other.take(second));
    expect(() => owner.take(third)).toThrow(errorWith("link-refused"));
  });
});

test("what is over has no keys", () => {
  const { owner, joiner, first } = pair();
  compared({ owner, joiner, first });
  const { speaking, history } = owner.keys;
  owner.wipe();
  expect(() => owner.keys).toThrow(errorWith("not-ready"));
  for (const key of [speaking.owner, speaking.joiner, history]) {
    expect(() => {
      key.use(() => undefined);
    }).toThrow(errorWith("not-ready"));
  }
  expect(() => owner.take(first)).toThrow(errorWith("link-refused"));
});
