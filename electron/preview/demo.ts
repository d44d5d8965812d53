import {
  AppError,
  type AppView,
  type CommandName,
  type CommandParams,
  type CommandResult,
} from "#protocol";
import type { App } from "../app/index.ts";
import { unsafeMemoryKeychain } from "../keychain/index.ts";
import { runPreview, type PreviewSetup } from "./run.ts";

/** Two people in one network, each with a page of their own. */
export interface Demo {
  readonly pages: readonly { readonly name: string; readonly address: string }[];
  /** Resolves when one of them has quit. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const hostName = "Ada";
const guestName = "Grace";
const inviteLifetimeSeconds = 3600;

/**
 * Starts a profile that hosts a network, and a second one that has joined it with an invite, with a conversation between them.
 * Everything is as in the app but for the keychain, which is memory: nothing of the demo outlives it.
 *
 * @param setup - for both; its data directory is the demo's own
 */
export async function startDemo(setup: Omit<PreviewSetup, "start" | "keychain">): Promise<Demo> {
  const host = await startProfile(setup, "ada");
  const guest = await startProfile(setup, "grace");
  await ask(host.app, "profile.host", {
    networkName: "Demo",
    displayName: hostName,
    passphrase: null,
  });
  await isOnline(host.app);
  const { link } = await ask(host.app, "invites.create", {
    lifetimeSeconds: inviteLifetimeSeconds,
    uses: 1,
  });
  await ask(guest.app, "profile.join", { link, displayName: guestName, passphrase: null });
  await talk(host.app, guest.app);
  return {
    pages: [
      { name: hostName, address: host.address },
      { name: guestName, address: guest.address },
    ],
    ended: Promise.race([host.ended, guest.ended]),
    stop: async () => {
      await guest.stop();
      await host.stop();
    },
  };
}

async function startProfile(
  setup: Omit<PreviewSetup, "start" | "keychain">,
  profile: string,
): Promise<Extract<Awaited<ReturnType<typeof runPreview>>, { readonly kind: "first" }>> {
  const start = { profile, link: null, port: 0 };
  const run = await runPreview({ ...setup, start, keychain: unsafeMemoryKeychain() });
  if (run.kind === "second") throw new AppError("vault-in-use");
  await reaches(run.app, "first-run");
  return run;
}

/** The first person finds the second and says hello. */
async function talk(host: App, guest: App): Promise<void> {
  const { me } = await isOnline(guest);
  const found = await until(host, "people.changed", async () => {
    const people = await ask(host, "people.list", {});
    return people.find(({ userId }) => userId === me.userId);
  });
  const { conversationId } = await ask(host, "conversation.create", {
    kind: "direct",
    people: [found.userId],
    name: "",
    timers: null,
  });
  await ask(host, "message.send", {
    conversationId,
    text: "Hello Grace! This message ends by itself, here and at your side.",
    replyTo: null,
    timers: null,
  });
}

/** Waits for a phase. */
async function reaches<Phase extends AppView["phase"]>(
  app: App,
  phase: Phase,
): Promise<Extract<AppView, { readonly phase: Phase }>> {
  return until(app, "app.changed", () => {
    const { view } = app;
    if (view.phase === "problem") throw new AppError(view.problem.code);
    const isThere = (seen: AppView): seen is Extract<AppView, { readonly phase: Phase }> =>
      seen.phase === phase;
    return Promise.resolve(isThere(view) ? view : undefined);
  });
}

/** Waits until the relay knows the account's device. */
async function isOnline(app: App): Promise<Extract<AppView, { readonly phase: "ready" }>> {
  return until(app, "app.changed", () => {
    const { view } = app;
    const isThere = view.phase === "ready" && view.connection.kind === "online";
    return Promise.resolve(isThere ? view : undefined);
  });
}

/** Looks now, and again at each event of this name, until there is something. */
function until<Found>(
  app: App,
  name: "app.changed" | "people.changed",
  look: () => Promise<Found | undefined>,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      look()
        .then((found) => {
          if (found === undefined) return;
          unsubscribe();
          resolve(found);
        })
        .catch(reject);
    };
    const unsubscribe = app.subscribe((message) => {
      if (message.name === name) check();
    });
    check();
  });
}

/** Gives a command as a window would. */
async function ask<Name extends CommandName>(
  app: App,
  name: Name,
  params: CommandParams<Name>,
): Promise<CommandResult<Name>> {
  const answer = await app.dispatch({ id: 0, isTrusted: () => true }, { name, params });
  if (!answer.ok) throw AppError.fromWire(answer.error);
  return answer.result as CommandResult<Name>;
}
