import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fromBase64url, idFromBytes, toBase64url, type NetworkId, type UserId } from "#protocol";
import {
  compareCode,
  safetyNumber,
  type FingerprintedPerson,
} from "../../../../crypto/identity/safety-number.ts";

const networkId = idFromBytes<NetworkId>(new Uint8Array(16).fill(9));

function personOf(id: number, key: number): FingerprintedPerson {
  return {
    networkId,
    userId: idFromBytes<UserId>(new Uint8Array(16).fill(id)),
    accountKey: new Uint8Array(32).fill(key),
  };
}

const ada = personOf(1, 0x11);
const ben = personOf(2, 0x22);

/** The same construction, written again from the white paper with other means. */
function halfOf(id: number, key: number): string {
  const accountKey = Buffer.alloc(32, key);
  const identifier = Buffer.concat([Buffer.alloc(16, 9), Buffer.alloc(16, id)]);
  let hash = Buffer.concat([Buffer.from("Sotto 1.0 Safety number"), accountKey, identifier]);
  for (let count = 0; count < 5200; count++) {
    hash = createHash("sha512").update(hash).update(accountKey).digest();
  }
  return [0, 5, 10, 15, 20, 25]
    .map((at) => String(hash.readUIntBE(at, 5) % 100_000).padStart(5, "0"))
    .join("");
}

describe("safety numbers", () => {
  test("are the two halves of the published construction, the smaller first", () => {
    const halves = [halfOf(1, 0x11), halfOf(2, 0x22)].toSorted();
    expect(safetyNumber(ada, ben).digits).toBe(halves.join(""));
  });

  test("are the ones that were computed once, so that versions agree", () => {
    expect(safetyNumber(ada, ben).digits).toBe(
      "326877467425116087060942992735933843663279546769865390547804",
    );
  });

  test("are the same for both, and others for another key, person or network", () => {
    for (let round = 0; round < 2; round++) {
      const [one, two] = [1, 2].map((id) => ({
        ...personOf(id, 0),
        accountKey: new Uint8Array(randomBytes(32)),
      })) as [FingerprintedPerson, FingerprintedPerson];
      const { digits } = safetyNumber(one, two);
      expect(digits).toMatch(/^\d{60}$/u);
      expect(safetyNumber(two, one).digits).toBe(digits);
      const others: readonly Partial<FingerprintedPerson>[] = [
        { accountKey: new Uint8Array(randomBytes(32)) },
        { userId: ada.userId },
        { networkId: idFromBytes<NetworkId>(new Uint8Array(16)) },
      ];
      for (const other of others) {
        expect(safetyNumber(one, { ...two, ...other }).digits).not.toBe(digits);
      }
    }
  });
});

describe("a code", () => {
  const shownByBen = safetyNumber(ben, ada).code;

  test("matches at the other's, and is told from one's own", () => {
    expect(compareCode(ada, ben, shownByBen)).toBe("matches");
    expect(compareCode(ada, ben, safetyNumber(ada, ben).code)).toBe("own");
  });

  test("of somebody else, or for somebody else, is told apart from one with another key", () => {
    const cleo = personOf(3, 0x33);
    expect(compareCode(ada, ben, safetyNumber(cleo, ada).code)).toBe("other-person");
    expect(compareCode(ada, ben, safetyNumber(ben, cleo).code)).toBe("other-reader");
    expect(compareCode(ada, ben, safetyNumber(personOf(2, 0x99), ada).code)).toBe("differs");
    expect(compareCode(ada, ben, safetyNumber(ben, personOf(1, 0x99)).code)).toBe("differs");
  });

  test("that is cut, longer, changed or of a later version is never a match", () => {
    const prefix = "sotto-verify:";
    const bytes = fromBase64url(shownByBen.slice(prefix.length))!;
    const codeOf = (changed: Uint8Array): string => prefix + toBase64url(changed);
    expect(compareCode(ada, ben, codeOf(bytes.slice(0, -1)))).toBe("unreadable");
    expect(compareCode(ada, ben, codeOf(Uint8Array.of(...bytes, 0)))).toBe("unreadable");
    expect(compareCode(ada, ben, codeOf(Uint8Array.of(2, ...bytes.slice(1))))).toBe("newer");
    for (const text of ["", prefix, "sotto-verify:!", "https://example.org", `x${shownByBen}`]) {
      expect(compareCode(ada, ben, text)).toBe("unreadable");
    }
    for (let at = 1; at < bytes.length; at += 7) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(compareCode(ada, ben, codeOf(changed))).not.toBe("matches");
    }
  });
});
