import {
  boundTimers,
  maxMessageLength,
  type ConversationId,
  type MessageId,
  type MessageView,
  type Runtime,
  type Timers,
} from "#protocol";

/** A message with text. */
export type TextMessage = Extract<MessageView, { kind: "text" }>;

/** What sending will do. */
export type ComposerMode =
  | { readonly kind: "new" }
  | { readonly kind: "reply"; readonly to: TextMessage }
  | { readonly kind: "edit"; readonly message: TextMessage };

/** What a composer needs from outside. */
export interface ComposerPorts {
  readonly runtime: Pick<Runtime, "invoke">;
  /** Runs `task` after `delayMs`. @returns a disposer */
  readonly later: (task: () => void, delayMs: number) => () => void;
  readonly onError: (error: unknown) => void;
}

const draftDelayMs = 500;
const newMessage: ComposerMode = { kind: "new" };

/** What is being written in one conversation. It outlives the view: switching away and back changes nothing. */
export class Composer {
  readonly conversationId: ConversationId;
  readonly #ports: ComposerPorts;
  #text = $state("");
  #mode = $state.raw<ComposerMode>(newMessage);
  #ownTimers = $state.raw<Timers | null>(null);
  /** The draft that was put aside while an older message is edited. */
  #aside = "";
  #savedDraft: string;
  #cancelSave: (() => void) | null = null;

  /**
   * @param conversationId - where the message goes
   * @param draft - what was written before
   * @param ports - the platform and a timer
   */
  constructor(conversationId: ConversationId, draft: string, ports: ComposerPorts) {
    this.conversationId = conversationId;
    this.#ports = ports;
    this.#text = draft;
    this.#savedDraft = draft;
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    this.#scheduleSave();
  }

  /*
   * Not derived: a derived belongs to the view in which it was made, and goes stale with it. A composer outlives its views.
   */
  get overBy(): number {
    return Math.max(0, this.#text.length - maxMessageLength);
  }

  get empty(): boolean {
    return this.#text.trim() === "";
  }

  get mode(): ComposerMode {
    return this.#mode;
  }

  /** Timers for the next message only; null for the conversation's. */
  get ownTimers(): Timers | null {
    return this.#ownTimers;
  }

  setOwnTimers(timers: Timers | null): void {
    this.#ownTimers = timers;
  }

  /** The timers that the next message will have under `bound`. */
  timersUnder(bound: Timers): Timers {
    return boundTimers(this.#ownTimers ?? bound, bound);
  }

  reply(to: TextMessage): void {
    if (this.#mode.kind === "edit") this.cancelMode();
    this.#mode = { kind: "reply", to };
  }

  edit(message: TextMessage): void {
    if (this.#mode.kind !== "edit") this.#aside = this.#text;
    this.#mode = { kind: "edit", message };
    this.#text = message.text;
  }

  /** Stops replying or editing. After editing, the draft of before is back. */
  cancelMode(): void {
    if (this.#mode.kind === "edit") {
      this.#text = this.#aside;
      this.#aside = "";
    }
    this.#mode = newMessage;
  }

  /** The message is gone: neither a reply to it nor an edit makes sense any more. */
  forget(messageIds: readonly MessageId[]): void {
    const subject =
      this.#mode.kind === "reply"
        ? this.#mode.to.messageId
        : this.#mode.kind === "edit"
          ? this.#mode.message.messageId
          : null;
    if (subject !== null && messageIds.includes(subject)) this.cancelMode();
  }

  /**
   * Sends the message or saves the edit. The field is free for the next one at once; when it fails, the text comes back.
   *
   * @returns whether there was something to send and it was taken
   */
  async send(): Promise<boolean> {
    if (this.empty || this.overBy > 0) return false;
    const text = this.#text;
    const mode = this.#mode;
    const timers = this.#ownTimers;
    this.#mode = newMessage;
    this.#ownTimers = null;
    this.#text = mode.kind === "edit" ? this.#aside : "";
    this.#aside = "";
    try {
      if (mode.kind === "edit") await this.#edit(mode.message, text);
      else await this.#send(text, mode.kind === "reply" ? mode.to.messageId : null, timers);
    } catch (error) {
      this.#restore(text, mode, timers);
      this.#ports.onError(error);
      return false;
    } finally {
      void this.#saveDraftNow();
    }
    return true;
  }

  /** Writes the draft out now, when the view is left. */
  async flush(): Promise<void> {
    if (this.#cancelSave !== null) await this.#saveDraftNow();
  }

  /** Forgets what is being written, without a word: the vault is locked. */
  drop(): void {
    this.#cancelSave?.();
    this.#cancelSave = null;
    this.#text = "";
    this.#aside = "";
    this.#savedDraft = "";
    this.#mode = newMessage;
    this.#ownTimers = null;
  }

  async #send(text: string, replyTo: MessageId | null, timers: Timers | null): Promise<void> {
    const { conversationId } = this;
    await this.#ports.runtime.invoke("message.send", { conversationId, text, replyTo, timers });
  }

  async #edit({ messageId, text: before }: TextMessage, text: string): Promise<void> {
    if (text === before) return;
    const { conversationId } = this;
    await this.#ports.runtime.invoke("message.edit", { conversationId, messageId, text });
  }

  #restore(text: string, mode: ComposerMode, timers: Timers | null): void {
    // Something new may stand in the field by now: neither text may be lost.
    if (mode.kind === "edit") {
      this.#aside = this.#text;
      this.#text = text;
    } else {
      this.#text = this.#text === "" ? text : `${text}\n${this.#text}`;
    }
    this.#mode = mode;
    this.#ownTimers = timers;
  }

  #scheduleSave(): void {
    if (this.#mode.kind === "edit") return;
    this.#cancelSave?.();
    this.#cancelSave = this.#ports.later(() => {
      void this.#saveDraftNow();
    }, draftDelayMs);
  }

  async #saveDraftNow(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = null;
    const text = this.#mode.kind === "edit" ? this.#aside : this.#text;
    if (text === this.#savedDraft || text.length > maxMessageLength) return;
    const before = this.#savedDraft;
    this.#savedDraft = text;
    const { conversationId } = this;
    try {
      await this.#ports.runtime.invoke("conversation.saveDraft", { conversationId, text });
    } catch {
      // The text is still in the field, and is saved with the next change: nothing that a person must act on.
      this.#savedDraft = before;
    }
  }
}
