import type { WebSocket } from "@fastify/websocket";
import type { DeviceId } from "#protocol";
import type { RelayContext } from "../domain/context.ts";
import { Connection } from "./connection.ts";
import type { Dispatch } from "./dispatcher.ts";
import type { RelayLimits } from "./limits.ts";

const pollMs = 20;
/** How long requests under way may take to end when the relay stops. */
const requestsTimeoutMs = 5_000;
/** How long clients may take to answer a close frame. */
const goodbyeTimeoutMs = 1_000;

/** All connections of a relay process. */
export class Connections {
  readonly #context: RelayContext;
  readonly #dispatch: Dispatch;
  readonly #limits: RelayLimits;
  readonly #all = new Set<Connection>();
  /** Sockets that are open in any way, those that are closing too. */
  readonly #sockets = new Set<WebSocket>();
  readonly #byDevice = new Map<DeviceId, Connection>();

  constructor(context: RelayContext, dispatch: Dispatch, limits: RelayLimits) {
    this.#context = context;
    this.#dispatch = dispatch;
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#all.size >= this.#limits.maxConnections;
  }

  /** Takes a socket that was just opened. */
  open(socket: WebSocket): Connection {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const connection = new Connection(socket, {
      context: this.#context,
      dispatch: this.#dispatch,
      limits: this.#limits,
      signedIn: (deviceId, own) => {
        // One device, one connection: the older one is dead, or a copy of the device.
        this.#byDevice.get(deviceId)?.close("replaced");
        this.#byDevice.set(deviceId, own);
      },
      ended: (own, deviceId) => {
        this.#all.delete(own);
        if (deviceId !== null && this.#byDevice.get(deviceId) === own) {
          this.#byDevice.delete(deviceId);
        }
      },
    });
    this.#all.add(connection);
    return connection;
  }

  /** Lets requests under way end, says good-bye to everybody, and resolves when all sockets are closed. */
  async closeAll(): Promise<void> {
    await this.#waitWhile(() => [...this.#all].some(({ isBusy }) => isBusy), requestsTimeoutMs);
    for (const connection of this.#all) connection.closeWith(1001, "relay-stopping");
    await this.#waitWhile(() => this.#sockets.size > 0, goodbyeTimeoutMs);
    for (const socket of this.#sockets) socket.terminate();
  }

  async #waitWhile(holds: () => boolean, timeoutMs: number): Promise<void> {
    const { clock } = this.#context;
    for (let waitedMs = 0; waitedMs < timeoutMs && holds(); waitedMs += pollMs) {
      await new Promise<void>((resolve) => {
        clock.setTimer(resolve, pollMs);
      });
    }
  }
}
