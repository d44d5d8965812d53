import type {
  CommandName,
  CommandParams,
  CommandResult,
  EventName,
  Events,
  PreloadBridge,
  Runtime,
} from "#protocol";
import { unwrapAnswer } from "./answer.ts";
import { Listeners } from "./listeners.ts";

/** The desktop app: commands and events through Electron's preload. */
export class BridgeRuntime implements Runtime {
  readonly platform: Runtime["platform"];
  readonly #bridge: PreloadBridge;
  readonly #listeners = new Listeners();

  /** @param bridge - what the preload exposes */
  constructor(bridge: PreloadBridge) {
    this.#bridge = bridge;
    this.platform = bridge.platform;
    bridge.onEvent(({ name, body }) => {
      // The main process sends what the contract says; the type was lost on the way through the preload.
      this.#listeners.emit(name, body as Events[typeof name]);
    });
  }

  async invoke<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>> {
    return unwrapAnswer(await this.#bridge.invoke(name, params)) as CommandResult<Name>;
  }

  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    return this.#listeners.add(name, listener);
  }
}
