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

/** What `attempt` came to: `valid` when it returned true, `invalid` when it returned false or refused. */
function outcome(attempt: () => boolean): Case["result"] {
  try {
    return attempt() ? "valid" : "invalid";
  } catch {
    return "invalid";
  }
}

function failures<C extends Case>(
  groups: readonly Group<C>[],
  attempt: (vector: C) => boolean,
): readonly string[] {
  return groups
    .flatMap(({ tests }) => tests)
    .filter((vector) => outcome(() => attempt(vector)) !== vector.result)
    .map(({ tcId, comment, result }) => `#${String(tcId)} ${comment}: should be ${result}`);
}

describeVectors("wycheproof/chacha20_poly1305_test.json", (vectors) => {
  const file = vectors as File<AeadCase>;
  test(`all ${String(file.numberOfTests)} seal and open as they should`, () => {
    const aead = primitives.chacha20Poly1305;
    expect(
      failures(file.testGroups, ({ key, iv, aad, msg, ct, tag, result }) => {
        const sealed = fromHex(ct + tag);
        const opened = aead.open(fromHex(key), fromHex(iv), fromHex(aad), sealed);
        if (opened === undefined || !equalBytes(opened, fromHex(msg))) return false;
        const again = aead.seal(fromHex(key), fromHex(iv), fromHex(aad), fromHex(msg));
        return result === "invalid" || equalBytes(again, sealed);
      }),
    ).toEqual([]);
  });
});

describeVectors("wycheproof/ed25519_test.json", (vectors) => {
  const file = vectors as File<
    SignatureCase,
    Group<SignatureCase> & { readonly publicKey: { readonly pk: string } }
  >;
  test(`all ${String(file.numberOfTests)} verify as they should`, () => {
    expect(
      file.testGroups.flatMap((group) =>
        failures([group], ({ msg, sig }) =>
          primitives.ed25519.verify(fromHex(group.publicKey.pk), fromHex(msg), fromHex(sig)),
        ),
      ),
    ).toEqual([]);
  });
});

for (const hash of ["SHA-256", "SHA-512"] as const) {
  const fileName = `wycheproof/hkdf_sha${hash.slice(4)}_test.json`;
  describeVectors(fileName, (vectors) => {
    const file = vectors as File<HkdfCase>;
    test(`all ${String(file.numberOfTests)} derive as they should`, () => {
      expect(
        failures(file.testGroups, ({ ikm, salt, info, size, okm }) =>
          equalBytes(
            hkdf(hash, fromHex(ikm), {
              salt: fromHex(salt),
              info: fromHex(info),
              sizeBytes: size,
            }),
            fromHex(okm),
          ),
        ),
      ).toEqual([]);
    });
  });
}

describeVectors("wycheproof/hmac_sha256_test.json", (vectors) => {
  const file = vectors as File<MacCase, Group<MacCase> & { readonly tagSize: number }>;
  test(`all ${String(file.numberOfTests)} authenticate as they should`, () => {
    expect(
      file.testGroups.flatMap(({ tests, tagSize }) =>
        failures([{ tests }], ({ key, msg, tag }) =>
          tagSize === 256
            ? verifyHmac("SHA-256", fromHex(key), fromHex(msg), fromHex(tag))
            : equalBytes(
                hmac("SHA-256", fromHex(key), fromHex(msg)).slice(0, tagSize / 8),
                fromHex(tag),
              ),
        ),
      ),
    ).toEqual([]);
  });
});

describeVectors("wycheproof/x25519_test.json", (vectors) => {
  const file = vectors as File<AgreementCase>;
  test(`all ${String(file.numberOfTests)} agree as they should`, () => {
    // "acceptable" are twists and public keys of low order; we refuse the latter (RFC 9180 §7.1.4) and compute the former.
    const cases = file.testGroups.map(({ tests }) => ({
      tests: tests.map((vector) => ({
        ...vector,
        result: vector.flags.includes("ZeroSharedSecret")
          ? ("invalid" as const)
          : ("valid" as const),
      })),
    }));
    expect(
      failures(cases, (vector) =>
        equalBytes(
          primitives.x25519.agree(fromHex(vector.private), fromHex(vector.public)),
          fromHex(vector.shared),
        ),
      ),
    ).toEqual([]);
  });
});
