import { AppError, type PassphraseSlot, type VaultId } from "#protocol";
import {
  argon2idSaltBytes,
  SecretBytes,
  wipe,
  xwingSizes,
  type Argon2idCost,
  type Primitives,
} from "../../primitives/index.ts";
import { createBox, type Box } from "../box.ts";

/** Fewest characters of a passphrase, and fewest different ones among them. */
const minLength = 12;
const minDifferent = 5;

/** Beyond this a slot was not written by us, and reading it would only hold the machine up. */
const maxCost: Argon2idCost = { passes: 16, memoryBytes: 1024 * 1024 * 1024 };

/** The part of a passphrase slot that stays the same at each exchange. */
export type PassphraseKey = Pick<
  PassphraseSlot,
  "publicKey" | "salt" | "passes" | "memoryBytes" | "sealedPrivateKey"
>;

/** @throws AppError `passphrase-weak` */
function checkPassphraseStrength(passphrase: string): void {
  const characters = Array.from(passphrase.normalize("NFC"));
  if (characters.length < minLength || new Set(characters).size < minDifferent) {
    throw new AppError("passphrase-weak");
  }
}

/**
 * A key pair whose private key is sealed under a passphrase. Blocks for about a second.
 *
 * @param passphrase - any Unicode; how its characters were composed doesn't matter (RFC 8265 §4.2.1)
 * @throws AppError `passphrase-weak`
 */
export function createPassphraseKey(
  primitives: Primitives,
  input: { readonly vaultId: VaultId; readonly passphrase: string },
  costOf: () => Argon2idCost,
): PassphraseKey {
  checkPassphraseStrength(input.passphrase);
  const { random, xwing } = primitives;
  const cost = costOf();
  const salt = random(argon2idSaltBytes);
  const privateKey = random(xwingSizes.privateKeyBytes);
  const publicKey = xwing.publicKeyOf(privateKey);
  const box = passphraseBox(primitives, input.passphrase, salt, cost);
  const sealedPrivateKey = box.seal(["passphrase slot", input.vaultId], privateKey);
  box.wipe();
  wipe(privateKey);
  return { publicKey, salt, ...cost, sealedPrivateKey };
}

/**
 * The private key of a slot.
 *
 * @returns undefined for another passphrase. Secret: the caller wipes it.
 * @throws AppError `vault-damaged` for a slot that Sotto didn't write
 */
export function openPassphraseKey(
  primitives: Primitives,
  input: { readonly vaultId: VaultId; readonly slot: PassphraseKey; readonly passphrase: string },
): Uint8Array | undefined {
  const { passes, memoryBytes, salt, sealedPrivateKey } = input.slot;
  const isForeign =
    passes > maxCost.passes ||
    memoryBytes > maxCost.memoryBytes ||
    salt.length !== argon2idSaltBytes;
  if (isForeign) throw new AppError("vault-damaged", { data: { slot: "passphrase" } });
  const box = passphraseBox(primitives, input.passphrase, salt, { passes, memoryBytes });
  const privateKey = box.open(["passphrase slot", input.vaultId], sealedPrivateKey);
  box.wipe();
  return privateKey;
}

function passphraseBox(
  { argon2id, random }: Primitives,
  passphrase: string,
  salt: Uint8Array,
  cost: Argon2idCost,
): Box {
  const bytes = new TextEncoder().encode(passphrase.normalize("NFC"));
  try {
    return createBox(new SecretBytes(argon2id(bytes, salt, cost, 32)), random);
  } finally {
    wipe(bytes);
  }
}
