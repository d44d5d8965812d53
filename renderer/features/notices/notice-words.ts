import type { VaultNotice } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

/** What a notice says. */
export interface NoticeWords {
  readonly title: string;
  readonly text: string;
}

/** The words of a notice. */
export function noticeWords(i18n: Pick<I18n, "t" | "list">, notice: VaultNotice): NoticeWords {
  const { t } = i18n;
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
    case "own-key":
      return { title: t("notice.own-key.title"), text: t("notice.own-key.text") };
    case "relay-objections": {
      const people = i18n.list(notice.people.map(({ displayName }) => displayName));
      return {
        title: t("notice.relay-objections.title"),
        text:
          notice.people.length === 0
            ? t("notice.relay-objections.unknown")
            : t("notice.relay-objections.text", { people }),
      };
    }
    case "directory-behind":
      return { title: t("notice.directory-behind.title"), text: t("notice.directory-behind.text") };
    case "own-device":
      return {
        title: t("notice.own-device.title"),
        text: t("notice.own-device.text", { device: notice.deviceName }),
      };
    case "lock-required":
      return { title: t("notice.lock-required.title"), text: t("notice.lock-required.text") };
  }
}
