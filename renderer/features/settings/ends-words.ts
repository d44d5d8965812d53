import type { StorageView } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

/** One span of the chart: how many messages end in it. */
export interface EndsSpan {
  readonly label: string;
  readonly messages: number;
  /** Of the longest bar: 1 is as long as that. */
  readonly share: number;
}

const minuteSeconds = 60;
const hourSeconds = 3600;
const daySeconds = 86_400;

/** The length of a span in a round number: what came a moment ago is no longer quite an hour away. */
function roundSeconds(seconds: number): number {
  const unit =
    seconds > 1.5 * daySeconds ? daySeconds : seconds > hourSeconds ? hourSeconds : minuteSeconds;
  return Math.max(1, Math.round(seconds / unit)) * unit;
}

/**
 * The spans in which messages end, the soonest first.
 *
 * @param ends - as the main process counted them
 * @param nowMs - when it did, milliseconds since 1970
 */
export function endsSpans(
  i18n: Pick<I18n, "t" | "timer">,
  ends: StorageView["ends"],
  nowMs: number,
): readonly EndsSpan[] {
  const most = Math.max(1, ...ends.map(({ messages }) => messages));
  return ends.map(({ untilMs, messages }) => ({
    label:
      untilMs === null
        ? i18n.t("storage.ends.later")
        : i18n.t("storage.ends.within", {
            duration: i18n.timer(roundSeconds((untilMs - nowMs) / 1000)),
          }),
    messages,
    share: messages / most,
  }));
}

/** The whole chart in one sentence. */
export function endsSummary(i18n: Pick<I18n, "t" | "list">, spans: readonly EndsSpan[]): string {
  const said = spans.map(({ label, messages }) =>
    i18n.t("storage.ends.span", {
      span: label,
      count: i18n.t("storage.ends.count", { count: messages }),
    }),
  );
  return i18n.t("storage.ends.summary", { spans: i18n.list(said) });
}
