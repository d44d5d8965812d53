import {
  ensureAppError,
  equalBytes,
  historyAllowed,
  type ConversationId,
  type DeviceId,
  type HistoryView,
  type RendezvousId,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";
import { ChannelLine } from "./channel-line.ts";
import type { StoredChannel } from "./channels.ts";
import { requestIdBytes, type HistorySaid } from "./history-format.ts";
import { nextWanted, takeList, takePage } from "./history-sink.ts";
import { listHistory, pageOfHistory } from "./history-source.ts";

/** After something went wrong that isn't the connection's fault, milliseconds. */
const retryMs = 3000;

/** Whom a {@link History} tells what. */
interface HistoryParts {
  readonly onChanged: () => void;
  /** A linked device is on line, and can be added to conversations now. */
  readonly onReady: (deviceId: DeviceId) => void;
}

/** What is asked and not answered. */
interface Asked {
  readonly requestId: Uint8Array;
  readonly conversationId: ConversationId | null;
}

/** The lasting channels of this device: messages to devices that were linked here, and from the one that linked this device. */
export class History {
  readonly #core: Core;
  readonly #onChanged: HistoryParts["onChanged"];
  readonly #onReady: HistoryParts["onReady"];
  #lines: readonly ChannelLine[] = [];
  #asked: Asked | null = null;
  #working: Promise<void> = Promise.resolve();
  #cancelRetry: () => void = () => undefined;
  #sent: { done: number; total: number; finished: boolean } | null = null;
  #closed = false;

  constructor(core: Core, parts: HistoryParts) {
    this.#core = core;
    this.#onChanged = parts.onChanged;
    this.#onReady = parts.onReady;
    this.#readChannels();
  }

  /** null: nothing comes over, in either direction. */
  get view(): HistoryView | null {
    const progress = readFact(this.#core.vault, "historyProgress");
    if (progress !== undefined) {
      const { done, total, listed } = progress;
      const finished = listed.every(({ beforeOrder }) => beforeOrder === null);
      return { direction: "receiving", done: Math.min(done, total), total, finished };
    }
    if (this.#sent === null) return null;
    return { direction: "sending", ...this.#sent };
  }

  /** There is a new channel. */
  channelsChanged(): void {
    this.#readChannels();
  }

  /** Signed in. */
  begin(): void {
    this.#asked = null;
    this.#work((line) => this.#begin(line));
  }

  /** Something waits at a rendezvous. */
  look(rendezvousId: RendezvousId): void {
    if (!this.#lines.some(({ channel }) => channel.rendezvousId === rendezvousId)) return;
    this.#work((line) => this.#hear(line));
  }

  /** This device may have come into a conversation whose messages it can ask for. */
  follow({ conversations }: Changes): void {
    if (conversations.size === 0 || this.#asked !== null) return;
    const joiner = this.#lines.find(({ channel }) => channel.role === "joiner");
    if (joiner === undefined || nextWanted(this.#core) === null) return;
    this.#work((line) => this.#ask(line));
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry();
  }

  idle(): Promise<void> {
    return this.#working;
  }

  #readChannels(): void {
    const nowMs = this.#core.clock.now();
    const stored = readFact(this.#core.vault, "linkChannels") ?? [];
    this.#lines = stored
      .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
      .map((channel) => new ChannelLine(this.#core, channel));
  }

  #work(step: (line: ChannelLine) => Promise<void>): void {
    if (this.#lines.length === 0) return;
    this.#working = this.#working.then(async () => {
      for (const line of this.#lines) {
        if (this.#closed || !this.#core.online) return;
        await this.#guard(() => step(line));
      }
    });
  }

  /** A connection that is cut begins anew with its next session; whatever else goes wrong, after a pause. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code } = ensureAppError(error);
      if (this.#closed || code === "relay-unreachable" || code === "worker-stopped") return;
      this.#cancelRetry();
      this.#cancelRetry = this.#core.clock.setTimeout(() => {
        this.begin();
      }, retryMs);
    }
  }

  async #open({ channel }: ChannelLine): Promise<void> {
    if (channel.role === "joiner") return;
    const lifetimeMs = Math.max(1, Math.floor(channel.expiresAtMs - this.#core.clock.now()));
    const { rendezvousId } = channel;
    await this.#core.request("rendezvous.open", { rendezvousId, lifetimeMs });
  }

  async #begin(line: ChannelLine): Promise<void> {
    if (line.channel.role === "owner") {
      if (!this.#isOurs(line.channel)) {
        await this.#drop(line.channel);
        return;
      }
      await this.#open(line);
      await this.#hear(line);
      return;
    }
    const requestId = this.#core.random(requestIdBytes);
    this.#asked = { requestId, conversationId: null };
    await line.say({ kind: "ready", requestId });
    await this.#hear(line);
  }

  async #hear(line: ChannelLine): Promise<void> {
    for (const said of await line.hear()) {
      if (line.channel.role === "owner") await this.#answer(line, said);
      else await this.#take(line, said);
    }
  }

  /** At the device that has the messages. */
  async #answer(line: ChannelLine, said: HistorySaid): Promise<void> {
    const { channel } = line;
    if (!this.#isOurs(channel)) {
      await this.#drop(channel);
      return;
    }
    switch (said.kind) {
      case "ready": {
        if (channel.deviceId !== null) this.#onReady(channel.deviceId);
        const conversations = this.#mayGive(channel) ? [...listHistory(this.#core)] : [];
        await line.say({ kind: "list", requestId: said.requestId, conversations });
        const total = conversations.reduce((sum, { count }) => sum + count, 0);
        if (total > 0) this.#sending({ done: this.#sent?.done ?? 0, total, finished: false });
        return;
      }
      case "want": {
        if (!this.#mayGive(channel)) return;
        await line.say(await pageOfHistory(this.#core, channel, said));
        const total = Math.max(this.#sent?.total ?? 0, said.done);
        this.#sending({ done: said.done, total, finished: false });
        return;
      }
      case "end":
        await this.#drop(channel);
        this.#sending({ done: said.done, total: said.done, finished: true });
        return;
      case "list":
      case "have":
        return;
    }
  }

  /** The device that was linked is still one of the account's. */
  #isOurs({ deviceId }: StoredChannel): boolean {
    const own = this.#core.people.get(this.#core.self.userId);
    return own?.devices.some((device) => device.deviceId === deviceId) ?? false;
  }

  #mayGive({ history }: StoredChannel): boolean {
    return history && historyAllowed(this.#core.policy);
  }

  #sending(sent: { done: number; total: number; finished: boolean }): void {
    this.#sent = sent;
    this.#onChanged();
  }

  /** At the device that was linked. Only the answer to its last question counts. */
  async #take(line: ChannelLine, said: HistorySaid): Promise<void> {
    const asked = this.#asked;
    if (asked === null || (said.kind !== "list" && said.kind !== "have")) return;
    if (!equalBytes(asked.requestId, said.requestId)) return;
    this.#asked = null;
    if (said.kind === "list") await takeList(this.#core, said.conversations);
    else if (asked.conversationId !== null) {
      await takePage(this.#core, line.channel, asked.conversationId, said);
    }
    this.#onChanged();
    await this.#ask(line);
  }

  async #ask(line: ChannelLine): Promise<void> {
    const { channel } = line;
    if (channel.role !== "joiner" || this.#asked !== null) return;
    const progress = readFact(this.#core.vault, "historyProgress");
    if (progress === undefined) return;
    const { done, listed } = progress;
    if (listed.every(({ beforeOrder }) => beforeOrder === null)) {
      await line.say({ kind: "end", done });
      await this.#drop(channel);
      return;
    }
    const wanted = nextWanted(this.#core);
    // It isn't in the others yet.
    if (wanted === null) return;
    const requestId = this.#core.random(requestIdBytes);
    this.#asked = { requestId, conversationId: wanted.conversationId };
    await line.say({ kind: "want", requestId, ...wanted, done });
  }

  /** Nothing more is said over a channel: its key goes. */
  async #drop({ rendezvousId, role }: StoredChannel): Promise<void> {
    const stored = readFact(this.#core.vault, "linkChannels") ?? [];
    const changes = new Changes();
    const rest = stored.filter((channel) => channel.rendezvousId !== rendezvousId);
    changes.statements.push(putFact("linkChannels", rest));
    await this.#core.commit(changes);
    this.#lines = this.#lines.filter(({ channel }) => channel.rendezvousId !== rendezvousId);
    if (role === "owner") await this.#core.request("rendezvous.close", { rendezvousId });
  }
}
