import type { KnownAnswer } from "./known-answers.ts";
import type { NistCurve } from "./key-objects.ts";
import type { SignatureName } from "./signatures.ts";

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** RFC 6979 A.2: who signs "sample" with which result, when the numbers that sign are made of key and message. */
const signed: readonly {
  readonly name: SignatureName;
  readonly privateKey: string;
  readonly signature: string;
}[] = [
  {
    name: "P256",
    privateKey: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    signature:
      "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
      "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  },
  {
    name: "P384",
    privateKey:
      "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    signature:
      "306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c" +
      "81a648152e44acf96e36dd1e80fabe4602310099ef4aeb15f178cea1fe40db2603138f130e" +
      "740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
  },
  {
    name: "P521",
    privateKey:
      "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75ca" +
      "a896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
    signature:
      "308187024200c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f" +
      "174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa024161" +
      "7cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b" +
      "5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
  },
];

/** RFC 5903 §8: two private keys and what they agree on. */
const agreed: readonly {
  readonly curve: NistCurve;
  readonly initiator: string;
  readonly responder: string;
  readonly expected: string;
}[] = [
  {
    curve: "P-256",
    initiator: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
    responder: "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
    expected: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
  },
  {
    curve: "P-384",
    initiator:
      "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
    responder:
      "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
    expected:
      "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746",
  },
  {
    curve: "P-521",
    initiator:
      "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095" +
      "aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
    responder:
      "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c" +
      "677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
    expected:
      "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1" +
      "427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea",
  },
];

/** OpenSSL's and BoringSSL's NIST curves. */
export const nistAnswers: readonly KnownAnswer[] = [
  ...signed.map(({ name, privateKey, signature }): KnownAnswer => ({
    name: `ECDSA ${name}`,
    // Ours sign with random numbers: that the result verifies is what can be known.
    compute({ signatures }) {
      const scheme = signatures[name];
      const key = hex(privateKey);
      const publicKey = scheme.publicKeyOf(key);
      const [message, other] = [Buffer.from("sample"), Buffer.from("simple")];
      return Uint8Array.of(
        Number(scheme.verify(publicKey, message, hex(signature))),
        Number(scheme.verify(publicKey, message, scheme.sign(key, message))),
        Number(scheme.verify(publicKey, other, hex(signature))),
      );
    },
    expected: "010100",
  })),
  ...agreed.map(({ curve, initiator, responder, expected }): KnownAnswer => ({
    name: `ECDH ${curve}`,
    compute({ ecdh }) {
      const agreement = ecdh[curve];
      return agreement.agree(hex(initiator), agreement.publicKeyOf(hex(responder)));
    },
    expected,
  })),
];
