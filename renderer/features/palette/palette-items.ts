import type { Component } from "svelte";
import type { ConversationRowView, PersonDetailsView } from "#protocol";
import type { AppModel } from "../../state/app-model.svelte.ts";
import { nameMatches } from "../../state/conversation-list.svelte.ts";
import {
  ConversationIcon,
  DetailsIcon,
  InviteIcon,
  KeyboardIcon,
  LockIcon,
  MoonIcon,
  NewIcon,
  SettingsIcon,
  SunIcon,
  SystemThemeIcon,
} from "../../ui/icons.ts";

/** One result of the palette. */
export type PaletteItem =
  | { readonly kind: "conversation"; readonly id: string; readonly row: ConversationRowView }
  | { readonly kind: "person"; readonly id: string; readonly person: PersonDetailsView }
  | {
      readonly kind: "action";
      readonly id: string;
      readonly label: string;
      readonly icon: Component<{ size?: number | string }>;
      readonly run: () => void;
    };

/** Results under one heading. */
export interface PaletteGroup {
  readonly name: "conversations" | "people" | "actions";
  readonly items: readonly PaletteItem[];
}

const mostPerGroup = 8;

/** What can be done from anywhere. */
function actions(app: AppModel): readonly (PaletteItem & { kind: "action" })[] {
  const { t } = app.i18n;
  const { dialogs, layout } = app;
  const found: (PaletteItem & { kind: "action" })[] = [];
  const add = (
    id: string,
    label: string,
    icon: Component<{ size?: number | string }>,
    run: () => void,
  ): void => {
    found.push({ kind: "action", id, label, icon, run });
  };
  if (app.mayWrite) {
    add("new", t("list.new"), NewIcon, () => {
      dialogs.open({ kind: "new-conversation", people: [] });
    });
  }
  const nextUnread = app.list.nextUnread();
  if (nextUnread !== null) {
    add("unread", t("palette.markNextUnread"), ConversationIcon, () => {
      app.select(nextUnread);
    });
  }
  if (app.ready?.network.mayInvite === true) {
    add("invite", t("menu.invite"), InviteIcon, () => {
      dialogs.open({ kind: "invite" });
    });
  }
  if (app.conversation !== null) {
    const open = layout.detailsOpen;
    const label = open ? t("conversation.hideDetails") : t("common.showDetails");
    add("details", label, DetailsIcon, () => {
      layout.showDetails(!open);
    });
  }
  add("settings", t("menu.settings"), SettingsIcon, () => {
    dialogs.open({ kind: "settings", section: "profile" });
  });
  if (app.ready?.canLock === true) add("lock", t("menu.lock"), LockIcon, () => void app.lock());
  add("light", t("palette.theme.light"), SunIcon, () => void app.saveSettings({ theme: "light" }));
  add("dark", t("palette.theme.dark"), MoonIcon, () => void app.saveSettings({ theme: "dark" }));
  add(
    "system",
    t("palette.theme.system"),
    SystemThemeIcon,
    () => void app.saveSettings({ theme: "system" }),
  );
  add("shortcuts", t("menu.shortcuts"), KeyboardIcon, () => {
    dialogs.open({ kind: "shortcuts" });
  });
  return found;
}

/** What the palette shows for `query`: conversations, people without a conversation of their own among them, and actions. */
export function paletteGroups(app: AppModel, query: string): readonly PaletteGroup[] {
  const conversations = app.list.sorted
    .filter(({ title }) => nameMatches(title, query))
    .slice(0, query === "" ? 5 : mostPerGroup)
    .map((row): PaletteItem => ({ kind: "conversation", id: `c-${row.conversationId}`, row }));
  const directTitles = new Set(
    app.list.rows.filter(({ kind }) => kind === "direct").map(({ avatarSeed }) => avatarSeed),
  );
  const people =
    query === "" || !app.mayWrite
      ? []
      : app.people.reachable
          .filter(
            ({ displayName, userId }) =>
              nameMatches(displayName, query) && !directTitles.has(userId),
          )
          .slice(0, mostPerGroup)
          .map((person): PaletteItem => ({ kind: "person", id: `p-${person.userId}`, person }));
  const groups: PaletteGroup[] = [
    { name: "conversations", items: conversations },
    { name: "people", items: people },
    { name: "actions", items: actions(app).filter(({ label }) => nameMatches(label, query)) },
  ];
  return groups.filter(({ items }) => items.length > 0);
}
