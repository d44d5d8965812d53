import { beforeEach, describe, expect, test, vi } from "vitest";
import { writeCode } from "../../../../crypto/identity/person-code.ts";
import { LinkSession, type Taken } from "../../../../crypto/linking/session.ts";
import type * as PrimitivesModule from "../../../../crypto/primitives/index.ts";
import { loadPrimitives, type Primitives } from "../../../../crypto/primitives/index.ts";
import type * as BoxModule from "../../../../crypto/vault/box.ts";
import { ensure } from "../../../support/ensure.ts";

/*
 * Every secret of a handshake is looked at where it was made: random bytes, shared secrets, what HKDF gives, and what is sealed in clear. Each call
 * that makes or uses one can be made to fail.
 */

const seen = vi.hoisted(() => {
  const state = {
    secrets: [] as Uint8Array[],
    calls: 0,
    failsAt: Infinity,
    /** Counts a call, and lets it fail when it is its turn. */
    step(): void {
      state.calls += 1;
      if (state.calls === state.failsAt) throw new Error("as the test wants it");
    },
    note(secret: Uint8Array): Uint8Array {
      state.secrets.push(secret);
      return secret;
    },
  };
  return state;
});

vi.mock("../../../../crypto/primitives/index.ts", async (original) => {
  const real = await original<typeof PrimitivesModule>();
  return {
    ...real,
    hkdfExtract: (...args: Parameters<typeof real.hkdfExtract>) => {
      seen.step();
      return seen.note(real.hkdfExtract(...args));
    },
    hkdfExpand: (...args: Parameters<typeof real.hkdfExpand>) => {
      seen.step();
      return seen.note(real.hkdfExpand(...args));
    },
  };
});
vi.mock("../../../../crypto/vault/box.ts", async (original) => {
  const real = await original<typeof BoxModule>();
  return {
    ...real,
    sealWith: (...args: Parameters<typeof real.sealWith>) => {
      seen.note(args[3]);
      seen.step();
      return real.sealWith(...args);
    },
    openWith: (...args: Parameters<typeof real.openWith>) => {
      seen.step();
      const plain = real.openWith(...args);
      return plain === undefined ? undefined : seen.note(plain);
    },
  };
});

const real = await loadPrimitives();
const primitives: Primitives = {
  ...real,
  random: (sizeBytes) => seen.note(real.random(sizeBytes)),
  xwing: {
    ...real.xwing,
    publicKeyOf: (privateKey) => {
      seen.step();
      return real.xwing.publicKeyOf(privateKey);
    },
    encapsulate: (publicKey) => {
      seen.step();
      const made = real.xwing.encapsulate(publicKey);
      seen.note(made.sharedSecret);
      return made;
    },
    decapsulate: (privateKey, encapsulated) => {
      seen.step();
      return seen.note(real.xwing.decapsulate(privateKey, encapsulated));
    },
  },
};

beforeEach(() => {
  Object.assign(seen, { secrets: [], calls: 0, failsAt: Infinity });
});

/** Nonces are no secrets, and go out as they are. */
const nonceBytes = 24;
const isLeft = (secret: Uint8Array): boolean =>
  secret.length !== nonceBytes && secret.some((byte) => byte !== 0);
const left = (): readonly Uint8Array[] => seen.secrets.filter(isLeft);

function messageOf(taken: Taken): Uint8Array {
  if (taken.kind === "said") throw new Error("said already");
  return ensure(taken.message);
}

/** The owner's and the joiner's side, up to where people compare. */
function handshake() {
  const secret = real.random(16);
  const code = writeCode(secret);
  const sides: LinkSession[] = [];
  const run = (): void => {
    const owner = LinkSession.show(primitives, secret);
    sides.push(owner);
    const { session: joiner, message } = LinkSession.enter(primitives, code);
    sides.push(joiner);
    const fourth = owner.take(messageOf(joiner.take(messageOf(owner.take(message)))));
    joiner.take(messageOf(fourth));
  };
  const wipe = (): void => {
    for (const side of sides) side.wipe();
  };
  return { run, wipe };
}

describe("of a handshake there is left", () => {
  test("the three keys of each side, and nothing once both are wiped", () => {
    const { run, wipe } = handshake();
    run();
    expect(left().map(({ length }) => length)).toEqual([32, 32, 32, 32, 32, 32]);
    wipe();
    expect(left()).toEqual([]);
  });

  test("nothing at the side where a call fails, whichever it is", () => {
    handshake().run();
    const { calls } = seen;
    expect(calls).toBeGreaterThan(20);
    for (let failsAt = 1; failsAt <= calls; failsAt += 1) {
      Object.assign(seen, { secrets: [], calls: 0, failsAt });
      const { run, wipe } = handshake();
      expect(run).toThrow();
      // The other side's, which didn't fail.
      wipe();
      expect({ failsAt, left: left() }).toEqual({ failsAt, left: [] });
    }
  });
});
