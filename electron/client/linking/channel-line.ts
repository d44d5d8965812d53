import { ensureAppError } from "#protocol";
import type { Core } from "../core/core.ts";
import type { StoredChannel } from "./channels.ts";
import { decodeHistory, encodeHistory, type HistorySaid } from "./history-format.ts";

/** Says and hears over a channel. What isn't of the other device, or can't be read, is passed over. */
export class ChannelLine {
  readonly #core: Core;
  readonly channel: StoredChannel;
  #heard = 0;

  constructor(core: Core, channel: StoredChannel) {
    this.#core = core;
    this.channel = channel;
  }

  get #place() {
    const { rendezvousId, seat, role } = this.channel;
    return { rendezvousId, seat: role === "owner" ? null : seat };
  }

  /** @returns false when so much waits there that the other device must come first. @throws AppError */
  async say(said: HistorySaid): Promise<boolean> {
    const { sealedChannel } = this.channel;
    const plain = encodeHistory(said);
    const { sealed } = await this.#core.worker.call("link.sealMessage", { sealedChannel, plain });
    const params = { ...this.#place, sequence: null, bytes: sealed };
    const { kind } = await this.#core.request("rendezvous.send", params);
    return kind === "accepted";
  }

  /** @throws AppError */
  async hear(): Promise<readonly HistorySaid[]> {
    const params = { ...this.#place, afterSequence: this.#heard };
    const { messages } = await this.#core.request("rendezvous.receive", params);
    const said: HistorySaid[] = [];
    for (const { sequence, bytes } of messages) {
      this.#heard = Math.max(this.#heard, sequence);
      const opened = await this.#open(bytes);
      if (opened !== null) said.push(opened);
    }
    return said;
  }

  async #open(sealed: Uint8Array): Promise<HistorySaid | null> {
    const { sealedChannel } = this.channel;
    const { plain } = await this.#core.worker.call("link.openMessage", { sealedChannel, sealed });
    if (plain === null) return null;
    try {
      return decodeHistory(plain);
    } catch (error) {
      if (ensureAppError(error).fault !== "peer") throw error;
      return null;
    }
  }
}
