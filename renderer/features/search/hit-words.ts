import type { SearchHitView } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

/** What a message that was found is called: “Jonas, Mon, in The crew: see you. Ends in 6 days”. */
export function hitLabel(i18n: I18n, hit: SearchHitView, nowMs: number): string {
  const leftMs = hit.endsAtMs - nowMs;
  return i18n.t("search.hit", {
    sender: hit.sender.displayName,
    when: i18n.stamp(hit.sentAtMs, nowMs),
    conversation: hit.conversationTitle,
    text: hit.text,
    ends:
      leftMs <= 0
        ? i18n.t("expiry.ended")
        : i18n.t("expiry.endsIn", { duration: i18n.remaining(leftMs) }),
  });
}

/** How much of its life is left, from 1 when it was sent to 0. */
export function hitShareLeft(
  { sentAtMs, endsAtMs }: Pick<SearchHitView, "sentAtMs" | "endsAtMs">,
  nowMs: number,
): number {
  const share = (endsAtMs - nowMs) / Math.max(1, endsAtMs - sentAtMs);
  return Math.max(0, Math.min(1, share));
}

/** How many results there are, for the live region. */
export function countText(i18n: I18n, count: number, hasMore: boolean): string {
  return hasMore ? i18n.t("search.foundMore", { count }) : i18n.t("search.found", { count });
}

/** Where a search in a conversation stands: “3 of 12”. */
export function positionText(
  i18n: I18n,
  {
    position,
    search: { hits, hasMore },
  }: {
    readonly position: number;
    readonly search: { readonly hits: readonly unknown[]; readonly hasMore: boolean };
  },
): string {
  const count = hits.length;
  if (count === 0) return i18n.t("find.none");
  if (position === 0) {
    return hasMore ? countText(i18n, count, true) : i18n.t("find.count", { count });
  }
  return i18n.t(hasMore ? "find.positionMore" : "find.position", { position, count });
}
