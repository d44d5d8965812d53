import {
  AppError,
  commands,
  parseInviteLink,
  type AboutView,
  type CommandName,
  type CommandResult,
  type ParsedCommandParams,
} from "#protocol";
import type { ClientCommandName } from "../client/index.ts";
import type { Handlers } from "./dispatcher.ts";
import type { Engine } from "./engine.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { OpenConversations } from "./open-conversations.ts";
import type { AppPorts } from "./ports.ts";
import { protectionHandlers } from "./protection.ts";
import { storageHandlers } from "./storage.ts";

type OwnCommandName = Exclude<CommandName, ClientCommandName>;
type OwnHandlers = Pick<Handlers, OwnCommandName>;

/** What the handlers are built on. */
export interface HandlerOptions {
  readonly ports: Pick<AppPorts, "about" | "quit">;
  readonly lifecycle: Lifecycle;
  readonly engine: Pick<Engine, "weakKeychain">;
  readonly openConversations: OpenConversations;
  /** A window has asked where the app is: it hears events from now on. */
  readonly onWindowReady: (sourceId: number) => void;
}

/** Every command of the contract: the composition's own, and the engine's, which are `not-ready` until there is one. */
export function createHandlers(options: HandlerOptions): Handlers {
  const own = ownHandlers(options);
  const { lifecycle, openConversations } = options;
  const names = Object.keys(commands) as CommandName[];
  const passedOn = names.filter((name): name is ClientCommandName => !Object.hasOwn(own, name));
  const client = Object.fromEntries(
    passedOn.map((name) => [name, (params: never) => lifecycle.client.commands[name](params)]),
    // Each name is paired with its own command; TypeScript can't follow that through the list.
  ) as unknown as Pick<Handlers, ClientCommandName>;
  return {
    ...own,
    ...client,
    "conversation.open": async (params, source) => {
      const opened = await lifecycle.client.commands["conversation.open"](params);
      openConversations.opened(source.id, params.conversationId);
      return opened;
    },
    "conversation.openAt": async (params, source) => {
      const opened = await lifecycle.client.commands["conversation.openAt"](params);
      openConversations.opened(source.id, params.conversationId);
      return opened;
    },
    "conversation.close": async (params, source) => {
      const last = openConversations.closed(source.id, params.conversationId);
      return last ? lifecycle.client.commands["conversation.close"](params) : null;
    },
  };
}

function ownHandlers({ ports, lifecycle, engine, onWindowReady }: HandlerOptions): OwnHandlers {
  return {
    ...protectionHandlers(lifecycle, engine),
    ...storageHandlers(lifecycle),
    "app.get": (_params, source) => {
      onWindowReady(source.id);
      return lifecycle.view;
    },
    "app.retry": async () => {
      await lifecycle.retry();
      return null;
    },
    "app.openReadOnly": async () => {
      await lifecycle.openReadOnly();
      return null;
    },
    "app.quit": () => {
      ports.quit();
      return null;
    },
    "about.get": () => about(ports, lifecycle),
    "profile.host": async (params) => {
      await lifecycle.host(params);
      return null;
    },
    "profile.join": async (params) => {
      await lifecycle.join(params);
      return null;
    },
    "profile.link": async (params) => {
      await lifecycle.linkTo(params);
      return null;
    },
    "profile.linkCompared": ({ match }) => {
      lifecycle.linkCompared(match);
      return null;
    },
    "profile.linkCancel": () => {
      lifecycle.cancelLink();
      return null;
    },
    "invite.inspect": inspectInvite,
    "vault.unlock": async ({ passphrase }) => {
      await lifecycle.unlock({ kind: "passphrase", passphrase });
      return null;
    },
    "vault.unlockWithCode": async ({ code }) => {
      await lifecycle.unlock({ kind: "recovery-code", code });
      return null;
    },
    "vault.lock": async () => {
      await lifecycle.lock("person");
      return null;
    },
    "vault.erase": async () => {
      await lifecycle.erase();
      return null;
    },
  };
}

function inspectInvite({
  link,
}: ParsedCommandParams<"invite.inspect">): CommandResult<"invite.inspect"> {
  const { networkName, relayUrl } = parseInviteLink(link);
  return { networkName, relayUrl };
}

function about(ports: Pick<AppPorts, "about">, lifecycle: Lifecycle): AboutView {
  const { crypto, keyStore } = lifecycle;
  if (crypto === null) throw new AppError("not-ready");
  return { ...ports.about, suite: crypto.suite, libsodium: crypto.libsodium, keyStore };
}
