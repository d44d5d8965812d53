import {
  ensureAppError,
  eventNames,
  type AppView,
  type Events,
  type LockedView,
  type LockSettings,
  type SettingsView,
} from "#protocol";
import type { Client, ClientEventName } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import { isTouch } from "./activity.ts";
import { AutoLock } from "./auto-lock.ts";
import { createDispatcher, type Dispatch } from "./dispatcher.ts";
import type { Engine } from "./engine.ts";
import { createEventHub, type EventListener } from "./events.ts";
import { createHandlers } from "./handlers.ts";
import { Lifecycle } from "./lifecycle.ts";
import { readLink } from "./links.ts";
import { effectiveLock } from "./lock-settings.ts";
import { Notifier } from "./notifications.ts";
import { OpenConversations } from "./open-conversations.ts";
import type { AppPorts } from "./ports.ts";
import { RelayHost } from "./relay-host.ts";
import { VaultPolicyKeeper } from "./vault-policy.ts";

/** One profile at work, without a window: what a shell shows and what it passes on. */
export interface App {
  /** Answers a window's command. */
  readonly dispatch: Dispatch;
  /** Hears every event, to be passed to a window. @returns a disposer */
  subscribe(listener: EventListener): () => void;
  /** A window was closed or shows another page: what it had open counts no more. */
  sourceGone(sourceId: number): void;
  readonly view: AppView;
  /** The person's settings, also while the vault is locked; null before it was open. */
  readonly settings: SettingsView | null;
  /** Unread messages in conversations that aren't muted; while the vault is locked, what has come since. */
  readonly unreadCount: number;
  /** Shows an invite link that came from the command line or the operating system. Anything else is ignored. */
  openLink(text: string): void;
  /** Whether {@link App.lock} can be had. */
  readonly canLock: boolean;
  /** The person wants the vault locked. Does nothing when there is nothing to lock. */
  lock(): void;
  /** The operating system's screen is locked, or the machine goes to sleep: locks the vault if its person wants that. */
  away(reason: "os-lock" | "suspend"): void;
  /** The machine woke up or has a network again: connects at once. */
  wake(): void;
  /** Ends everything in order; what was acknowledged is on disk. Further calls wait for the first. */
  stop(): Promise<void>;
}

/**
 * Starts a profile. Returns at once: where the start is, is said by `view` and `app.changed`.
 *
 * @param engine - what opens vaults and accounts (`createEngine`)
 * @param link - what Sotto was started with
 */
