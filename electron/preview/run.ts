import { tmpdir } from "node:os";
import {
  createEngine,
  deviceNameOf,
  profilePaths,
  readPageFiles,
  relayThread,
  startApp,
  systemClock,
  systemUptimeMs,
  type AboutFacts,
  type App,
  type AppPorts,
  type Log,
  type Machine,
  type StartArguments,
} from "../app/index.ts";
import type { Keychain } from "../keychain/index.ts";
import { connectWithWs } from "../link/index.ts";
import { threadSpawner } from "../worker/index.ts";
import { claimInstance } from "./instance.ts";
import { newToken } from "./secret.ts";
import { servePreview, type PreviewServer } from "./server.ts";
import { readUsualPort, writeUsualPort } from "./usual-port.ts";

/** Where the programs lie that a profile is made of. */
export interface Programs {
  readonly cryptoWorker: URL;
  readonly relay: URL;
  /** The bundle of the interface: a directory. */
  readonly page: string;
}

/** What one profile in the preview is made of. */
export interface PreviewSetup {
  readonly machine: Machine;
  readonly start: StartArguments;
  readonly keychain: Keychain;
  readonly programs: Programs;
  readonly about: AboutFacts;
  readonly log: Log;
}

/** A profile that is served to a browser, or the one that was there before. */
export type PreviewRun =
  | {
      readonly kind: "first";
      readonly address: string;
      readonly app: App;
      /** Resolves when it has ended, however that came. */
      readonly ended: Promise<void>;
      /** Closes everything in order. */
      stop(): Promise<void>;
    }
  | { readonly kind: "second"; readonly address: string | null };

/**
 * Starts a profile and serves it to a browser; pages come and go, the engine stays until {@link PreviewRun} is stopped or the person
 * quits in the page.
 *
 * @throws AppError `argument-invalid` when the port is taken
 */
export async function runPreview(setup: PreviewSetup): Promise<PreviewRun> {
  const { machine, start, programs, log } = setup;
  const paths = profilePaths(machine, start.profile);
  const place = {
    platform: machine.platform,
    directory: paths.root,
    temporaryDirectory: tmpdir(),
  };
  let openLink: (link: string) => void = () => undefined;
  const instance = await claimInstance(place, { link: start.link }, ({ link }) => {
    if (link !== null) openLink(link);
  });
  if (instance.kind === "second") return instance;

  let server: PreviewServer | null = null;
  let finish: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const files = await readPageFiles(programs.page);
  const ports: AppPorts = {
    paths,
    clock: systemClock,
    uptimeMs: systemUptimeMs,
    // What the page asks for is all that is known of its person.
    systemIdleMs: () => null,
    connect: connectWithWs,
    keychain: setup.keychain,
    spawnWorker: threadSpawner(programs.cryptoWorker),
    spawnRelay: relayThread(programs.relay),
    // A browser's page can't be raised, and has no notification that we would trust it with.
    notifications: { show: () => undefined },
    raiseWindow: () => undefined,
    isFocused: () => (server?.pageCount ?? 0) > 0,
    quit: () => {
      // After the answer to the page that asked.
      setTimeout(() => void stop(), 50);
    },
    deviceName: deviceNameOf(machine.platform),
    platform: machine.platform,
    about: setup.about,
    log,
  };
  const app = startApp(ports, createEngine(ports), start.link);
  openLink = (link) => {
    app.openLink(link);
  };

  let stopping: Promise<void> | null = null;
  const stopAll = async (): Promise<void> => {
    await app.stop();
    await server?.close();
    await instance.release();
    finish();
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  try {
    const { platform } = machine;
    server = await servePreview({
      app,
      files,
      token: newToken(),
      port: start.port,
      usualPort: await readUsualPort(paths.root),
      platform,
    });
    await writeUsualPort(paths.root, server.port);
  } catch (error) {
    await stop();
    throw error;
  }
  instance.announce(server.address);
  return { kind: "first", address: server.address, app, ended, stop };
}
