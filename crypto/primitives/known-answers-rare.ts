import { digest } from "./hash.ts";
import type { KnownAnswer } from "./known-answers.ts";

/** What only some suites use, and takes longer to check than a start may take. */
export type RarePrimitive = "X448" | "Ed448" | "ML-KEM-1024" | "ML-DSA-87";

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function countingBytes(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, at) => at);
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("SHA-256", Buffer.concat(parts));
}

/** The noble libraries' primitives. */
export const rareAnswers: Readonly<Record<RarePrimitive, KnownAnswer>> = {
  X448: {
    name: "X448", // RFC 7748 §5.2
    compute: ({ x448 }) =>
      x448.agree(
        hex(
          "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121" +
            "700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
        ),
        hex(
          "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9" +
            "814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
        ),
      ),
    expected:
      "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239f" +
      "e14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f",
  },
  Ed448: {
    name: "Ed448", // RFC 8032 §7.4, blank
    compute({ signatures: { Ed448 } }) {
      const seed = hex(
        "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
      );
      const blank = new Uint8Array(0);
      const signature = Ed448.sign(seed, blank);
      const publicKey = Ed448.publicKeyOf(seed);
      const right =
        Ed448.verify(publicKey, blank, signature) &&
        !Ed448.verify(publicKey, Uint8Array.of(0), signature);
      return right ? signature : blank;
    },
    expected:
      "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2" +
      "fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852d" +
      "b99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
  },
  "ML-KEM-1024": {
    name: "ML-KEM-1024", // pinned; agrees with OpenSSL's (tests/unit/crypto/primitives)
    compute({ mlKem1024 }) {
      const seed = countingBytes(64);
      const publicKey = mlKem1024.publicKeyOf(seed);
      const sent = mlKem1024.encapsulate(publicKey);
      const received = mlKem1024.decapsulate(seed, sent.encapsulated);
      return Buffer.compare(sent.sharedSecret, received) === 0
        ? sha256(publicKey, sent.encapsulated, received)
        : new Uint8Array(0);
    },
    expected: "8161baa34e71b7378d3a02c3864b0c4394ffb287e7c389cba5c8fafa89ebe2bf",
  },
  "ML-DSA-87": {
    name: "ML-DSA-87", // pinned; agrees with OpenSSL's (tests/unit/crypto/primitives)
    compute({ signatures }) {
      const scheme = signatures["ML-DSA-87"];
      const seed = countingBytes(32);
      const message = Buffer.from("abc");
      const publicKey = scheme.publicKeyOf(seed);
      const signature = scheme.sign(seed, message);
      const right =
        scheme.verify(publicKey, message, signature) &&
        !scheme.verify(publicKey, Buffer.from("abd"), signature);
      return right ? sha256(publicKey, signature) : new Uint8Array(0);
    },
    expected: "468bb293e2df7979005832fcea2a8587f3493bf37f3ed0532787bf628c525129",
  },
};
