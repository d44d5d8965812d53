import { AppError } from "./errors.ts";
import { isRelayUrl } from "./invite-link.ts";

/** What a person carries from one of their computers to another: a one-time code, and where the relay is. */
export interface LinkText {
  /** 28 characters in groups of four. Secret until it has been used. */
  readonly code: string;
  readonly relayUrl: string;
}

const linkPrefix = "sotto://link/";
const codePattern = /^[0-9a-z\s-]{28,60}$/iu;

/** `sotto://link/CODE@wss://relay`: short enough to be typed. */
export function formatLinkText({ code, relayUrl }: LinkText): string {
  return `${linkPrefix}${code}@${relayUrl}`;
}

/** Whether a text is meant to be one, whole or not. */
export function isLinkText(text: string): boolean {
  return text.trim().toLowerCase().startsWith(linkPrefix);
}

/**
 * Reads what was pasted or typed. The scheme may be left out, and that of the relay's address too.
 *
 * @throws AppError `link-code-malformed`
 */
export function parseLinkText(text: string): LinkText {
  const trimmed = text.trim();
  const rest = isLinkText(trimmed) ? trimmed.slice(linkPrefix.length) : trimmed;
  const at = rest.indexOf("@");
  const code = rest.slice(0, Math.max(at, 0)).trim();
  const address = rest.slice(at + 1).trim();
  const relayUrl = address.includes("://") ? address : `wss://${address}`;
  if (at < 0 || !codePattern.test(code) || relayUrl.length > 300 || !isRelayUrl(relayUrl)) {
    throw new AppError("link-code-malformed");
  }
  return { code, relayUrl };
}
