import * as v from "valibot";
import {
  AppError,
  concatBytes,
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  parse,
  type Schema,
} from "#protocol";
import {
  digest,
  equalConstantTime,
  hkdfExpand,
  hkdfExtract,
  SecretBytes,
  wipe,
  xwingSizes,
  type Primitives,
} from "../primitives/index.ts";
import { openWith, sealWith } from "../vault/box.ts";
import type { CodeKeys } from "./code.ts";

/*
 * Two devices agree on keys. The order of what is said is ZRTP's (RFC 6189 §4.4.1.1): the joiner commits to its public key before it sees the
 * owner's, so that nobody, between them or at one end, can choose what people compare. In place of Diffie-Hellman stand two X-Wing
 * encapsulations, one to each public key, and the secret of the code goes in as ZRTP's shared secrets do (RFC 6189 §4.4.1.4).
 *
 *   joiner → owner  1  SHA-256 of joiner's public key
 *   owner → joiner  2  owner's public key
 *   joiner → owner  3  joiner's public key; a secret encapsulated to the owner's
 *   owner → joiner  4  a secret encapsulated to the joiner's; a confirmation of the keys
 *
 * What people compare comes from the commitment and both public keys alone: encapsulations, which are made last, could be tried until it fits. Who
 * changes an encapsulation learns one of the two secrets and not the other, and the keys come from both.
 */

/** Which of the two computers. */
export type LinkRole = "owner" | "joiner";

/** Keys of a channel. Secret: all; {@link wipeLinkKeys}. */
export interface LinkKeys {
  /** Seals what a role says. */
  readonly speaking: Readonly<Record<LinkRole, SecretBytes>>;
  /** The lasting channel's. */
  readonly history: SecretBytes;
}

/** What both sides have seen when they agree. */
interface Transcript {
  readonly commitment: Uint8Array;
  readonly ownerKey: Uint8Array;
  readonly joinerKey: Uint8Array;
  readonly toOwner: Uint8Array;
  readonly toJoiner: Uint8Array;
}

const maxMessageBytes = 16 * 1024;
const keyBytes = 32;
const symbols = 6;
const bitsPerSymbol = 6;

const publicKeySchema = exactBytesSchema(xwingSizes.publicKeyBytes);
const encapsulatedSchema = exactBytesSchema(xwingSizes.encapsulationBytes);
const schemas = {
  1: v.strictObject({ commitment: exactBytesSchema(32) }),
  2: v.strictObject({ publicKey: publicKeySchema }),
  3: v.strictObject({ publicKey: publicKeySchema, encapsulated: encapsulatedSchema }),
  4: v.strictObject({ encapsulated: encapsulatedSchema, confirmation: exactBytesSchema(32) }),
} as const satisfies Readonly<Record<number, Schema>>;
type Step = keyof typeof schemas;

/** What came doesn't fit. @throws always */
export function refused(reason: string, cause?: unknown): AppError {
  return new AppError("link-refused", { data: { reason }, cause });
}

/** Lends a way to note secrets as they are made: all of them are overwritten, whichever way `use` ends. */
function withSecrets<Result>(use: (noted: (secret: Uint8Array) => Uint8Array) => Result): Result {
  const secrets: Uint8Array[] = [];
  try {
    return use((secret) => {
      secrets.push(secret);
      return secret;
    });
  } finally {
    wipe(...secrets);
  }
}

/** Source: RFC 6189 §4.4.1.1 (`hvi`). */
function commitmentTo(publicKey: Uint8Array): Uint8Array {
  return digest("SHA-256", encodeCbor(["Sotto 1.0", "link commitment", publicKey]));
}

/**
 * The short authentication string: six numbers of six bits.
 *
 * Source: RFC 6189 §4.5.2 (from a key derivation over the transcript, its first bits); 64 symbols as in Matrix (MSC2241).
 */
