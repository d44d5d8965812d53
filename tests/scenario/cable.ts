import { decodeFrame, encodeFrame, type Frame } from "#protocol";
import type { Connect, SocketListener } from "../../electron/link/index.ts";
import type { SeededRandom } from "../support/seeded.ts";
import { statedLeft, type RelayEnd, type SimulatedRelay } from "./simulated-relay.ts";
import type { Timeline } from "./timeline.ts";

/** How badly a network treats what it carries: chances in a thousand. */
export interface Weather {
  readonly maxDelayMs: number;
  readonly duplicated: number;
  readonly dropped: number;
  readonly broken: number;
}

const longestRedeliveryMs = 60_000;

/**
 * The network between one device and the relay. What is said to the relay arrives in order. Of what the relay says, only what belongs to one
 * conversation keeps its order; live entries may be dropped, and come again later, or twice; and connections break.
 */
export class Cable {
  plugged = true;
  readonly #sockets = new Set<Socket>();
  readonly #world: CableWorld;

  constructor(world: CableWorld) {
    this.#world = world;
  }

  /** A way to the relay for one life of the device. */
  connect(isAlive: () => boolean): Connect {
    return (_target, listener) => {
      const socket = new Socket(this.#world, listener, isAlive);
      this.#sockets.add(socket);
      socket.onEnd = () => void this.#sockets.delete(socket);
      if (this.plugged) socket.open();
      else socket.break();
      return socket;
    };
  }

  unplug(): void {
    this.plugged = false;
    this.cut();
  }

  /** Whatever is connected isn't any more. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.break();
  }
}

export interface CableWorld {
  readonly timeline: Timeline;
  readonly relay: SimulatedRelay;
  readonly random: SeededRandom;
  readonly weather: () => Weather;
}

class Socket {
  onEnd = (): void => undefined;
  readonly #world: CableWorld;
  readonly #listener: SocketListener;
  readonly #isAlive: () => boolean;
  #relayEnd: RelayEnd | null = null;
  #broken = false;
  #lastUpMs = 0;
  readonly #lastDownMs = new Map<string, number>();
  /** The conversations of requests, by whose order their answers go. */
  readonly #streams = new Map<number, string>();

  constructor(world: CableWorld, listener: SocketListener, isAlive: () => boolean) {
    this.#world = world;
    this.#listener = listener;
    this.#isAlive = isAlive;
  }

  open(): void {
    this.#at(this.#delay(), () => {
      this.#relayEnd = this.#world.relay.open(
        (frame) => {
          this.#down(frame);
        },
        () => {
          this.#at(this.#delay(), () => {
            this.break();
          });
        },
      );
      this.#tell(() => {
        this.#listener.opened();
      });
    });
  }

  send(bytes: Uint8Array): void {
    if (this.#broken) return;
    const { random } = this.#world;
    const frame = decodeFrame(bytes);
    if (frame.kind === "request") this.#streams.set(frame.id, streamOf(frame.params));
    if (random.below(1000) < this.#world.weather().broken) {
      // Nobody knows whether it got through.
      this.#at(this.#delay(), () => {
        this.break();
      });
      if (random.below(2) === 0) return;
    }
    const copy = bytes.slice();
    const atMs = Math.max(this.#lastUpMs, this.#world.timeline.now() + this.#delay());
    this.#lastUpMs = atMs;
    this.#at(atMs - this.#world.timeline.now(), () => {
      this.#relayEnd?.emit("message", Buffer.from(copy), true);
    });
  }

  close(): void {
    this.break();
  }

  break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.onEnd();
    const { timeline } = this.#world;
    // The relay hears of it later, or never before the next connection replaces this one.
    timeline.at(this.#delay(), () => this.#relayEnd?.emit("close"));
    timeline.at(0, () => {
      this.#tell(() => {
        this.#listener.closed();
      });
    });
  }

  #down(bytes: Uint8Array): void {
    const { random, timeline } = this.#world;
    const frame = decodeFrame(bytes);
    const { stream, bytes: passed } = this.#treat(frame, bytes);
    const { duplicated, dropped, broken } = this.#world.weather();
    const isEvent = frame.kind === "event" && frame.name !== "hello";
    const arrive = (delayMs: number): void => {
      this.#at(delayMs, () => {
        this.#tell(() => {
          this.#listener.message(passed.slice());
        });
      });
    };
    if (frame.kind !== "event" && random.below(1000) < broken) {
      this.#at(this.#delay(), () => {
        this.break();
      });
      return;
    }
    const again = isEvent && random.below(1000) < duplicated + dropped;
    if (again) arrive(1 + random.below(longestRedeliveryMs));
    if (again && random.below(duplicated + dropped) < dropped) return;
    const atMs = Math.max(this.#lastDownMs.get(stream) ?? 0, timeline.now() + this.#delay());
    this.#lastDownMs.set(stream, atMs);
    arrive(atMs - timeline.now());
  }

  /** Which order a frame keeps, and what becomes of it. */
  #treat(frame: Frame, bytes: Uint8Array): { readonly stream: string; readonly bytes: Uint8Array } {
    if (frame.kind === "event") {
      if (frame.name !== "keyPackages.low") return { stream: streamOf(frame.body), bytes };
      const { keyPackagesLeft } = frame.body as { readonly keyPackagesLeft: number };
      const body = { keyPackagesLeft: statedLeft(keyPackagesLeft) };
      return { stream: "low", bytes: encodeFrame({ ...frame, body }) };
    }
    const stream = (frame.kind === "request" ? undefined : this.#streams.get(frame.id)) ?? "";
    return { stream: `answers ${stream}`, bytes };
  }

  #delay(): number {
    return 1 + this.#world.random.below(this.#world.weather().maxDelayMs);
  }

  #at(delayMs: number, run: () => void): void {
    this.#world.timeline.at(delayMs, () => {
      if (!this.#broken) run();
    });
  }

  /** A device that died hears nothing. */
  #tell(say: () => void): void {
    if (this.#isAlive()) say();
  }
}

function streamOf(body: unknown): string {
  const named = body as { readonly conversationId?: string } | null;
  return named?.conversationId ?? "";
}
