import {
  ensureAppError,
  type AppView,
  type CommandParams,
  type ConversationId,
  type Events,
  type MessageId,
  type MessageView,
  type UserId,
} from "#protocol";
import type { I18n } from "../i18n/index.ts";
import { MarkdownParser } from "../markdown/index.ts";
import type { LinkState } from "../runtime/index.ts";
import { Clock } from "./clock.svelte.ts";
import { Composer } from "./composer.svelte.ts";
import { ConversationList } from "./conversation-list.svelte.ts";
import { Conversation } from "./conversation.svelte.ts";
import { Dialogs } from "./dialogs.svelte.ts";
import { Find } from "./find.svelte.ts";
import { FirstRun } from "./first-run.svelte.ts";
import { Layout } from "./layout.svelte.ts";
import { MessageSearch } from "./message-search.svelte.ts";
import { People } from "./people.svelte.ts";
import type { AppPorts } from "./ports.ts";
import { Toasts } from "./toasts.svelte.ts";

/** The phase in which conversations are shown. */
export type ReadyView = Extract<AppView, { phase: "ready" }>;

/** The state of the whole interface, built once in the entry and handed down by context. */
export class AppModel {
  readonly ports: AppPorts;
  readonly i18n: I18n;
  readonly clock: Clock;
  readonly toasts: Toasts;
  readonly layout: Layout;
  readonly firstRun: FirstRun;
  readonly dialogs = new Dialogs();
  readonly markdown = new MarkdownParser();
  readonly #composers = new Map<ConversationId, Composer>();
  #list = $state.raw(new ConversationList());
  #people = $state.raw(new People());
  #search: MessageSearch;
  #find = $state.raw<Find | null>(null);
  #view = $state.raw<AppView | null>(null);
  #link = $state.raw<LinkState>("open");
  #conversation = $state.raw<Conversation | null>(null);
  #announcement = $state("");
  /** What a notification led to while the vault was locked. */
  #wanted: ConversationId | null = null;
  /** Whether the window is in front: only then is something seen. */
  focused = $state(true);

  readonly ready: ReadyView | null = $derived(this.#view?.phase === "ready" ? this.#view : null);
  readonly readOnly: boolean = $derived(this.ready !== null && this.ready.readOnly !== null);
  /** By an administrator of the network: what is here stays until it ends, and nothing comes or goes. */
  readonly suspended: boolean = $derived(
    this.ready?.connection.kind === "offline" && this.ready.connection.code === "account-suspended",
  );
  /** Whether anything may be written to others. */
  readonly mayWrite: boolean = $derived(!this.readOnly && !this.suspended);

  /** @param ports - the platform, the language, the time */
  constructor(ports: AppPorts) {
    this.ports = ports;
    this.i18n = ports.i18n;
    this.clock = new Clock(ports);
    this.toasts = new Toasts(ports);
    this.layout = new Layout(ports.storage);
    this.firstRun = new FirstRun(ports.runtime, ports.later);
    this.#link = ports.link.state;
    this.#search = $state.raw(new MessageSearch(ports, null));
  }

  /** Where the app is; null until it has answered for the first time. */
  get view(): AppView | null {
    return this.#view;
  }

  get link(): LinkState {
    return this.#link;
  }

  get list(): ConversationList {
    return this.#list;
  }

  get people(): People {
    return this.#people;
  }

  /** The search of all messages. */
  get search(): MessageSearch {
    return this.#search;
  }

  /** The search in the open conversation; null while nobody searches there. */
  get find(): Find | null {
    return this.#find;
  }

  get conversation(): Conversation | null {
    return this.#conversation;
  }

  /** The latest thing that a screen reader should say without being asked. */
  get announcement(): string {
    return this.#announcement;
  }

  /**
   * Asks where the app is and follows it.
   *
   * @returns a disposer
   */
  start(): () => void {
    const { runtime, link } = this.ports;
    const disposers = [
      runtime.on("app.changed", (view) => {
        this.#setView(view);
      }),
      runtime.on("conversations.changed", (rows) => {
        // What was under way when the vault was locked comes too late.
        if (this.ready === null) return;
        this.list.set(rows);
        this.#leaveVanished();
      }),
      runtime.on("people.changed", () => {
        if (this.ready !== null) void this.attempt(() => this.people.load(runtime));
      }),
      runtime.on("app.show", (what) => {
        this.#show(what);
      }),
      link.onChange((state) => {
        this.#link = state;
        if (state === "open") void this.#refresh();
      }),
    ];
    void this.#refresh();
    return () => {
      for (const dispose of disposers) dispose();
      this.#search.close();
      this.closeFind();
      this.#conversation?.close();
    };
  }

  /** Does `work`; what goes wrong is said in a notice. @returns its result, or null */
  async attempt<Result>(work: () => Promise<Result>): Promise<Result | null> {
    try {
      return await work();
    } catch (error) {
      this.showError(error);
      return null;
    }
  }

  readonly showError = (error: unknown): void => {
    const { code } = ensureAppError(error);
    // What was under way when the vault was locked can't be answered: that is no news.
    if (code === "not-ready" && this.#view?.phase === "locked") return;
    this.toasts.error(this.i18n.error(code));
  };

  announce(text: string): void {
    this.#announcement = text;
  }

  /** Shows a conversation, or none. */
  select(id: ConversationId | null): void {
    this.#change(id, (conversation) => void conversation.open());
  }

  /** Shows a conversation at one of its messages. */
  async showMessage(id: ConversationId, messageId: MessageId): Promise<void> {
    const opened = id !== this.list.selectedId;
    let found = Promise.resolve(false);
    this.#change(id, (conversation) => {
      found = conversation.showAt(messageId);
    });
    const conversation = this.#conversation;
    if (!opened && conversation !== null) found = conversation.showAt(messageId);
    // It has ended since it was found: what is left of the conversation is shown.
    if (!(await found) && conversation?.view === null) await conversation.open();
  }

