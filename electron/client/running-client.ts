import {
  defaultVaultPolicy,
  ensureAppError,
  type ConnectionView,
  type ConversationId,
} from "#protocol";
import { startLink, type Link } from "../link/index.ts";
import { Acknowledger } from "./account/acknowledger.ts";
import { Directory } from "./account/directory.ts";
import { KeyChanges } from "./account/key-changes.ts";
import { KeyPackages } from "./account/key-packages.ts";
import { Notices } from "./account/notices.ts";
import { Objections } from "./account/objections.ts";
import { PolicyKeeper } from "./account/policy-keeper.ts";
import { RollBack } from "./account/roll-back.ts";
import { arrivals } from "./arrivals.ts";
import {
  accountCommands,
  defaultLockSettings,
  defaultSettings,
} from "./commands/account-commands.ts";
import { conversationCommands } from "./commands/conversation-commands.ts";
import type { Engine } from "./commands/engine.ts";
import { linkCommands } from "./commands/link-commands.ts";
import { messageCommands } from "./commands/message-commands.ts";
import { networkCommands } from "./commands/network-commands.ts";
import { rejecting } from "./commands/rejecting.ts";
import { searchCommands } from "./commands/search-commands.ts";
import { verificationCommands } from "./commands/verification-commands.ts";
import { connectionAfter } from "./connection-after.ts";
import { Asker } from "./conversations/asker.ts";
import { Commits } from "./conversations/commits.ts";
import { GroupLog } from "./conversations/group-log.ts";
import { Inbox } from "./conversations/inbox.ts";
import { Membership } from "./conversations/membership.ts";
import { Refresher } from "./conversations/refresher.ts";
import { LeaveHelper } from "./conversations/leave-helper.ts";
import { Outbox } from "./conversations/outbox.ts";
import { ReceiptSender } from "./conversations/receipt-sender.ts";
import { Mender } from "./conversations/mender.ts";
import { Rejoiner } from "./conversations/rejoiner.ts";
import { Changes } from "./core/changes.ts";
import type { Core } from "./core/core.ts";
import { Destruction } from "./ephemerality/destruction.ts";
import { Forgetting } from "./ephemerality/forgetting.ts";
import { Sweeper } from "./ephemerality/sweeper.ts";
import { linkIdentity } from "./identity.ts";
import { DeviceLinker } from "./linking/device-linker.ts";
import { History } from "./linking/history.ts";
import { Indexer } from "./search/indexer.ts";
import { Searcher } from "./search/searcher.ts";
import { putFact, readFact, type StoredAccount } from "./store/facts.ts";
import { Sync } from "./sync.ts";
import type { Client, Notice, OpenClientOptions } from "./types.ts";
import { clientView } from "./views/client-view.ts";
import { storageFacts } from "./views/storage-facts.ts";
import { ViewHub } from "./views/view-hub.ts";

/** Ends a connection. Made out here, so that it keeps nothing of the account in memory for as long as the vault is locked. */
function closing(link: Link | null): () => void {
  return () => link?.close();
}

/** All parts of one open account, and their order of starting and ending. */
export class RunningClient {
  readonly #core: Core;
  readonly #account: StoredAccount;
  readonly #options: OpenClientOptions;
  readonly #hub: ViewHub;
  readonly #notices: Notices;
  readonly #keyChanges: KeyChanges;
  readonly #directory: Directory;
  readonly #policy: PolicyKeeper;
  readonly #acknowledger: Acknowledger;
  readonly #log: GroupLog;
  readonly #commits: Commits;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #receipts: ReceiptSender;
  readonly #asker: Asker;
  readonly #leaveHelper: LeaveHelper;
  readonly #membership: Membership;
  readonly #refresher: Refresher;
  readonly #rollBack: RollBack;
  readonly #destruction: Destruction;
  readonly #sweeper: Sweeper;
  readonly #forgetting: Forgetting;
  readonly #indexer: Indexer;
  readonly #linker: DeviceLinker;
  readonly #history: History;
  readonly #sync: Sync;
  readonly #engine: Engine;
  readonly #viewListeners = new Set<() => void>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #disposers: (() => void)[] = [];

