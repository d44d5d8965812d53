import type { VaultNotice } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

/** What a notice about the vault says. */
export interface NoticeWords {
  readonly title: string;
  readonly text: string;
}

/** The words of a notice about the vault. */
export function noticeWords({ t }: Pick<I18n, "t">, notice: VaultNotice): NoticeWords {
  switch (notice.kind) {
    case "rolled-back":
      return {
        title: t("notice.rolled-back.title"),
        text:
          notice.rejoining === 0
            ? t("notice.rolled-back.done")
            : t("notice.rolled-back.rejoining", { count: notice.rejoining }),
      };
    case "keychain-behind":
      return {
        title: t("notice.keychain-behind.title"),
        text: t("notice.keychain-behind.text"),
      };
    case "keychain-weak":
      return {
        title: t("notice.keychain-weak.title"),
        text: t("notice.keychain-weak.text", { backend: notice.backend }),
      };
    case "lock-required":
      return { title: t("notice.lock-required.title"), text: t("notice.lock-required.text") };
  }
}
