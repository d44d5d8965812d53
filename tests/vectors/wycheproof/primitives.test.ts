import { expect, test } from "vitest";
import { equalBytes } from "#protocol";
import { hkdf, hmac, loadPrimitives, verifyHmac } from "../../../crypto/primitives/index.ts";
import { describeVectors, fromHex } from "../../support/vectors.ts";

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  /** `acceptable`: the library may choose; ours is told beside the test. */
  readonly result: "valid" | "invalid" | "acceptable";
}

interface Group<C extends Case> {
  readonly tests: readonly C[];
}

interface File<C extends Case, G extends Group<C> = Group<C>> {
  readonly numberOfTests: number;
  readonly testGroups: readonly G[];
}

interface AeadCase extends Case {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface SignatureCase extends Case {
  readonly msg: string;
  readonly sig: string;
}

interface HkdfCase extends Case {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

interface MacCase extends Case {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

interface AgreementCase extends Case {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

const primitives = await loadPrimitives();

/** What came of a file's cases: how many of each class were taken and refused, and those that should have gone the other way. */
class Outcomes {
  readonly counts: Record<string, number> = {};
  readonly wrong: string[] = [];

  /**
   * @param attempt - true: taken; false or an error: refused
   * @param takes - which of the acceptable cases are taken
   */
  run<C extends Case>(
    { tests }: Group<C>,
    attempt: (vector: C) => boolean,
    takes: (vector: C) => boolean = () => true,
  ): this {
    for (const vector of tests) {
      const { tcId, comment, result } = vector;
      const taken = isTaken(() => attempt(vector));
      const name = `${result} ${taken ? "taken" : "refused"}`;
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      const should = result === "acceptable" ? takes(vector) : result === "valid";
      if (taken !== should) this.wrong.push(`#${String(tcId)} ${comment}: ${name}`);
    }
    return this;
  }

  runAll<C extends Case>(groups: readonly Group<C>[], attempt: (vector: C) => boolean): this {
    for (const group of groups) this.run(group, attempt);
    return this;
  }
}

function isTaken(attempt: () => boolean): boolean {
  try {
    return attempt();
  } catch {
    return false;
  }
}

describeVectors("wycheproof/chacha20_poly1305_test.json", (vectors) => {
  const file = vectors as File<AeadCase>;
  test(`all ${String(file.numberOfTests)} seal and open as they should`, () => {
    const aead = primitives.chacha20Poly1305;
    const outcomes = new Outcomes().runAll(file.testGroups, (vector) => {
      const { key, iv, aad, msg, ct, tag, result } = vector;
      const sealed = fromHex(ct + tag);
      const opened = aead.open(fromHex(key), fromHex(iv), fromHex(aad), sealed);
      if (opened === undefined || !equalBytes(opened, fromHex(msg))) return false;
      const again = aead.seal(fromHex(key), fromHex(iv), fromHex(aad), fromHex(msg));
      return result === "invalid" || equalBytes(again, sealed);
    });
    expect(outcomes.wrong).toEqual([]);
    expect(outcomes.counts).toEqual({ "valid taken": 256, "invalid refused": 69 });
  });
});

describeVectors("wycheproof/ed25519_test.json", (vectors) => {
  const file = vectors as File<
    SignatureCase,
    Group<SignatureCase> & { readonly publicKey: { readonly pk: string } }
  >;
  test(`all ${String(file.numberOfTests)} verify as they should`, () => {
    const outcomes = new Outcomes();
    for (const group of file.testGroups) {
      outcomes.run(group, ({ msg, sig }) =>
        primitives.ed25519.verify(fromHex(group.publicKey.pk), fromHex(msg), fromHex(sig)),
      );
    }
    expect(outcomes.wrong).toEqual([]);
    expect(outcomes.counts).toEqual({ "valid taken": 88, "invalid refused": 63 });
  });
});

const hkdfFiles = [
  ["SHA-256", "wycheproof/hkdf_sha256_test.json", 83],
  ["SHA-512", "wycheproof/hkdf_sha512_test.json", 80],
] as const;
for (const [hash, fileName, valid] of hkdfFiles) {
  describeVectors(fileName, (vectors) => {
    const file = vectors as File<HkdfCase>;
    test(`all ${String(file.numberOfTests)} derive as they should`, () => {
      const outcomes = new Outcomes().runAll(file.testGroups, ({ ikm, salt, info, size, okm }) => {
        const options = { salt: fromHex(salt), info: fromHex(info), sizeBytes: size };
        return equalBytes(hkdf(hash, fromHex(ikm), options), fromHex(okm));
      });
      expect(outcomes.wrong).toEqual([]);
      expect(outcomes.counts).toEqual({ "valid taken": valid, "invalid refused": 3 });
    });
  });
}

describeVectors("wycheproof/hmac_sha256_test.json", (vectors) => {
  const file = vectors as File<MacCase, Group<MacCase> & { readonly tagSize: number }>;
  test(`all ${String(file.numberOfTests)} authenticate as they should`, () => {
    const outcomes = new Outcomes();
    for (const group of file.testGroups) {
      const { tagSize } = group;
      outcomes.run(group, ({ key, msg, tag }) => {
        const parts = [fromHex(key), fromHex(msg)] as const;
        return tagSize === 256
          ? verifyHmac("SHA-256", ...parts, fromHex(tag))
          : equalBytes(hmac("SHA-256", ...parts).slice(0, tagSize / 8), fromHex(tag));
      });
    }
    expect(outcomes.wrong).toEqual([]);
    expect(outcomes.counts).toEqual({ "valid taken": 66, "invalid refused": 108 });
  });
});

describeVectors("wycheproof/x25519_test.json", (vectors) => {
  const file = vectors as File<AgreementCase>;
  test(`all ${String(file.numberOfTests)} agree as they should`, () => {
    // "acceptable" are twists and public keys of low order; we refuse the latter (RFC 9180 §7.1.4) and compute the former.
    const outcomes = new Outcomes();
    for (const group of file.testGroups) {
      outcomes.run(
        group,
        (vector) => {
          const [own, other] = [fromHex(vector.private), fromHex(vector.public)];
          return equalBytes(primitives.x25519.agree(own, other), fromHex(vector.shared));
        },
        ({ flags }) => !flags.includes("ZeroSharedSecret"),
      );
    }
    expect(outcomes.wrong).toEqual([]);
    expect(outcomes.counts).toEqual({
      "valid taken": 264,
      "acceptable taken": 223,
      "acceptable refused": 31,
    });
  });
});
