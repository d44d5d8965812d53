const tokenKey = "sotto.preview-token";

/** What of a window is needed to find the token. */
export interface TokenPlace {
  readonly location: Pick<Location, "hash" | "pathname" | "search">;
  readonly history: Pick<History, "replaceState">;
  readonly sessionStorage: Pick<Storage, "getItem" | "setItem">;
}

/**
 * The preview's token: from the address when the page was just opened, else from this tab's session, so that a reload works. It
 * is taken out of the address bar, where it would end in the history.
 */
export function takeToken(place: TokenPlace): string | null {
  const found = /^#token=([\w-]{8,256})$/u.exec(place.location.hash)?.[1];
  if (found === undefined) return place.sessionStorage.getItem(tokenKey);
  place.sessionStorage.setItem(tokenKey, found);
  place.history.replaceState(null, "", place.location.pathname + place.location.search);
  return found;
}
