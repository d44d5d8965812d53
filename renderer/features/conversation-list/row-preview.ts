import type { RowPreview, UserId } from "#protocol";
import type { I18n } from "../../i18n/index.ts";
import { plainText, type MarkdownParser } from "../../markdown/index.ts";
import { systemLineText } from "../conversation/system-line.ts";

/** What a row needs to know beside its preview. */
export interface RowPreviewContext {
  readonly i18n: I18n;
  readonly markdown: MarkdownParser;
  readonly meId: UserId;
}

/** The one line below a conversation's name. */
export function rowPreviewText(
  preview: RowPreview,
  { i18n, markdown, meId }: RowPreviewContext,
): string {
  const { t } = i18n;
  switch (preview.kind) {
    case "empty":
      return t("row.empty");
    case "ended":
      return t("row.ended");
    case "covered":
      return preview.senderName === null
        ? t("row.covered")
        : t("row.coveredFrom", { name: preview.senderName });
    case "recalled":
      return preview.senderName === null
        ? t("row.recalled")
        : t("row.recalledFrom", { name: preview.senderName });
    case "text": {
      const text = plainText(markdown.parse(preview.text));
      return preview.senderName === null ? text : t("row.text", { name: preview.senderName, text });
    }
    case "system":
      return systemLineText(i18n, preview.line, meId);
  }
}
