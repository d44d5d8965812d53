import type { ExpiryView } from "#protocol";
import type { I18n } from "../../i18n/index.ts";
import { endOf } from "../../state/timeline.ts";

/** “Ends in 6 days”, or “Burns in 24 seconds”. */
export function endsInText(i18n: I18n, expiry: ExpiryView, nowMs: number): string {
  const leftMs = endOf(expiry) - nowMs;
  if (leftMs <= 0) return i18n.t("expiry.ended");
  const duration = i18n.remaining(leftMs);
  return expiry.burnsAtMs !== null && expiry.burnsAtMs <= expiry.endsAtMs
    ? i18n.t("burn.burnsIn", { duration })
    : i18n.t("expiry.endsIn", { duration });
}

/** Why a message ends when it does. */
export function expiryReason(i18n: I18n, expiry: ExpiryView): string {
  return i18n.t(`expiry.why.${expiry.origin}`, { duration: i18n.timer(expiry.originSeconds) });
}

/** When exactly and why a message ends: for its tooltip, one line each. */
export function expiryLines(
  i18n: I18n,
  expiry: ExpiryView,
  options: { readonly nowMs: number; readonly own: boolean },
): readonly string[] {
  const { t } = i18n;
  const lines = [endsInText(i18n, expiry, options.nowMs)];
  if (expiry.burnsAtMs !== null) {
    lines.push(t("expiry.burnsAt", { when: i18n.exact(expiry.burnsAtMs) }));
  }
  lines.push(t("expiry.endsAt", { when: i18n.exact(expiry.endsAtMs) }));
  lines.push(expiryReason(i18n, expiry));
  if (expiry.burnSeconds !== null) {
    lines.push(t("expiry.burnAfterRead", { duration: i18n.timer(expiry.burnSeconds) }));
    if (options.own) lines.push(t("expiry.burnOwn"));
  }
  return lines;
}

/** How much of a message's life is left, from 1 when it was sent (or began to burn) to 0. */
export function shareLeft(expiry: ExpiryView, nowMs: number): number {
  const { burnsAtMs, burnSeconds } = expiry;
  if (burnsAtMs !== null && burnSeconds !== null && burnsAtMs <= expiry.endsAtMs) {
    return clampShare((burnsAtMs - nowMs) / (burnSeconds * 1000));
  }
  return clampShare((expiry.endsAtMs - nowMs) / Math.max(1, expiry.endsAtMs - expiry.sentAtMs));
}

function clampShare(share: number): number {
  return Math.max(0, Math.min(1, share));
}
