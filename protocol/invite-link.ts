import * as v from "valibot";
import { fromBase64url, toBase64url } from "./bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { AppError } from "./errors.ts";
import { exactBytesSchema, nameSchema, parse } from "./schema.ts";

/** What an invite link carries: where the relay is, whose network it must be, and the token that redeems. */
export interface Invite {
  /** `ws:` (loopback only) or `wss:` address of the relay. */
  readonly relayUrl: string;
  /** The network's Ed25519 public key: the relay must prove itself against it. 32 bytes. */
  readonly networkKey: Uint8Array;
  readonly networkName: string;
  /** Secret: 16 random bytes. The relay stores only its hash. */
  readonly token: Uint8Array;
}

export const inviteTokenBytes = 16;
const maxInviteBytes = 1024;
const linkPrefix = "sotto://join/";

declare const URL: { readonly canParse: (url: string) => boolean };

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
// Without the flags i and u: together they let ſ pass for s and the Kelvin sign for k.
const relayUrlPattern = new RegExp(
  `^(wss?)://(\\[[0-9a-fA-F:.]+\\]|${label}(?:\\.${label})*)(?::([1-9][0-9]{0,4}))?(?:/[a-zA-Z0-9_./-]*)?$`,
);
const byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const loopbackPattern = new RegExp(`^(?:localhost|\\[::1\\]|127(?:\\.${byte}){3})$`);

/**
 * Whether an address may be used as a relay's: `wss:`, or `ws:` on a loopback host. Only ASCII; no user, query or fragment. The
 * scheme is in lower case.
 */
export function isRelayUrl(text: string): boolean {
  const match = relayUrlPattern.exec(text);
  if (match === null || !URL.canParse(text)) return false;
  const [, scheme, host = "", port] = match;
  if (port !== undefined && Number(port) > 65_535) return false;
  return scheme === "wss" || loopbackPattern.test(host.toLowerCase());
}

const inviteSchema: v.GenericSchema<unknown, Invite> = v.strictObject({
  relayUrl: v.pipe(v.string(), v.maxLength(300), v.check(isRelayUrl)),
  networkKey: exactBytesSchema(32),
  networkName: nameSchema,
  token: exactBytesSchema(inviteTokenBytes),
});

/** `sotto://join/…`, to be sent over a channel that the inviter trusts. */
export function formatInviteLink(invite: Invite): string {
  return linkPrefix + toBase64url(encodeCbor(parse(inviteSchema, invite, "argument-invalid")));
}

/** @throws AppError `invite-malformed` */
export function parseInviteLink(text: string): Invite {
  const link = text.trim();
  const bytes = link.startsWith(linkPrefix)
    ? fromBase64url(link.slice(linkPrefix.length))
    : undefined;
  if (bytes === undefined) throw new AppError("invite-malformed");
  try {
    return parse(inviteSchema, decodeCbor(bytes, maxInviteBytes));
  } catch (cause) {
    throw new AppError("invite-malformed", { cause });
  }
}
