import * as v from "valibot";
import {
  decodeCbor,
  encodeCbor,
  exactBytesSchema,
  idFromBytes,
  parse,
  rendezvousSeatBytes,
  type MessageId,
  type RendezvousId,
} from "#protocol";
import { hkdfExpand, SecretBytes, type RandomSource } from "../primitives/index.ts";
import { openWith, sealWith } from "../vault/box.ts";
import type { LinkRole } from "./handshake.ts";

/*
 * What two linked devices say to each other after the linking, for as long as history comes over. Its key comes from the handshake, is kept in both
 * vaults, and outlives restarts; nonces are random (XAES-256-GCM), so that nothing has to be counted.
 */

const keyBytes = 32;
const rendezvousIdBytes = 16;
const storedSchema = v.strictObject({
  key: exactBytesSchema(keyBytes),
  role: v.picklist(["owner", "joiner"]),
});

/** An open channel. Secret: `key`; its user wipes it. */
export interface Channel {
  readonly role: LinkRole;
  readonly key: SecretBytes;
}

/** The channel's key as it is stored. Secret: the result; whoever seals it wipes it. */
export function encodeChannel({ role, key }: Channel): Uint8Array {
  return key.use((bytes) => encodeCbor({ key: bytes, role }));
}

/** @throws AppError `vault-damaged` */
export function decodeChannel(plain: Uint8Array): Channel {
  const { key, role } = parse(storedSchema, decodeCbor(plain, 256), "vault-damaged");
  return { role, key: new SecretBytes(key) };
}

/** Where the two meet, and the guest's token there. Source: RFC 5869 §2.3. */
export function channelPlace(history: SecretBytes): {
  readonly rendezvousId: RendezvousId;
  readonly seat: Uint8Array;
} {
  const expand = (purpose: string, sizeBytes: number): Uint8Array =>
    history.use((key) =>
      hkdfExpand("SHA-256", key, encodeCbor(["Sotto 1.0", "linking", purpose]), sizeBytes),
    );
  return {
    rendezvousId: idFromBytes<RendezvousId>(expand("history rendezvous", rendezvousIdBytes)),
    seat: expand("history seat", rendezvousSeatBytes),
  };
}

const others = { owner: "joiner", joiner: "owner" } as const;

/** Seals what this side says. */
export function sealMessage(
  { role, key }: Channel,
  random: RandomSource,
  plain: Uint8Array,
): Uint8Array {
  return key.use((bytes) => sealWith(bytes, random, ["history message", role], plain));
}

/** @returns undefined for what the other side hasn't sealed */
export function openMessage({ role, key }: Channel, sealed: Uint8Array): Uint8Array | undefined {
  return key.use((bytes) => openWith(bytes, ["history message", others[role]], sealed));
}

/** A body on its way from one vault to the other. */
export function boxBody(
  { role, key }: Channel,
  random: RandomSource,
  messageId: MessageId,
  plain: Uint8Array,
): Uint8Array {
  return key.use((bytes) => sealWith(bytes, random, ["history body", role, messageId], plain));
}

/** @returns undefined for what the other side hasn't boxed for this message. Secret: the result; its caller wipes it. */
export function unboxBody(
  { role, key }: Channel,
  messageId: MessageId,
  boxed: Uint8Array,
): Uint8Array | undefined {
  return key.use((bytes) => openWith(bytes, ["history body", others[role], messageId], boxed));
}

/** Lends a channel. */
export function withChannel<Result>(channel: Channel, use: (channel: Channel) => Result): Result {
  try {
    return use(channel);
  } finally {
    channel.key.wipe();
  }
}
