import type { I18n } from "../../i18n/index.ts";
import type { Forbidden } from "../../state/timer-choices.ts";

/** Why a duration can't be chosen, for people. */
export function forbiddenText(i18n: I18n, forbidden: Forbidden): string {
  const { t } = i18n;
  switch (forbidden.kind) {
    case "conversation":
    case "network":
      return t(`timer.forbidden.${forbidden.kind}`, { duration: i18n.timer(forbidden.seconds) });
    case "burn-off":
      return t("timer.forbidden.burnOff");
    case "burn-longer":
      return t("timer.forbidden.burnLonger", { duration: i18n.timer(forbidden.seconds) });
    case "burn-past-end":
      return t("timer.forbidden.burnPastEnd");
  }
}
