import type { MessageView, VoucherView } from "#protocol";
import type { AppModel } from "../../state/app-model.svelte.ts";
import type { Composer, TextMessage } from "../../state/composer.svelte.ts";
import type { Conversation } from "../../state/conversation.svelte.ts";
import {
  CopyIcon,
  EditIcon,
  InfoIcon,
  RecallIcon,
  ReplyIcon,
  RetryIcon,
  TrashIcon,
} from "../../ui/icons.ts";
import type { MenuEntry } from "../../ui/menu.ts";

/** What can be done with a message, and whether it may be. One per open conversation. */
export class MessageActions {
  readonly #app: AppModel;
  readonly #conversation: Conversation;
  readonly #composer: () => Composer | null;
  readonly #onCompose: () => void;

  /**
   * @param app - the interface's state
   * @param conversation - the open one
   * @param composer - where replies and edits are written
   * @param onCompose - puts the focus there
   */
  constructor(
    app: AppModel,
    conversation: Conversation,
    composer: () => Composer | null,
    onCompose: () => void,
  ) {
    this.#app = app;
    this.#conversation = conversation;
    this.#composer = composer;
    this.#onCompose = onCompose;
  }

  /** Whether anything may be written here at all. */
  get mayWrite(): boolean {
    return this.#conversation.view?.active === true && this.#app.mayWrite;
  }

  /** By whose word the conversation could be joined anew, where nobody known vouches; null: that isn't to be decided. */
  get voucher(): VoucherView | null {
    return this.#app.readOnly ? null : (this.#conversation.view?.unvouched ?? null);
  }

  /** Whether what is covered may be shown: that burns it, here too. */
  get mayReveal(): boolean {
    return this.#conversation.view?.active === true && !this.#app.readOnly;
  }

  mayAnswer(message: MessageView): message is TextMessage {
    return message.kind === "text" && this.mayWrite;
  }

  mayEdit(message: MessageView): message is TextMessage {
    return this.mayAnswer(message) && message.own && message.delivery?.kind !== "failed";
  }

  mayRecall(message: MessageView): boolean {
    return this.mayEdit(message) && message.delivery?.kind !== "waiting";
  }

  reply(message: MessageView): void {
    if (!this.mayAnswer(message)) return;
    this.#composer()?.reply(message);
    this.#onCompose();
  }

  edit(message: MessageView): void {
    if (!this.mayEdit(message)) return;
    this.#composer()?.edit(message);
    this.#onCompose();
  }

  copy(message: MessageView): void {
    if (message.kind === "text") {
      void this.#app.copy(message.text, this.#app.i18n.t("common.copied"));
    }
  }

  react(message: MessageView, emoji: string): void {
    if (!this.mayAnswer(message)) return;
    const on = !message.reactions.some((reaction) => reaction.emoji === emoji && reaction.own);
    const { conversationId, messageId } = message;
    void this.#app.attempt(() =>
      this.#app.ports.runtime.invoke("message.react", { conversationId, messageId, emoji, on }),
    );
  }

  reveal(message: MessageView): void {
    void this.#invoke("message.reveal", message);
  }

  retry(message: MessageView): void {
    void this.#invoke("message.retry", message);
  }

  askByWord(): void {
    const { view } = this.#conversation;
    const { voucher } = this;
    if (view === null || voucher === null) return;
    const { conversationId, title } = view;
    this.#app.dialogs.open({ kind: "join-by-word", conversationId, title, voucher });
  }

  info(message: MessageView): void {
    if (message.kind === "text" || message.kind === "covered") {
      this.#app.dialogs.open({ kind: "message-info", message });
    }
  }

  recall(message: MessageView): void {
    if (!this.mayRecall(message)) return;
    this.#ask("recall", () => this.#invoke("message.recall", message));
  }

  deleteForMe(message: MessageView): void {
    if (message.kind === "system" || this.#app.readOnly) return;
    this.#ask("deleteForMe", () => this.#invoke("message.deleteForMe", message));
  }

  /** The whole menu of a message. */
  menu(message: MessageView): readonly MenuEntry[] {
    if (message.kind === "system") return [];
    const { t } = this.#app.i18n;
    const entries: MenuEntry[] = [];
    const add = (entry: Omit<Extract<MenuEntry, { kind: "action" }>, "kind">): void => {
      entries.push({ kind: "action", ...entry });
    };
    if (message.kind === "text" && message.delivery?.kind === "failed") {
      add({
        label: t("action.retry"),
        icon: RetryIcon,
        run: () => {
          this.retry(message);
        },
      });
    }
    if (this.mayAnswer(message)) {
      add({
        label: t("action.reply"),
        icon: ReplyIcon,
        keys: "R",
        run: () => {
          this.reply(message);
        },
      });
    }
    if (this.mayEdit(message)) {
      add({
        label: t("action.edit"),
        icon: EditIcon,
        keys: "E",
        run: () => {
          this.edit(message);
        },
      });
    }
    if (message.kind === "text") {
      add({
        label: t("action.copy"),
        icon: CopyIcon,
        keys: "C",
        run: () => {
          this.copy(message);
        },
      });
    }
    if (message.kind === "text" || message.kind === "covered") {
      add({
        label: t("action.info"),
        icon: InfoIcon,
        run: () => {
          this.info(message);
        },
      });
    }
    if (!this.#app.readOnly) {
      if (entries.length > 0) entries.push({ kind: "separator" });
      if (this.mayRecall(message)) {
        add({
          label: t("action.recall"),
          icon: RecallIcon,
          danger: true,
          run: () => {
            this.recall(message);
          },
        });
      }
      add({
        label: t("action.deleteForMe"),
        icon: TrashIcon,
        danger: true,
        run: () => {
          this.deleteForMe(message);
        },
      });
    }
    return entries;
  }

  /** Does what a key means on a message. @returns whether it meant anything */
  onKey(message: MessageView, key: string): boolean {
    switch (key.toLowerCase()) {
      case "r":
        this.reply(message);
        return true;
      case "e":
        this.edit(message);
        return true;
      case "c":
        this.copy(message);
        return true;
      case "delete":
        this.deleteForMe(message);
        return true;
      default:
        return false;
    }
  }

  #invoke(
    name: "message.reveal" | "message.retry" | "message.recall" | "message.deleteForMe",
    { conversationId, messageId }: MessageView,
  ): Promise<unknown> {
    return this.#app.attempt(() =>
      this.#app.ports.runtime.invoke(name, { conversationId, messageId }),
    );
  }

  #ask(what: "recall" | "deleteForMe", run: () => Promise<unknown>): void {
    const { t } = this.#app.i18n;
    this.#app.dialogs.ask({
      title: t(`${what}.title`),
      text: t(`${what}.text`),
      confirm: t(`${what}.confirm`),
      run,
    });
  }
}
