import type { WireError } from "../errors.ts";
import type { CommandName, EventName } from "./contract.ts";

/** Electron's two IPC channels; everything else is refused. */
export const commandChannel = "sotto:command";
export const eventChannel = "sotto:event";

/** What the interface sends for a command: `ipcRenderer.invoke(commandChannel, …)`, or JSON over the preview's WebSocket. */
export interface CommandMessage {
  readonly name: string;
  readonly params: unknown;
}

/** The answer to a command. */
export type CommandAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: WireError };

/** An event on its way to the interface. */
export interface EventMessage {
  readonly name: EventName;
  readonly body: unknown;
}

/** What the preload exposes as `window.sotto`: nothing but these. */
export interface PreloadBridge {
  readonly invoke: (name: CommandName, params: unknown) => Promise<CommandAnswer>;
  readonly onEvent: (listener: (message: EventMessage) => void) => () => void;
  readonly platform: "darwin" | "win32" | "linux";
}

/** The preview's WebSocket, JSON text: from the page. `token` authenticates the first message of a connection. */
export type PreviewRequest =
  | { readonly kind: "hello"; readonly token: string }
  | {
      readonly kind: "command";
      readonly id: number;
      readonly name: string;
      readonly params: unknown;
    };

/** The preview's WebSocket, JSON text: to the page. */
export type PreviewMessage =
  | { readonly kind: "welcome"; readonly platform: "darwin" | "win32" | "linux" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: CommandAnswer }
  | { readonly kind: "event"; readonly message: EventMessage };
