import { AppError } from "#protocol";
import type { Clock } from "./clock.ts";
import type { RelayContext } from "./domain/context.ts";
import { createHandlers } from "./domain/handlers.ts";
import { portSlot } from "./domain/layout.ts";
import { currentClaimCode, prepareRelay } from "./domain/network.ts";
import { createSweeper } from "./domain/sweeper.ts";
import { Connections } from "./link/connections.ts";
import { createDispatch } from "./link/dispatcher.ts";
import { defaultLimits, type RelayLimits } from "./link/limits.ts";
import { startServer, type ListenOptions, type Server, type Service } from "./link/server.ts";
import type { Log } from "./log.ts";
import type { Random } from "./primitives.ts";
import type { RelayStorage } from "./storage/port.ts";
import { readerOf } from "./storage/transaction.ts";
import { createUnits } from "./storage/units.ts";

/** What a relay is made of. */
export interface RelayOptions {
  /** Closed by the relay when it stops. */
  readonly storage: RelayStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<RelayLimits>;
  /** With port 0 the relay takes the port it had last time, or chooses one and keeps it: invite links name it. */
  readonly listen: ListenOptions;
}

/** A running relay. */
export interface Relay {
  readonly port: number;
  /** The code that claims it; null once its network has an administrator. */
  claimCode(): Promise<string | null>;
  /** Lets requests under way end, closes connections and storage. */
  stop(): Promise<void>;
}

/** Ports that are chosen from: outside the range that systems give to outgoing connections. */
const firstChosenPort = 20_000;
const chosenPorts = 10_000;
const portAttempts = 20;

/**
 * Starts a relay: ends what has ended, then listens.
 *
 * @throws AppError `relay-start-failed`, `relay-storage-failed`; the storage is closed then
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { storage, clock, random, log } = options;
  const units = createUnits(storage);
  const sweeper = createSweeper(() => context);
  const context: RelayContext = {
    storage,
    units,
    reader: readerOf(storage),
    clock,
    random,
    log,
    wakeAt: (atMs) => {
      sweeper.wakeAt(atMs);
    },
  };
  const stopStorage = async (): Promise<void> => {
    await sweeper.stop();
    await units.settled();
    await storage.close();
  };

  try {
    await prepareRelay(context);
    await sweeper.start();
    const limits = { ...defaultLimits, ...options.limits };
    const dispatch = createDispatch(createHandlers(context), log);
    const connections = new Connections(context, dispatch, limits);
    const server = await listenWhereLastTime({ context, connections, limits }, options.listen);
    return {
      port: server.port,
      claimCode: () => currentClaimCode(context),
      stop: async () => {
        await server.close();
        await stopStorage();
      },
    };
  } catch (error) {
    await stopStorage();
    throw error;
  }
}

async function listenWhereLastTime(service: Service, listen: ListenOptions): Promise<Server> {
  if (listen.port !== 0) return startServer(service, listen);
  const { context } = service;
  const last = await context.reader.load(portSlot);
  // When somebody else has it now, another port would be no help: members' links name this one. So that fails, and is tried again.
  if (last !== undefined) return startServer(service, { ...listen, port: last.port });
  for (let attempt = 1; ; attempt += 1) {
    const [high = 0, low = 0] = context.random(2);
    const port = firstChosenPort + ((high * 256 + low) % chosenPorts);
    try {
      const server = await startServer(service, { ...listen, port });
      await context.units.run("port", async (transaction) => {
        transaction.store(portSlot, { port });
        return Promise.resolve();
      });
      return server;
    } catch (error) {
      const taken = error instanceof AppError && error.code === "relay-start-failed";
      if (!taken || attempt === portAttempts) throw error;
    }
  }
}
