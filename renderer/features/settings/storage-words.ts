import type { StorageView } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

type Health = StorageView["health"];

/** How the vault stands, in words. */
export function healthText({ t }: Pick<I18n, "t">, { state, damage }: Health): string {
  switch (state) {
    case "healthy":
      return t("storage.health.healthyText");
    case "read-only":
      return t("storage.health.readOnlyText");
    case "damaged":
      return damage === null
        ? t("storage.health.damagedUnknown")
        : t("storage.health.damagedText", { file: damage.file, frame: damage.frame });
  }
}

/** What somebody wants to know who looks closely. */
export function storageDetails(
  i18n: Pick<I18n, "t" | "number" | "bytes" | "exact">,
  health: Health,
): readonly { readonly term: string; readonly value: string }[] {
  const { t } = i18n;
  const when = (ms: number | null): string =>
    ms === null ? t("storage.details.notYet") : i18n.exact(ms);
  return [
    { term: t("storage.details.generation"), value: i18n.number(health.generation) },
    { term: t("storage.details.sequence"), value: i18n.number(health.sequence) },
    { term: t("storage.details.snapshot"), value: i18n.bytes(health.snapshotBytes) },
    {
      term: t("storage.details.log"),
      value: t("storage.details.logValue", {
        size: i18n.bytes(health.logBytes),
        count: health.logFrames,
      }),
    },
    { term: t("storage.details.keyring"), value: i18n.bytes(health.keyringBytes) },
    { term: t("storage.details.revision"), value: i18n.number(health.keyringRevision) },
    { term: t("storage.details.nodes"), value: i18n.number(health.treeNodes) },
    { term: t("storage.details.destruction"), value: when(health.lastDestructionMs) },
    { term: t("storage.details.compaction"), value: when(health.lastCompactionMs) },
  ];
}
