import {
  AppError,
  type AppView,
  type CommandName,
  type CommandParams,
  type CommandResult,
  type EventName,
  type Events,
  type InviteId,
  type InviteView,
  type MessageView,
  type NetworkId,
  type DeviceId,
  type LinkView,
  parseLinkText,
  suiteNames,
  type Runtime,
  type SettingsView,
  type Timers,
} from "#protocol";
import { Listeners } from "../../renderer/runtime/index.ts";
import { messageId, people, shortId } from "./fixture/people.ts";
import {
  directoryNotices,
  vaultNotices,
  FixtureVault,
  keychainChanged,
  lockedAndWaiting,
  lockedAtStart,
  type VaultScene,
} from "./fixture/vault.ts";
import { FixtureTrust } from "./fixture/trust.ts";
import { searchFixture } from "./fixture/search.ts";
import { fixtureWorld, previewOf, type FixtureConversation } from "./fixture/world.ts";

/** What the fixture shows. */
export type FixtureScene =
  | "first-run"
  | "first-run-passphrase"
  | "first-run-invited"
  | "starting"
  | "locked"
  | "locked-waiting"
  | "problem-keychain"
  | "problem-changed"
  | "problem-vault"
  | "problem-in-use"
  | "ready"
  | "empty"
  | "alone"
  | "connecting"
  | "offline"
  | "suspended"
  | "read-only"
  | "loading"
  | "protected"
  | "managed"
  | "notices"
  | "directory-notices";

const vaultScenes: Partial<Readonly<Record<FixtureScene, VaultScene>>> = {
  locked: { protected: true },
  "locked-waiting": { managed: true },
  empty: { messages: 0 },
  "read-only": { damaged: true },
  protected: { protected: true },
  managed: { managed: true },
  notices: { notices: vaultNotices },
  "directory-notices": { notices: directoryNotices },
};

const fixtureLink = "sotto://link/7KQ4-MW2P-9D3H-XT5B-0RVE-J8NC-4ZGY@wss://relay.halden.example";
const fixtureSymbols = [1, 44, 21, 13, 54, 30];

const pageSize = 60;
const me = people[0]!;

type Handlers = {
  readonly [Name in CommandName]: (
    params: CommandParams<Name>,
  ) => CommandResult<Name> | Promise<CommandResult<Name>>;
};

/** A platform without a process behind it: rich data that answers like the real one, for development and for pictures. */
export class FixtureRuntime implements Runtime {
  readonly platform = "linux" as const;
  readonly #listeners = new Listeners();
  readonly #now: () => number;
  readonly #scene: FixtureScene;
  readonly #look: Partial<SettingsView>;
  readonly #handlers: Handlers;
  readonly #vault: FixtureVault;
  readonly #trust: FixtureTrust;
  readonly #suspended = new Map<string, boolean>();
  #conversations: FixtureConversation[];
  #view: AppView;
  #invites: InviteView[];
  #nextSeed = 900_000;
  #linkCompared: (match: boolean) => void = () => undefined;

