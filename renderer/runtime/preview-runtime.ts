import {
  AppError,
  type CommandName,
  type CommandParams,
  type CommandResult,
  type EventName,
  type Events,
  type PreviewMessage,
  type PreviewRequest,
  type Runtime,
} from "#protocol";
import { unwrapAnswer } from "./answer.ts";
import type { LinkState, RuntimeLink } from "./link.ts";
import { Listeners } from "./listeners.ts";
import { parsePreviewMessage } from "./preview-message.ts";

/** What of a WebSocket the runtime uses. */
export type PreviewSocket = Pick<WebSocket, "send" | "close" | "addEventListener">;

/** What the runtime needs from outside. */
export interface PreviewPorts {
  readonly openSocket: () => PreviewSocket;
  readonly token: string;
  /** Runs `task` after `delayMs`. @returns a disposer */
  readonly later: (task: () => void, delayMs: number) => () => void;
}

interface Waiting {
  readonly request: PreviewRequest & { readonly kind: "command" };
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
  sent: boolean;
}

const firstRetryMs = 250;
const longestRetryMs = 4000;
/** The server closes with this code when the token is wrong. Source: RFC 6455 §7.4.1 (policy violation). */
const policyViolation = 1008;

/** The browser preview: commands and events as JSON over one WebSocket, which is opened again when it breaks. */
export class PreviewRuntime implements Runtime, RuntimeLink {
  readonly #ports: PreviewPorts;
  readonly #listeners = new Listeners();
  readonly #onLink = new Set<(state: LinkState) => void>();
  readonly #waiting = new Map<number, Waiting>();
  #socket: PreviewSocket | null = null;
  #state: LinkState = "connecting";
  #platform: Runtime["platform"] = "linux";
  #nextId = 1;
  #retryMs = firstRetryMs;
  #wasOpen = false;

  /** @param ports - the socket, the token and a timer */
  constructor(ports: PreviewPorts) {
    this.#ports = ports;
    this.#connect();
  }

  get platform(): Runtime["platform"] {
    return this.#platform;
  }

  get state(): LinkState {
    return this.#state;
  }

  readonly onChange = (listener: (state: LinkState) => void): (() => void) => {
    this.#onLink.add(listener);
    return () => {
      this.#onLink.delete(listener);
    };
  };

  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  /** A command that is given while there is no connection waits for the next one. */
  invoke<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>> {
    const id = this.#nextId++;
    return new Promise<CommandResult<Name>>((resolve, reject) => {
      this.#waiting.set(id, {
        request: { kind: "command", id, name, params },
        resolve: (result) => {
          resolve(result as CommandResult<Name>);
        },
        reject,
        sent: false,
      });
      this.#flush();
    });
  }

  #connect(): void {
    const socket = this.#ports.openSocket();
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#send({ kind: "hello", token: this.#ports.token });
    });
    socket.addEventListener("message", ({ data }) => {
      const message = parsePreviewMessage(data);
      if (message !== null) this.#receive(message);
    });
    socket.addEventListener("close", ({ code }) => {
      this.#lose(code);
    });
  }

  #receive(message: PreviewMessage): void {
    switch (message.kind) {
      case "welcome":
        this.#platform = message.platform;
        this.#wasOpen = true;
        this.#retryMs = firstRetryMs;
        this.#setState("open");
        this.#flush();
        return;
      case "answer": {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (waiting === undefined) return;
        try {
          waiting.resolve(unwrapAnswer(message.answer));
        } catch (error) {
          waiting.reject(error as AppError);
        }
        return;
      }
      case "event": {
        const { name, body } = message.message;
        this.#listeners.emit(name, body as Events[typeof name]);
      }
    }
  }

  #lose(code: number): void {
    this.#socket = null;
    // Whether a command that was on its way was carried out is unknown: its caller must not wait for ever.
    for (const [id, waiting] of this.#waiting) {
      if (!waiting.sent) continue;
      this.#waiting.delete(id);
      waiting.reject(new AppError("not-ready"));
    }
    if (code === policyViolation) {
      this.#setState("refused");
      return;
    }
    this.#setState(this.#wasOpen ? "lost" : "connecting");
    this.#ports.later(() => {
      this.#connect();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
    if (this.#retryMs === longestRetryMs) this.#setState("lost");
  }

  #flush(): void {
    if (this.#state !== "open") return;
    for (const waiting of this.#waiting.values()) {
      if (waiting.sent) continue;
      waiting.sent = true;
      this.#send(waiting.request);
    }
  }

  #send(request: PreviewRequest): void {
    this.#socket?.send(JSON.stringify(request));
  }

  #setState(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#onLink]) listener(state);
  }
}
