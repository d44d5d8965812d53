import type { I18n } from "../../i18n/index.ts";
import type { ScanResult } from "../../state/verification.svelte.ts";

/** What is said of a scan, and how grave it is. */
export interface ScanWords {
  readonly tone: "good" | "warning" | "danger";
  readonly text: string;
}

/** The words of what came of looking for a code. */
export function scanWords({ t }: Pick<I18n, "t">, result: ScanResult, name: string): ScanWords {
  switch (result.kind) {
    case "no-code":
      return { tone: "warning", text: t("verify.noCode") };
    case "not-picture":
      return { tone: "warning", text: t("verify.notPicture") };
    case "no-screen":
      return { tone: "warning", text: t("verify.noScreen") };
    case "verdict": {
      const text = t(`verify.verdict.${result.verdict}`, { name });
      if (result.verdict === "matches") return { tone: "good", text };
      return { tone: result.verdict === "differs" ? "danger" : "warning", text };
    }
  }
}
