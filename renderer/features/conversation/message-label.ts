import { isBlockingCode, type MessageView } from "#protocol";
import type { I18n } from "../../i18n/index.ts";
import { plainText, type MarkdownParser } from "../../markdown/index.ts";
import { endsInText } from "./expiry-words.ts";

/** What a screen reader says of a message: who, when, what, and when it ends. */
export function messageLabel(
  message: Exclude<MessageView, { kind: "system" }>,
  context: { readonly i18n: I18n; readonly markdown: MarkdownParser; readonly nowMs: number },
): string {
  const { i18n, markdown, nowMs } = context;
  const { t } = i18n;
  const sender = message.own ? t("common.you") : message.sender.displayName;
  const time = i18n.time(message.sentAtMs);
  switch (message.kind) {
    case "text": {
      const text = plainText(markdown.parse(message.text));
      return t("message.label", {
        sender,
        time,
        text,
        ends: endsInText(i18n, message.expiry, nowMs),
      });
    }
    case "covered":
      return t("message.labelCovered", {
        sender,
        time,
        ends: endsInText(i18n, message.expiry, nowMs),
      });
    case "recalled":
      return t("message.labelRecalled", { sender, time });
    case "unopenable":
      return message.senderKnown
        ? t("message.labelUnopenable", { sender, time })
        : missingText(i18n, message);
  }
}

type MissingField = "code" | "count" | "asking";

/** Messages of nobody known that never came or can't be opened, in words. */
export function missingText(
  { t }: Pick<I18n, "t">,
  { code, count, asking }: Pick<Extract<MessageView, { kind: "unopenable" }>, MissingField>,
): string {
  if (code === "members-unvouched") return t("message.unvouched");
  if (isBlockingCode(code)) return t("message.blocked");
  return t(asking ? "message.missingAsked" : "message.missingLost", { count });
}
