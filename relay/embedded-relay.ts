import {
  AppError,
  ensureAppError,
  parse,
  type EmbeddedRelayMessage,
  type EmbeddedRelayRequest,
} from "#protocol";
import * as v from "valibot";
import { relayAddress } from "./command-line.ts";
import { startRelay, type Relay, type RelayOptions } from "./relay.ts";
import type { RelayStorage } from "./storage/port.ts";

const host = "127.0.0.1";

const requestSchema: v.GenericSchema<unknown, EmbeddedRelayRequest> = v.variant("kind", [
  v.strictObject({
    kind: v.literal("start"),
    directory: v.pipe(v.string(), v.minLength(1)),
    port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  }),
  v.strictObject({ kind: v.literal("stop") }),
]);

/** What the relay inside the app is made of. */
export interface EmbeddedRelayOptions extends Pick<RelayOptions, "clock" | "random" | "log"> {
  readonly openStorage: (directory: string) => RelayStorage;
  /** Tells the app. */
  readonly post: (message: EmbeddedRelayMessage) => void;
}

/** Serves the app's requests one after the other. */
export function createEmbeddedRelay(options: EmbeddedRelayOptions): {
  /** Takes what came over the port. */
  readonly receive: (message: unknown) => void;
} {
  const { openStorage, log, post, clock, random } = options;
  let relay: Relay | null = null;
  let before = Promise.resolve();

  const start = async (directory: string, port: number): Promise<void> => {
    if (relay !== null) {
      throw new AppError("relay-start-failed", { data: { reason: "running-already" } });
    }
    relay = await startRelay({
      storage: openStorage(directory),
      clock,
      random,
      log,
      listen: { host, port, tls: null },
    });
    post({
      kind: "started",
      relayUrl: relayAddress({ host, port: relay.port, tls: false }),
      claimCode: await relay.claimCode(),
    });
  };

  const stop = async (): Promise<void> => {
    const running = relay;
    relay = null;
    await running?.stop();
    post({ kind: "stopped" });
  };

  const serve = async (message: unknown): Promise<void> => {
    try {
      const request = parse(requestSchema, message, "argument-invalid");
      if (request.kind === "start") await start(request.directory, request.port);
      else await stop();
    } catch (error) {
      const failure = ensureAppError(error);
      log.error("embedded-relay-failed", failure);
      post({ kind: "failed", error: failure.toWire() });
    }
  };

  return {
    receive: (message) => {
      before = before.then(() => serve(message));
    },
  };
}