  /**
   * @param scene - what to show
   * @param now - the fixture's present, milliseconds since 1970
   * @param look - settings that differ from the usual ones
   */
  constructor(scene: FixtureScene, now: () => number, look: Partial<SettingsView> = {}) {
    this.#scene = scene;
    this.#look = look;
    this.#now = now;
    const bare = scene === "empty" || scene === "alone";
    this.#conversations = bare ? [] : fixtureWorld(now());
    this.#vault = new FixtureVault(vaultScenes[scene] ?? {}, {
      now,
      view: () => this.#view,
      setView: (view) => {
        this.#setView(view);
      },
      readyView: () => this.#readyView("ready"),
    });
    this.#trust = new FixtureTrust(now, (userId) => {
      for (const found of this.#conversations) {
        const stoppedFor = found.view.stoppedFor.filter((person) => person.userId !== userId);
        if (stoppedFor.length < found.view.stoppedFor.length) this.#update(found, { stoppedFor });
      }
    });
    this.#view = this.#firstView(scene);
    this.#invites = [
      {
        inviteId: shortId(501) as InviteId,
        createdAtMs: now() - 26 * 3_600_000,
        expiresAtMs: now() + 5 * 86_400_000,
        uses: 25,
        usesLeft: 18,
      },
    ];
    this.#handlers = this.#makeHandlers();
  }

  async invoke<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>> {
    await Promise.resolve();
    return this.#handlers[name](params);
  }

  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  /** Lets somebody else write, for pictures of what arrives. */
  receive(title: string, text: string): void {
    const found = this.#conversations.find(({ row }) => row.title === title);
    if (found === undefined) throw new AppError("not-found");
    const other = found.view.members.find((member) => !member.me);
    if (other === undefined) throw new AppError("not-found");
    this.#put(found, this.#newText(found, { sender: other, text, own: false }));
  }

  #firstView(scene: FixtureScene): AppView {
    const profile = "default";
    const firstRun = { phase: "first-run", profile, link: null } as const;
    switch (scene) {
      case "first-run":
        return { ...firstRun, keychain: "available", keychainProblem: null };
      case "first-run-invited":
        return {
          ...firstRun,
          link: "sotto://join/aGFsZGVuLXdlcmtl",
          keychain: "available",
          keychainProblem: null,
        };
      case "first-run-passphrase":
        return { ...firstRun, keychain: "unavailable", keychainProblem: "keychain-absent" };
      case "starting":
        return { phase: "starting", profile, step: "unlocking" };
      case "locked":
        return { phase: "locked", profile, ...lockedAtStart };
      case "locked-waiting":
        return { phase: "locked", profile, ...lockedAndWaiting(this.#now()) };
      case "problem-changed":
        return { phase: "problem", profile, problem: keychainChanged };
      case "problem-keychain":
        return {
          phase: "problem",
          profile,
          problem: {
            code: "keychain-timeout",
            actions: ["retry", "use-passphrase", "quit"],
            changed: [],
          },
        };
      case "problem-vault":
        return {
          phase: "problem",
          profile,
          problem: {
            code: "vault-damaged",
            actions: ["open-read-only", "retry", "quit"],
            changed: [],
          },
        };
      case "problem-in-use":
        return {
          phase: "problem",
          profile,
          problem: { code: "vault-in-use", actions: ["retry", "quit"], changed: [] },
        };
      default:
        return this.#readyView(scene);
    }
  }

  #readyView(scene: FixtureScene): AppView {
    return {
      phase: "ready",
      profile: "default",
      history:
        scene === "protected"
          ? { direction: "sending", done: 1240, total: 5813, finished: false }
          : null,
      me: {
        userId: me.userId,
        deviceId: shortId(77) as DeviceId,
        displayName: me.displayName,
        role: scene === "managed" ? "member" : "administrator",
      },
      network: {
        networkId: shortId(900) as NetworkId,
        name: "Halden Werke",
        relayUrl: "ws://127.0.0.1:4310/",
        hosted: true,
        maxExpirationSeconds: 2_592_000,
        defaultExpirationSeconds: 604_800,
        mayInvite: true,
        historyOnLink: scene !== "managed",
        suite: suiteNames.default,
        hasNetworkKey: scene !== "managed",
      },
      connection:
        scene === "offline" || scene === "suspended"
          ? {
              kind: "offline",
              code: scene === "offline" ? "relay-unreachable" : "account-suspended",
              retryAtMs: this.#now() + 20_000,
            }
          : { kind: scene === "connecting" ? "connecting" : "online" },
      readOnly: scene === "read-only" ? "vault-damaged" : null,
      settings: {
        theme: "system",
        textScale: 1,
        closeToTray: true,
        notifications: true,
        ...this.#look,
      },
      ...this.#vault.readyPart,
    };
  }

  #setView(view: AppView): void {
    this.#view = view;
    this.#listeners.emit("app.changed", view);
  }

  #find(id: string): FixtureConversation {
    const found = this.#conversations.find(({ row }) => row.conversationId === id);
    if (found === undefined) throw new AppError("not-found");
    return found;
  }

  #rowsChanged(): void {
    this.#listeners.emit(
      "conversations.changed",
      this.#conversations.map(({ row }) => row),
    );
  }

  #update(found: FixtureConversation, change: Partial<FixtureConversation["view"]>): void {
    found.view = { ...found.view, ...change };
    const { title, pinned, muted, active } = found.view;
    found.row = { ...found.row, title, pinned, muted, active };
    this.#listeners.emit("conversation.changed", found.view);
    this.#rowsChanged();
  }

  #put(found: FixtureConversation, message: MessageView): void {
    const at = found.messages.findIndex(({ messageId: id }) => id === message.messageId);
    if (at === -1) found.messages.push(message);
    else found.messages[at] = message;
    const last = found.messages.at(-1) ?? null;
    found.row = {
      ...found.row,
      preview: previewOf(last, found.row.kind),
      lastActivityMs: last?.sentAtMs ?? found.row.lastActivityMs,
    };
    this.#changed(found, [message], []);
  }

  #changed(
    { row }: FixtureConversation,
    upserted: readonly MessageView[],
    removed: readonly MessageView["messageId"][],
  ): void {
    const { conversationId } = row;
    this.#listeners.emit("messages.changed", { conversationId, upserted, removed });
    this.#rowsChanged();
  }

  #remove(found: FixtureConversation, id: string): void {
    const gone = found.messages.filter(({ messageId: other }) => other === id);
    found.messages = found.messages.filter(({ messageId: other }) => other !== id);
    this.#changed(
      found,
      [],
      gone.map((message) => message.messageId),
    );
  }

  #newText(
    found: FixtureConversation,
    what: { readonly sender: MessageView["sender"]; readonly text: string; readonly own: boolean },
  ): Extract<MessageView, { kind: "text" }> {
    const seed = this.#nextSeed++;
    const sentAtMs = this.#now();
    const { timers } = found.view;
    return {
      messageId: messageId(seed),
      conversationId: found.row.conversationId,
      order: seed,
      sentAtMs,
      sender: what.sender,
      own: what.own,
      kind: "text",
      text: what.text,
      expiry: {
        sentAtMs,
        endsAtMs: sentAtMs + timers.expirationSeconds * 1000,
        origin: "conversation",
        originSeconds: timers.expirationSeconds,
        burnSeconds: timers.burnSeconds,
        burnsAtMs: null,
      },
      quote: null,
      edited: false,
      reactions: [],
      delivery: what.own ? { kind: "waiting" } : null,
    };
  }

  #text(found: FixtureConversation, id: string): Extract<MessageView, { kind: "text" }> {
    const message = found.messages.find(({ messageId: other }) => other === id);
    if (message?.kind !== "text") throw new AppError("not-found");
    return message;
  }

  #settle(found: FixtureConversation, id: string): void {
    if (this.#scene === "offline") return;
    const steps = ["sent", "delivered", "read"] as const;
    for (const [index, kind] of steps.entries()) {
      setTimeout(
        () => {
          if (!found.messages.some(({ messageId: other }) => other === id)) return;
          this.#put(found, { ...this.#text(found, id), delivery: { kind } });
        },
        300 * (index + 1),
      );
    }
  }

  #makeHandlers(): Handlers {
    const done = null;
    return {
      "app.get": () => this.#view,
      "app.retry": () => {
        throw new AppError("keychain-timeout");
      },
      "app.openReadOnly": () => {
        this.#setView(this.#readyView("read-only"));
        return done;
      },
      "app.quit": () => done,
      "about.get": () => ({
        version: "0.1.0",
        runtime: "preview",
        electron: null,
        chromium: null,
        node: "24.21.0",
        suite: "X-Wing · AES-256-GCM · SHA-384 · Ed25519",
        libsodium: "1.0.20",
        keyStore: "keychain",
        licences: [
          { name: "bits-ui", version: "2.21.0", license: "MIT" },
          { name: "svelte", version: "5.57.3", license: "MIT" },
          { name: "ts-mls", version: "1.6.4", license: "MIT" },
        ],
      }),
      "profile.host": () => this.#finishFirstRun("starting-relay"),
      "profile.link": ({ link }) => {
        parseLinkText(link);
        return this.#link();
      },
      "profile.linkCompared": ({ match }) => {
        this.#linkCompared(match);
        return done;
      },
      "profile.linkCancel": () => {
        this.#linkCompared(false);
        return done;
      },
      "profile.join": ({ displayName }) => {
        if (displayName === "Fail") throw new AppError("invite-used");
        return this.#finishFirstRun("joining");
      },
      "invite.inspect": ({ link }) => {
        if (!link.startsWith("sotto://join/")) throw new AppError("invite-malformed");
        return { networkName: "Halden Werke", relayUrl: "wss://relay.halden.example/" };
      },
      ...this.#vault.handlers,
      "conversations.list": () =>
        this.#scene === "loading"
          ? new Promise(() => undefined)
          : this.#conversations.map(({ row }) => row),
      "conversation.open": ({ conversationId }) => {
        const { view, messages } = this.#find(conversationId);
        return {
          conversation: view,
          page: { messages: messages.slice(-pageSize), hasEarlier: messages.length > pageSize },
        };
      },
      "conversation.openAt": ({ conversationId, messageId: id }) => {
        const { view, messages } = this.#find(conversationId);
        const at = messages.findIndex(({ messageId: other }) => other === id);
        if (at === -1) throw new AppError("not-found");
        const start = Math.max(0, Math.min(at - 20, messages.length - pageSize));
        return {
          conversation: view,
          page: { messages: messages.slice(start), hasEarlier: start > 0, hasLater: false },
        };
      },
      "conversation.loadLater": () => ({ messages: [], hasEarlier: true, hasLater: false }),
      "search.find": (request) => searchFixture(this.#conversations, request),
      "conversation.close": () => done,
      "conversation.loadEarlier": async ({ conversationId, beforeOrder, limit }) => {
        const { messages } = this.#find(conversationId);
        const earlier = messages.filter(({ order }) => order < beforeOrder);
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { messages: earlier.slice(-limit), hasEarlier: earlier.length > limit };
      },
      "conversation.create": ({ people: chosen }) => {
        const direct = this.#conversations.find(
          ({ row }) => row.kind === "direct" && row.avatarSeed === chosen[0],
        );
        const found = direct ?? this.#conversations[0];
        if (found === undefined) throw new AppError("key-packages-exhausted");
        return { conversationId: found.row.conversationId };
      },
      "conversation.rename": ({ conversationId, name }) => {
        this.#update(this.#find(conversationId), { title: name });
        return done;
      },
      "conversation.setTimers": ({ conversationId, timers }) => {
        const wanted = timers as Timers;
        const bound = { ...wanted, origin: "conversation" } as const;
        this.#update(this.#find(conversationId), { timers: wanted, bound });
        return done;
      },
      "conversation.addMembers": () => done,
      "conversation.removeMember": ({ conversationId, userId }) => {
        const found = this.#find(conversationId);
        const members = found.view.members.filter((member) => member.userId !== userId);
        this.#update(found, { members });
        return done;
      },
      "conversation.setRole": ({ conversationId, userId, role }) => {
        const found = this.#find(conversationId);
        const members = found.view.members.map((member) =>
          member.userId === userId ? { ...member, role } : member,
        );
        this.#update(found, { members });
        return done;
      },
      "conversation.joinByWord": ({ conversationId }) => {
        const found = this.#find(conversationId);
        this.#update(found, { unvouched: null });
        const line = found.messages.find(
          (message) => message.kind === "unopenable" && message.code === "members-unvouched",
        );
        if (line !== undefined) this.#remove(found, line.messageId);
        return done;
      },
      "conversation.leave": ({ conversationId }) => {
        this.#update(this.#find(conversationId), { active: false, allowed: [] });
        return done;
      },
      "conversation.delete": ({ conversationId }) => {
        this.#conversations = this.#conversations.filter(
          ({ row }) => row.conversationId !== conversationId,
        );
        this.#rowsChanged();
        return done;
      },
      "conversation.setPinned": ({ conversationId, pinned }) => {
        this.#update(this.#find(conversationId), { pinned });
        return done;
      },
      "conversation.setMuted": ({ conversationId, muted }) => {
        this.#update(this.#find(conversationId), { muted });
        return done;
      },
      "conversation.saveDraft": ({ conversationId, text }) => {
        const found = this.#find(conversationId);
        found.row = { ...found.row, draft: text !== "" };
        this.#rowsChanged();
        return done;
      },
      "conversation.markRead": ({ conversationId, order }) => {
        const found = this.#find(conversationId);
        const unreadCount = found.messages.filter(
          (message) => message.order > order && !message.own,
        ).length;
        found.row = { ...found.row, unreadCount: Math.min(found.row.unreadCount, unreadCount) };
        this.#rowsChanged();
        return done;
      },
      "message.send": ({ conversationId, text }) => {
        const found = this.#find(conversationId);
        const message = this.#newText(found, { sender: me, text, own: true });
        this.#put(found, message);
        this.#settle(found, message.messageId);
        return { messageId: message.messageId };
      },
      "message.edit": ({ conversationId, messageId: id, text }) => {
        const found = this.#find(conversationId);
        this.#put(found, { ...this.#text(found, id), text, edited: true });
        return done;
      },
      "message.react": ({ conversationId, messageId: id, emoji, on }) => {
        const found = this.#find(conversationId);
        const message = this.#text(found, id);
        const others = message.reactions.filter((reaction) => reaction.emoji !== emoji);
        const before = message.reactions.find((reaction) => reaction.emoji === emoji);
        const without = (before?.people ?? []).filter(({ userId }) => userId !== me.userId);
        const after = on ? [...without, me] : without;
        const reactions =
          after.length === 0 ? others : [...others, { emoji, people: after, own: on }];
        this.#put(found, { ...message, reactions });
        return done;
      },
      "message.recall": ({ conversationId, messageId: id }) => {
        const found = this.#find(conversationId);
        const { messageId: sameId, order, sentAtMs, sender, own, expiry } = this.#text(found, id);
        const common = { messageId: sameId, conversationId: found.row.conversationId, order };
        this.#put(found, { ...common, sentAtMs, sender, own, expiry, kind: "recalled" });
        return done;
      },
      "message.deleteForMe": ({ conversationId, messageId: id }) => {
        this.#remove(this.#find(conversationId), id);
        return done;
      },
      "message.reveal": ({ conversationId, messageId: id }) => {
        this.#reveal(this.#find(conversationId), id);
        return done;
      },
      "message.retry": ({ conversationId, messageId: id }) => {
        const found = this.#find(conversationId);
        this.#put(found, { ...this.#text(found, id), delivery: { kind: "waiting" } });
        this.#settle(found, id);
        return done;
      },
      "message.info": ({ conversationId, messageId: id }) => {
        const found = this.#find(conversationId);
        const message = found.messages.find(({ messageId: other }) => other === id);
        if (message === undefined || !("expiry" in message)) throw new AppError("not-found");
        const others = found.view.members.filter((member) => !member.me);
        return {
          messageId: message.messageId,
          sentAtMs: message.sentAtMs,
          expiry: message.expiry,
          suite: found.view.encryption.suite,
          epoch: found.view.encryption.epoch,
          receipts: message.own
            ? others.map(({ userId, displayName }, index) => ({
                userId,
                displayName,
                deliveredAtMs: index === 3 ? null : message.sentAtMs + 4000,
                readAtMs: index < 2 ? message.sentAtMs + 60_000 * (index + 1) : null,
              }))
            : [],
        };
      },
      "people.list": () =>
        (this.#scene === "alone" ? [me] : people).map((person) => ({
          ...person,
          suspended: this.#suspended.get(person.userId) ?? person.suspended,
        })),
      "network.suspend": ({ userId, suspended }) => {
        this.#suspended.set(userId, suspended);
        this.#listeners.emit("people.changed", null);
        return done;
      },
      "network.setPolicy": (change) => {
        if (this.#view.phase !== "ready") throw new AppError("not-ready");
        this.#setView({ ...this.#view, network: { ...this.#view.network, ...change } });
        return done;
      },
      ...this.#trust.handlers,
      "invites.list": () => this.#invites,
      "invites.create": ({ lifetimeSeconds, uses }) => {
        const invite: InviteView = {
          inviteId: shortId(600 + this.#invites.length) as InviteId,
          createdAtMs: this.#now(),
          expiresAtMs: this.#now() + lifetimeSeconds * 1000,
          uses,
          usesLeft: uses,
        };
        this.#invites = [invite, ...this.#invites];
        return {
          link: `sotto://join/${"pGdyZWxheVVybHgdd3NzOi8vcmVsYXkuaGFsZGVuLmV4YW1wbGUv".repeat(3)}`,
          invite,
        };
      },
      "invites.revoke": ({ inviteId }) => {
        this.#invites = this.#invites.filter((invite) => invite.inviteId !== inviteId);
        return done;
      },
      "link.get": () => ({ kind: "idle" }),
      "link.show": () => {
        const expiresAtMs = this.#now() + 10 * 60_000;
        this.#listeners.emit("link.changed", { kind: "code", link: fixtureLink, expiresAtMs });
        this.#linkSoon(
          { kind: "code", link: fixtureLink, expiresAtMs },
          { kind: "compare", symbols: fixtureSymbols, historyAllowed: true },
        );
        return done;
      },
      "link.match": () => {
        const deviceName = "Windows computer";
        this.#listeners.emit("link.changed", { kind: "waiting" });
        this.#linkSoon(
          { kind: "adding", deviceName },
          { kind: "added", deviceName, history: true },
        );
        return done;
      },
      "link.differ": () => {
        const code = "link-symbols-differ";
        this.#listeners.emit("link.changed", { kind: "failed", code });
        return done;
      },
      "link.cancel": () => done,
      "devices.rename": () => done,
      "devices.remove": () => done,
      "devices.list": () => [
        {
          deviceId: shortId(77) as DeviceId,
          deviceName: "Nora's laptop",
          platform: "Linux",
          createdAtMs: this.#now() - 40 * 86_400_000,
          thisDevice: true,
        },
        {
          deviceId: shortId(78) as DeviceId,
          deviceName: "Desk on the third floor, by the window, until the end of March",
          platform: "Windows",
          createdAtMs: this.#now() - 3 * 86_400_000,
          thisDevice: false,
        },
      ],
      "settings.set": (change) => {
        if (this.#view.phase !== "ready") throw new AppError("not-ready");
        const { settings: before } = this.#view;
        const settings = {
          theme: change.theme ?? before.theme,
          textScale: change.textScale ?? before.textScale,
          closeToTray: change.closeToTray ?? before.closeToTray,
          notifications: change.notifications ?? before.notifications,
        };
        this.#setView({ ...this.#view, settings });
        return settings;
      },
    };
  }

  #reveal(found: FixtureConversation, id: string): void {
    const message = found.messages.find(({ messageId: other }) => other === id);
    if (message?.kind !== "covered") throw new AppError("not-found");
    const { messageId: sameId, order, sentAtMs, sender, own, expiry } = message;
    const burnsAtMs = this.#now() + (expiry.burnSeconds ?? 30) * 1000;
    this.#put(found, {
      messageId: sameId,
      conversationId: found.row.conversationId,
      order,
      sentAtMs,
      sender,
      own,
      kind: "text",
      text: found.hidden.get(order) ?? "",
      expiry: { ...expiry, burnsAtMs },
      quote: null,
      edited: false,
      reactions: [],
      delivery: null,
    });
    setTimeout(() => {
      this.#remove(found, id);
    }, burnsAtMs - this.#now());
  }

  /** Goes through the states of "Add a computer", at the device that is there already. */
  #linkSoon(...views: readonly LinkView[]): void {
    views.forEach((view, index) => {
      setTimeout(
        () => {
          this.#listeners.emit("link.changed", view);
        },
        (index + 1) * 900,
      );
    });
  }

  async #link(): Promise<null> {
    for (const step of [
      { kind: "connecting" },
      { kind: "compare", symbols: fixtureSymbols },
    ] as const) {
      this.#setView({ phase: "linking", profile: "default", step });
      await new Promise((resolve) => setTimeout(resolve, 900));
    }
    const match = await new Promise<boolean>((resolve) => {
      this.#linkCompared = resolve;
    });
    if (!match) {
      this.#setView(this.#firstView("first-run"));
      throw new AppError("link-symbols-differ");
    }
    const step = { kind: "waiting", symbols: fixtureSymbols } as const;
    this.#setView({ phase: "linking", profile: "default", step });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    this.#setView(this.#readyView("ready"));
    return null;
  }

  async #finishFirstRun(last: "starting-relay" | "joining"): Promise<null> {
    for (const step of ["making-keys", last] as const) {
      this.#setView({ phase: "starting", profile: "default", step });
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    this.#setView(this.#readyView("alone"));
    return null;
  }
}

/** The scene that an address asks for. */
export function sceneOf(text: string | null): FixtureScene {
  return (text ?? "ready") as FixtureScene;
}