export function startApp(ports: AppPorts, engine: Engine, link: string | null): App {
  const hub = createEventHub();
  const openConversations = new OpenConversations();
  /** What shall be shown as soon as a window listens. */
  let pending: Events["app.show"] | null = null;
  /** Windows that have asked where the app is, and listen. */
  const listening = new Set<number>();

  const lifecycle = new Lifecycle({
    profile: ports.paths.name,
    engine,
    relay: new RelayHost({
      spawn: ports.spawnRelay,
      directory: ports.paths.relay,
      clock: ports.clock,
      log: ports.log,
      onChanged: () => {
        lifecycle.relayChanged();
      },
    }),
    log: ports.log,
    clock: ports.clock,
    onChanged: () => {
      changed();
    },
    onOpened: (client, vault) => listen(client, vault),
    onArrival: () => {
      if (lifecycle.settings?.notifications === true) notifier.notifyLocked();
    },
  });

  /** null while nothing can be locked. */
  const lockSettings = (): LockSettings | null => {
    const { view } = lifecycle;
    if (view.phase !== "ready" || !view.canLock) return null;
    const { lockSettings: chosen, vaultPolicy } = lifecycle.client;
    return effectiveLock(chosen, vaultPolicy);
  };
  const lock = (reason: LockedView["reason"]): void => {
    lifecycle.lock(reason).catch((cause: unknown) => {
      const error = ensureAppError(cause);
      // It is locked already, or nothing is open.
      if (error.code !== "not-ready") ports.log.error("the vault was not locked", error);
    });
  };
  const autoLock = new AutoLock({
    clock: ports.clock,
    uptimeMs: ports.uptimeMs,
    systemIdleMs: ports.systemIdleMs,
    idleMinutes: () => lockSettings()?.idleMinutes ?? null,
    onIdle: () => {
      lock("idle");
    },
  });
  const changed = (): void => {
    hub.emit("app.changed", lifecycle.view);
    autoLock.watch();
  };

  const show = (target: Events["app.show"]): void => {
    ports.raiseWindow();
    if (listening.size > 0) hub.emit("app.show", target);
    else pending = target;
  };

  const notifier = new Notifier(ports.notifications, ports.clock, (conversationId) => {
    if (conversationId === null) ports.raiseWindow();
    else show({ kind: "conversation", conversationId });
  });

  const listen = (client: Client, vault: Vault): (() => void) => {
    const policy = new VaultPolicyKeeper({
      client,
      vault,
      tries: lifecycle.tries,
      log: ports.log,
      onSlotsChanged: () => lifecycle.slotsChanged(),
    });
    void policy.follow();
    const disposers = [
      ...eventNames
        .filter((name): name is ClientEventName => name !== "app.changed" && name !== "app.show")
        .map((name) =>
          client.on(name, (body) => {
            hub.emit(name, body);
          }),
        ),
      client.onViewChanged(() => {
        changed();
        void policy.follow();
      }),
      vault.onReadOnly(changed),
      vault.onKeysChanged(changed),
      client.onNotify((notice) => {
        if (client.view.settings.notifications && !ports.isFocused()) notifier.notify(notice);
      }),
    ];
    return () => {
      for (const dispose of disposers) dispose();
      openConversations.clear();
    };
  };

  const handlers = createHandlers({
    ports,
    engine,
    lifecycle,
    openConversations,
    onWindowReady: (sourceId) => {
      listening.add(sourceId);
      if (pending === null) return;
      const target = pending;
      pending = null;
      // After the answer that this call is about to give.
      ports.clock.setTimeout(() => {
        hub.emit("app.show", target);
      }, 0);
    },
  });

  const openLink = (text: string): void => {
    const target = readLink(text);
    if (target === null) return;
    lifecycle.setLink(target);
    show({ kind: "invite", link: target });
  };

  let stopping: Promise<void> | null = null;
  if (link !== null) openLink(link);
  void lifecycle.start();

  return {
    dispatch: createDispatcher(handlers, ports.log, (name) => {
      if (isTouch(name)) autoLock.touched();
    }),
    subscribe: (listener) => hub.subscribe(listener),
    sourceGone: (sourceId) => {
      listening.delete(sourceId);
      if (lifecycle.view.phase !== "ready") return;
      for (const conversationId of openConversations.sourceGone(sourceId)) {
        lifecycle.client.commands["conversation.close"]({ conversationId }).catch(() => undefined);
      }
    },
    get view() {
      return lifecycle.view;
    },
    get settings() {
      return lifecycle.settings;
    },
    get unreadCount() {
      const { view } = lifecycle;
      if (view.phase === "locked") return view.newMessages;
      return view.phase === "ready" ? lifecycle.client.unreadCount() : 0;
    },
    get canLock() {
      return lockSettings() !== null;
    },
    lock: () => {
      lock("person");
    },
    away: (reason) => {
      const settings = lockSettings();
      // What is just being opened hasn't said what its person wants: it is locked.
      const isWanted = reason === "os-lock" ? settings?.onOsLock : settings?.onSuspend;
      if (isWanted !== false) lock(reason);
    },
    openLink,
    wake: () => {
      autoLock.watch();
      if (lifecycle.view.phase === "ready") lifecycle.client.retryNow();
    },
    stop: () => {
      autoLock.stop();
      return (stopping ??= lifecycle.stop());
    },
  };
}