  /** Searches people, conversations and messages. */
  lookFor(query: string): void {
    this.list.query = query;
    this.search.query = query;
  }

  /** Searches in the open conversation. */
  openFind(): void {
    const conversation = this.#conversation;
    if (conversation === null) return;
    this.#find ??= new Find(
      this.ports,
      conversation.id,
      (messageId) => void conversation.showAt(messageId),
    );
    this.#find.call();
  }

  closeFind(): void {
    this.#find?.close();
    this.#find = null;
  }

  #change(id: ConversationId | null, open: (conversation: Conversation) => void): void {
    if (id === this.list.selectedId) return;
    this.closeFind();
    const before = this.#conversation;
    if (before !== null) {
      void this.#composers.get(before.id)?.flush();
      before.close();
    }
    this.list.selectedId = id;
    this.#conversation = id === null ? null : this.#follow(id);
    if (this.#conversation !== null) open(this.#conversation);
  }

  /** What is being written in the open conversation. */
  composerOf(conversation: Conversation): Composer | null {
    const found = this.#composers.get(conversation.id);
    if (found !== undefined || conversation.view === null) return found ?? null;
    const composer = new Composer(conversation.id, conversation.view.draft, {
      runtime: this.ports.runtime,
      later: this.ports.later,
      onError: this.showError,
    });
    this.#composers.set(conversation.id, composer);
    return composer;
  }

  /** Shows the direct conversation with a person, made when there is none yet. */
  async messageTo(userId: UserId): Promise<void> {
    await this.create({ kind: "direct", people: [userId], name: "", timers: null });
  }

  /** @returns whether it is there */
  async create(params: CommandParams<"conversation.create">): Promise<boolean> {
    const created = await this.attempt(() =>
      this.ports.runtime.invoke("conversation.create", params),
    );
    if (created !== null) this.select(created.conversationId);
    return created !== null;
  }

  async saveSettings(change: CommandParams<"settings.set">): Promise<void> {
    const settings = await this.attempt(() => this.ports.runtime.invoke("settings.set", change));
    if (settings !== null && this.ready !== null) this.#setView({ ...this.ready, settings });
  }

  /** Locks the vault, once what is being written has been kept. Without anything that unlocks it again, leads to where that is set. */
  async lock(): Promise<void> {
    const { ready } = this;
    if (ready === null) return;
    if (!ready.canLock) {
      this.dialogs.open({ kind: "settings", section: "protection" });
      this.toasts.info(this.i18n.t("lock.needsPassphrase"));
      return;
    }
    await Promise.all(Array.from(this.#composers.values(), (composer) => composer.flush()));
    await this.attempt(() => this.ports.runtime.invoke("vault.lock", {}));
  }

  /** Copies text and says so. */
  async copy(text: string, said: string): Promise<void> {
    const done = await this.ports.copyText(text);
    if (done) this.toasts.info(said);
    else this.toasts.error(this.i18n.t("common.copyFailed"));
  }

  #follow(id: ConversationId): Conversation {
    const conversation = new Conversation(id, {
      runtime: this.ports.runtime,
      onError: this.showError,
      onChange: ({ arrived, removed }) => {
        this.#composers.get(id)?.forget(removed);
        this.#receive(conversation, arrived);
      },
    });
    return conversation;
  }

  #receive(conversation: Conversation, arrived: readonly MessageView[]): void {
    const others = arrived.filter(({ own, kind }) => !own && kind !== "system");
    const [first] = others;
    const newest = others.at(-1);
    if (first === undefined || newest === undefined) return;
    if (!this.focused) conversation.markUnread(first);
    this.announce(this.i18n.t("conversation.newFrom", { name: newest.sender.displayName }));
  }

  #leaveVanished(): void {
    const id = this.list.selectedId;
    // A conversation that was just made may be opened before the list knows it.
    if (id === null || this.list.find(id) !== null || this.#conversation?.view === null) return;
    this.#composers.delete(id);
    this.select(null);
  }

  async #refresh(): Promise<void> {
    const view = await this.attempt(() => this.ports.runtime.invoke("app.get", {}));
    if (view === null) return;
    const wasReady = this.ready !== null;
    this.#setView(view);
    // After the link was lost, what was shown may be old.
    if (wasReady && view.phase === "ready") {
      await this.#loadAll();
      await this.#conversation?.open();
    }
  }

  #setView(view: AppView): void {
    const wasReady = this.ready !== null;
    this.#view = view;
    if (view.phase === "first-run") {
      this.firstRun.needsPassphrase = view.keychain === "unavailable";
      if (view.link !== null && this.firstRun.link === "") {
        this.firstRun.receive(view.link);
      }
    }
    if (view.phase === "ready") {
      this.ports.theme.apply(view.settings);
      if (!wasReady) {
        void this.#loadAll();
        this.select(this.#wanted);
        this.#wanted = null;
      }
    } else if (wasReady) {
      this.#forget();
    }
  }

  /** Drops everything that came out of the vault: nothing of it stays in the page's memory. */
  #forget(): void {
    this.#conversation?.drop();
    this.#conversation = null;
    for (const composer of this.#composers.values()) composer.drop();
    this.#composers.clear();
    // Made anew, not emptied: what is derived from them goes too.
    this.#search.close();
    this.#search = new MessageSearch(this.ports, null);
    this.closeFind();
    this.#list = new ConversationList();
    this.#people = new People();
    this.dialogs.closeConfirmation();
    this.dialogs.close();
    this.toasts.clear();
    this.#announcement = "";
  }

  async #loadAll(): Promise<void> {
    const { runtime } = this.ports;
    // Answers that come after the vault was locked go to what has been dropped.
    await Promise.all([
      this.attempt(() => this.list.load(runtime)),
      this.attempt(() => this.people.load(runtime)),
    ]);
  }

  #show(what: Events["app.show"]): void {
    if (what.kind === "conversation") {
      this.dialogs.close();
      if (this.ready === null) this.#wanted = what.conversationId;
      else this.select(what.conversationId);
      return;
    }
    if (this.#view?.phase === "first-run") {
      this.firstRun.receive(what.link);
      return;
    }
    void this.attempt(async () => {
      const { networkName } = await this.ports.runtime.invoke("invite.inspect", {
        link: what.link,
      });
      this.dialogs.open({ kind: "other-network", networkName });
    });
  }
}