function symbolsOf(
  code: CodeKeys,
  { commitment, ownerKey, joinerKey }: Pick<Transcript, "commitment" | "ownerKey" | "joinerKey">,
): readonly number[] {
  const said = digest("SHA-256", encodeCbor([commitment, ownerKey, joinerKey]));
  const info = encodeCbor(["Sotto 1.0", "link symbols", code.rendezvousId, said]);
  return withSecrets((noted) => {
    const prk = noted(
      code.secret.use((secret) => hkdfExtract("SHA-256", new Uint8Array(0), secret)),
    );
    const bits = noted(hkdfExpand("SHA-256", prk, info, 5));
    return Array.from({ length: symbols }, (_, index) => {
      const at = index * bitsPerSymbol;
      const word = ((bits[at >> 3] ?? 0) << 8) | (bits[(at >> 3) + 1] ?? 0);
      return (word >> (16 - bitsPerSymbol - (at & 7))) & 63;
    });
  });
}

/** Secret: the result, which its caller wipes. Source: RFC 5869; two secrets one behind the other as in draft-ietf-tls-hybrid-design §3.3, the code's as salt as RFC 9180 §5.1 mixes in a PSK. */
function agree(
  code: CodeKeys,
  transcript: Transcript,
  secrets: { readonly forOwner: Uint8Array; readonly forJoiner: Uint8Array },
): { readonly keys: LinkKeys; readonly confirmation: Uint8Array } {
  const { commitment, ownerKey, joinerKey, toOwner, toJoiner } = transcript;
  const said = digest(
    "SHA-256",
    encodeCbor([code.rendezvousId, commitment, ownerKey, joinerKey, toOwner, toJoiner]),
  );
  return withSecrets((noted) => {
    const both = noted(concatBytes(secrets.forOwner, secrets.forJoiner));
    const prk = noted(code.secret.use((secret) => hkdfExtract("SHA-256", secret, both)));
    const made: Uint8Array[] = [];
    const expand = (purpose: string): Uint8Array => {
      const info = encodeCbor(["Sotto 1.0", "linking", purpose, said]);
      const key = hkdfExpand("SHA-256", prk, info, keyBytes);
      made.push(key);
      return key;
    };
    try {
      const owner = new SecretBytes(expand("owner speaks"));
      const joiner = new SecretBytes(expand("joiner speaks"));
      const history = new SecretBytes(expand("history"));
      const confirmation = expand("confirmation");
      return { keys: { speaking: { owner, joiner }, history }, confirmation };
    } catch (error) {
      wipe(...made);
      throw error;
    }
  });
}

export function wipeLinkKeys({ speaking, history }: LinkKeys): void {
  speaking.owner.wipe();
  speaking.joiner.wipe();
  history.wipe();
}

function seal(
  { random }: Primitives,
  code: CodeKeys,
  step: Step,
  value: Readonly<Record<string, Uint8Array>>,
): Uint8Array {
  return withSecrets((noted) => {
    const plain = noted(encodeCbor(value));
    return code.wrapKey.use((key) => sealWith(key, random, ["link handshake", step], plain));
  });
}

/** @throws AppError `link-refused` */
function open<S extends Step>(
  code: CodeKeys,
  step: S,
  message: Uint8Array,
): v.InferOutput<(typeof schemas)[S]> {
  const plain = code.wrapKey.use((key) => openWith(key, ["link handshake", step], message));
  if (plain === undefined) throw refused("sealed otherwise");
  try {
    return parse(schemas[step], decodeCbor(plain, maxMessageBytes));
  } catch (cause) {
    throw refused("malformed", cause);
  } finally {
    wipe(plain);
  }
}

/** A side that has said its public key, or committed to it. Secret: `privateKey`. */
interface Waiting {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly commitment: Uint8Array;
}

/** Agreed. */
export interface Agreed {
  readonly keys: LinkKeys;
  readonly symbols: readonly number[];
}

/** Makes a key pair, and the message that goes with it. */
function withKeyPair<Result>(
  { random, xwing }: Primitives,
  use: (pair: Pick<Waiting, "privateKey" | "publicKey">) => Result,
): Result {
  const privateKey = random(xwingSizes.privateKeyBytes);
  try {
    return use({ privateKey, publicKey: xwing.publicKeyOf(privateKey) });
  } catch (error) {
    wipe(privateKey);
    throw error;
  }
}

/** Message 1. */
export function commit(
  primitives: Primitives,
  code: CodeKeys,
): { readonly own: Waiting; readonly message: Uint8Array } {
  return withKeyPair(primitives, (pair) => {
    const commitment = commitmentTo(pair.publicKey);
    return { own: { ...pair, commitment }, message: seal(primitives, code, 1, { commitment }) };
  });
}