  constructor(core: Core, account: StoredAccount, options: OpenClientOptions) {
    this.#core = core;
    this.#account = account;
    this.#options = options;
    const viewChanged = (): void => {
      this.#viewChanged();
    };
    const namesChanged = (): void => {
      this.#hub.everythingChanged();
      this.#viewChanged();
    };
    this.#hub = new ViewHub(core, viewChanged);
    this.#notices = new Notices(core);
    const notices = this.#notices;
    const objections = new Objections(core, notices);
    this.#keyChanges = new KeyChanges(core, {
      notices,
      objections,
      onTaken: () => {
        namesChanged();
        this.#sync.onTrusted();
      },
    });
    this.#directory = new Directory(core, {
      keyChanges: this.#keyChanges,
      notices,
      objections,
      onChanged: () => {
        namesChanged();
        this.#membership.audit();
      },
    });
    this.#policy = new PolicyKeeper(core, account.networkKey, () => {
      namesChanged();
      this.#membership.audit();
    });
    this.#acknowledger = new Acknowledger(core);
    this.#log = new GroupLog(core, {
      directory: this.#directory,
      policy: this.#policy,
      acknowledger: this.#acknowledger,
      onLeaveProposed: (conversationId) => {
        this.#leaveHelper.proposed(conversationId);
      },
    });
    this.#commits = new Commits(core, this.#log);
    this.#inbox = new Inbox(core, {
      log: this.#log,
      directory: this.#directory,
      acknowledger: this.#acknowledger,
    });
    this.#outbox = new Outbox(core, this.#log, this.#commits);
    this.#receipts = new ReceiptSender(core);
    this.#asker = new Asker(core);
    this.#leaveHelper = new LeaveHelper(core, this.#commits);
    this.#membership = new Membership(core, this.#commits);
    this.#refresher = new Refresher(core, this.#commits);
    this.#rollBack = new RollBack(core, viewChanged);
    this.#destruction = new Destruction(core);
    this.#sweeper = new Sweeper(core, this.#destruction);
    this.#forgetting = new Forgetting(core);
    this.#indexer = new Indexer(core, (progress) => {
      this.#hub.emit("search.progress", progress);
    });
    this.#linker = new DeviceLinker({
      core,
      account,
      relayUrl: options.relayUrl ?? account.relayUrl,
      directory: this.#directory,
      onChanged: (view) => {
        this.#hub.emit("link.changed", view);
      },
      onLinked: () => {
        this.#history.channelsChanged();
      },
    });
    this.#history = new History(core, {
      onChanged: viewChanged,
      onReady: (deviceId) => {
        this.#linker.arrived(deviceId);
        this.#membership.audit();
      },
    });
    this.#sync = new Sync({
      core,
      directory: this.#directory,
      policy: this.#policy,
      keyPackages: new KeyPackages(core),
      inbox: this.#inbox,
      log: this.#log,
      commits: this.#commits,
      outbox: this.#outbox,
      receipts: this.#receipts,
      asker: this.#asker,
      leaveHelper: this.#leaveHelper,
      membership: this.#membership,
      refresher: this.#refresher,
      acknowledger: this.#acknowledger,
      rollBack: this.#rollBack,
      mender: new Mender(core, this.#log),
      rejoiner: new Rejoiner(core, {
        log: this.#log,
        directory: this.#directory,
        acknowledger: this.#acknowledger,
      }),
    });
    this.#engine = {
      core,
      hub: this.#hub,
      commits: this.#commits,
      sync: this.#sync,
      directory: this.#directory,
      policy: this.#policy,
      account,
      relayUrl: options.relayUrl ?? account.relayUrl,
      settings: readFact(core.vault, "settings") ?? defaultSettings,
      connection: { kind: "connecting" },
      viewChanged,
    };
  }

  async begin(): Promise<Client> {
    const { vault, worker } = this.#core;
    this.#disposers.push(
      this.#core.onCommitted((changes) => {
        this.#follow(changes);
      }),
      vault.onReadOnly((code) => {
        this.#stop({ kind: "offline", code, retryAtMs: this.#core.clock.now() });
      }),
      worker.onRestart(() => {
        // It has lost its keys: this client ends, and the account is opened anew.
        const code = "worker-stopped";
        this.#stop({ kind: "offline", code, retryAtMs: this.#core.clock.now() });
        this.#core.close();
      }),
    );
    await this.#rollBack.takeKeychainsWord();
    await this.#sweeper.begin(readFact(vault, "floorMs") ?? 0);
    // After the sweep: the worker knows the time now, by which the certificate must be valid, even if this machine's clock was lost.
    await this.#directory.begin(this.#account.networkKey);
    await this.#hub.begin();
    this.#indexer.begin();
    if (vault.readOnly === null) this.#connect();
    else this.#stop({ kind: "offline", code: vault.readOnly, retryAtMs: this.#core.clock.now() });
    return this.#client();
  }

  #connect(): void {
    this.#core.link = startLink({
      connect: this.#options.connect,
      clock: this.#core.clock,
      random: this.#core.random,
      relayUrl: this.#engine.relayUrl,
      identity: linkIdentity(this.#core, this.#account, {
        directory: this.#directory,
        policy: this.#policy,
        sweeper: this.#sweeper,
        rollBack: this.#rollBack,
      }),
      listener: {
        onSession: (session) => {
          this.#sync.onSession(session);
          this.#linker.look();
          this.#history.begin();
        },
        onEvent: (event) => {
          if (event.name !== "rendezvous.arrived") {
            this.#sync.onEvent(event);
            return;
          }
          this.#linker.look(event.body.rendezvousId);
          this.#history.look(event.body.rendezvousId);
        },
        onState: (state) => {
          this.#engine.connection = connectionAfter(this.#engine.connection, state);
          this.#viewChanged();
        },
      },
    });
  }

  #follow(changes: Changes): void {
    this.#destruction.follow();
    this.#sweeper.follow(changes);
    this.#indexer.follow(changes);
    this.#hub.follow(changes);
    this.#history.follow(changes);
    this.#receipts.owe(changes.owing);
    this.#asker.wanted(changes.asking);
    for (const conversationId of changes.outboxes) this.#outbox.kick(conversationId);
    if (changes.forgets) this.#forgetting.wanted();
    for (const notice of changes.notices) this.#notify(notice);
  }

  #notify(notice: Notice): void {
    const { conversationId } = notice;
    const seen = this.#hub.isOpen(conversationId) && (this.#options.isFocused?.() ?? true);
    if (seen || this.#core.store.conversation(conversationId)?.muted !== false) return;
    for (const listener of [...this.#noticeListeners]) listener(notice);
  }

  #viewChanged(): void {
    for (const listener of [...this.#viewListeners]) listener();
  }

  /** No more connections: what can still be read can be read. */
  #stop(connection: ConnectionView): void {
    this.#core.link?.close();
    this.#engine.connection = connection;
    this.#viewChanged();
  }

  #client(): Client {
    const core = this.#core;
    const engine = this.#engine;
    const rollBack = this.#rollBack;
    const history = this.#history;
    const notices = this.#notices;
    return {
      commands: rejecting({
        ...conversationCommands(this.#engine),
        ...messageCommands(this.#engine),
        ...accountCommands(this.#engine),
        ...networkCommands(this.#engine),
        ...verificationCommands(this.#core, this.#keyChanges),
        ...linkCommands(this.#linker),
        ...searchCommands(
          this.#engine,
          new Searcher(this.#core, this.#indexer, () => this.#hub.rows),
        ),
      }),
      on: (name, listener) => this.#hub.on(name, listener),
      get view() {
        return { ...clientView(engine), history: history.view };
      },
      onViewChanged: (listener) => {
        this.#viewListeners.add(listener);
        return () => void this.#viewListeners.delete(listener);
      },
      onNotify: (listener) => {
        this.#noticeListeners.add(listener);
        return () => void this.#noticeListeners.delete(listener);
      },
      get vaultPolicy() {
        return core.policy.vault ?? defaultVaultPolicy;
      },
      get lockSettings() {
        return readFact(core.vault, "lock") ?? defaultLockSettings;
      },
      setLockSettings: async (settings) => {
        core.ensureWritable();
        const changes = new Changes();
        changes.statements.push(putFact("lock", settings));
        await core.commit(changes);
        this.#viewChanged();
      },
      get rejoining() {
        return rollBack.rejoining;
      },
      get ownNotices() {
        return notices.unread;
      },
      storageFacts: () => storageFacts(core),
      retryNow: () => core.link?.retryNow(),
      unreadCount: () =>
        this.#hub.rows
          .filter(({ muted }) => !muted)
          .reduce((sum, { unreadCount }) => sum + unreadCount, 0),
      close: () => {
        this.#core.link?.close();
        return this.#close();
      },
      rest: async (onArrival) => {
        const { link, self } = this.#core;
        link?.rest(arrivals(self.deviceId, onArrival));
        this.#core.link = null;
        await this.#close();
        return closing(link);
      },
    };
  }

  async #close(): Promise<void> {
    this.#disposers.forEach((dispose) => {
      dispose();
    });
    // First of all: none of its words outlive a lock.
    const wiped = this.#indexer.close();
    this.#viewListeners.clear();
    this.#noticeListeners.clear();
    this.#linker.close();
    this.#history.close();
    this.#sync.close();
    this.#commits.close();
    this.#acknowledger.close();
    this.#outbox.close();
    this.#receipts.close();
    this.#asker.close();
    this.#leaveHelper.close();
    this.#membership.close();
    this.#refresher.close();
    await Promise.allSettled([this.#sweeper.close(), this.#forgetting.close()]);
    await this.#destruction.close();
    // What is under way sees a closed link, and ends.
    await Promise.allSettled([
      this.#sync.idle(),
      this.#history.idle(),
      this.#core.groupQueue.idle(),
    ]);
    await this.#sweeper.keepTime().catch(ensureAppError);
    this.#core.close();
    await wiped;
    await this.#hub.close();
    await this.#unloadGroups().catch(ensureAppError);
  }

  /** The worker lives on: what this account had in it goes. */
  async #unloadGroups(): Promise<void> {
    const ids: readonly ConversationId[] = this.#core.loadedGroups;
    await Promise.all(ids.map((conversationId) => this.#core.forgetGroup(conversationId)));
  }
}
