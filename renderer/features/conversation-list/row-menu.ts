import type { ConversationRowView } from "#protocol";
import type { AppModel } from "../../state/app-model.svelte.ts";
import {
  BellIcon,
  DetailsIcon,
  LeaveIcon,
  MuteIcon,
  PinIcon,
  TrashIcon,
  UnpinIcon,
} from "../../ui/icons.ts";
import type { MenuEntry } from "../../ui/menu.ts";

/** Asks, then leaves the conversation. */
export function askLeave(
  app: AppModel,
  row: Pick<ConversationRowView, "conversationId" | "title">,
): void {
  const { t } = app.i18n;
  const { conversationId } = row;
  app.dialogs.ask({
    title: t("details.leaveTitle", { name: row.title }),
    text: t("details.leaveText"),
    confirm: t("details.leaveConfirm"),
    run: () =>
      app.attempt(() => app.ports.runtime.invoke("conversation.leave", { conversationId })),
  });
}

/** Asks, then deletes the conversation from this account. */
export function askDelete(
  app: AppModel,
  row: Pick<ConversationRowView, "conversationId" | "title">,
): void {
  const { t } = app.i18n;
  const { conversationId } = row;
  app.dialogs.ask({
    title: t("details.deleteTitle", { name: row.title }),
    text: t("details.deleteText"),
    confirm: t("details.deleteConfirm"),
    run: () =>
      app.attempt(() => app.ports.runtime.invoke("conversation.delete", { conversationId })),
  });
}

/** What can be done with a conversation from the list. */
export function rowMenu(app: AppModel, row: ConversationRowView): readonly MenuEntry[] {
  const { t } = app.i18n;
  const { runtime } = app.ports;
  const { conversationId, pinned, muted } = row;
  const disabled = app.readOnly;
  return [
    {
      kind: "action",
      label: pinned ? t("row.unpin") : t("row.pin"),
      icon: pinned ? UnpinIcon : PinIcon,
      disabled,
      run: () => {
        void app.attempt(() =>
          runtime.invoke("conversation.setPinned", { conversationId, pinned: !pinned }),
        );
      },
    },
    {
      kind: "action",
      label: muted ? t("row.unmute") : t("row.mute"),
      icon: muted ? BellIcon : MuteIcon,
      disabled,
      run: () => {
        void app.attempt(() =>
          runtime.invoke("conversation.setMuted", { conversationId, muted: !muted }),
        );
      },
    },
    {
      kind: "action",
      label: t("row.details"),
      icon: DetailsIcon,
      run: () => {
        app.select(conversationId);
        app.layout.showDetails(true);
      },
    },
    { kind: "separator" },
    row.kind !== "direct" && row.active
      ? {
          kind: "action",
          label: t("row.leave"),
          icon: LeaveIcon,
          danger: true,
          disabled,
          run: () => {
            askLeave(app, row);
          },
        }
      : {
          kind: "action",
          label: t("row.delete"),
          icon: TrashIcon,
          danger: true,
          disabled,
          run: () => {
            askDelete(app, row);
          },
        },
  ];
}