/** Takes message 1, makes message 2. @throws AppError `link-refused` */
export function answerCommitment(
  primitives: Primitives,
  code: CodeKeys,
  message: Uint8Array,
): { readonly own: Waiting; readonly message: Uint8Array } {
  const { commitment } = open(code, 1, message);
  return withKeyPair(primitives, (pair) => {
    const answer = seal(primitives, code, 2, { publicKey: pair.publicKey });
    return { own: { ...pair, commitment }, message: answer };
  });
}

/** What the joiner waits with for message 4. Secret: `own`, `forOwner`. */
export interface Revealed {
  readonly own: Waiting;
  readonly ownerKey: Uint8Array;
  readonly toOwner: Uint8Array;
  readonly forOwner: Uint8Array;
}

/** Takes message 2, makes message 3. Wipes `own` if it fails. @throws AppError `link-refused` */
export function reveal(
  primitives: Primitives,
  code: CodeKeys,
  own: Waiting,
  message: Uint8Array,
): { readonly revealed: Revealed; readonly message: Uint8Array } {
  const secrets = [own.privateKey];
  try {
    const { publicKey: ownerKey } = open(code, 2, message);
    const { encapsulated, sharedSecret } = encapsulateTo(primitives, ownerKey);
    secrets.push(sharedSecret);
    const { publicKey } = own;
    const answer = seal(primitives, code, 3, { publicKey, encapsulated });
    const revealed = { own, ownerKey, toOwner: encapsulated, forOwner: sharedSecret };
    return { revealed, message: answer };
  } catch (error) {
    wipe(...secrets);
    throw error;
  }
}

function encapsulateTo({ xwing }: Primitives, publicKey: Uint8Array) {
  try {
    return xwing.encapsulate(publicKey);
  } catch (cause) {
    throw refused("no public key", cause);
  }
}

/** Takes message 3, makes message 4. Wipes `own`. @throws AppError `link-refused`, also when the public key isn't the one that was committed to */
export function confirm(
  primitives: Primitives,
  code: CodeKeys,
  own: Waiting,
  message: Uint8Array,
): Agreed & { readonly message: Uint8Array } {
  return withSecrets((noted) => {
    const privateKey = noted(own.privateKey);
    const { publicKey: joinerKey, encapsulated: toOwner } = open(code, 3, message);
    const { commitment, publicKey: ownerKey } = own;
    if (!equalConstantTime(commitmentTo(joinerKey), commitment)) throw refused("commitment");
    const forOwner = noted(primitives.xwing.decapsulate(privateKey, toOwner));
    const { encapsulated, sharedSecret } = encapsulateTo(primitives, joinerKey);
    const forJoiner = noted(sharedSecret);
    const transcript = { commitment, ownerKey, joinerKey, toOwner, toJoiner: encapsulated };
    const { keys, confirmation } = agree(code, transcript, { forOwner, forJoiner });
    noted(confirmation);
    try {
      const answer = seal(primitives, code, 4, { encapsulated, confirmation });
      return { keys, symbols: symbolsOf(code, transcript), message: answer };
    } catch (error) {
      wipeLinkKeys(keys);
      throw error;
    }
  });
}

/** Takes message 4. Wipes what it waited with. @throws AppError `link-refused` */
export function complete(
  { xwing }: Primitives,
  code: CodeKeys,
  revealed: Revealed,
  message: Uint8Array,
): Agreed {
  return withSecrets((noted) => {
    const { own, ownerKey, toOwner } = revealed;
    const [privateKey, forOwner] = [noted(own.privateKey), noted(revealed.forOwner)];
    const { encapsulated: toJoiner, confirmation: theirs } = open(code, 4, message);
    noted(theirs);
    const forJoiner = noted(xwing.decapsulate(privateKey, toJoiner));
    const { commitment, publicKey: joinerKey } = own;
    const transcript = { commitment, ownerKey, joinerKey, toOwner, toJoiner };
    const { keys, confirmation } = agree(code, transcript, { forOwner, forJoiner });
    noted(confirmation);
    try {
      if (!equalConstantTime(confirmation, theirs)) throw refused("confirmation");
      return { keys, symbols: symbolsOf(code, transcript) };
    } catch (error) {
      wipeLinkKeys(keys);
      throw error;
    }
  });
}
