import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeFrame,
  encodeFrame,
  parseInviteLink,
  parseLinkText,
  type ConversationId,
  type ConversationRowView,
  type CryptoWorker,
  type Frame,
  type LinkStepView,
  type MessageId,
  type MessageView,
  type Timers,
  type UserId,
} from "#protocol";
import {
  clientCatalogue,
  createAccount,
  linkAccount,
  openClient,
  type Client,
  type ClientPorts,
  type Notice,
} from "../../electron/client/index.ts";
import { readFact } from "../../electron/client/store/facts.ts";
import { unsafeMemoryKeychain } from "../../electron/keychain/index.ts";
import {
  connectWithWs,
  linkUrl,
  type Clock,
  type Connect,
  type RelaySocket,
} from "../../electron/link/index.ts";
import {
  createVault,
  inspectVault,
  openVault,
  type Vault,
  type VaultFiles,
  type VaultOptions,
  type VaultUnlock,
} from "../../electron/vault/index.ts";
import { systemClock } from "./fake-clock.ts";
import { Tellings } from "./hostile/tellings.ts";
import { startInlineCryptoWorker, type InlineCryptoWorker } from "./inline-crypto-worker.ts";
import { RelayFixture } from "./relay-fixture.ts";
import type { VaultImage } from "./vault-image.ts";

/** How long {@link until} waits, milliseconds: what hangs fails, slowness doesn't. */
const patienceMs = 45_000;

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + patienceMs;
  while (Date.now() < endMs) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

type Request = Extract<Frame, { readonly kind: "request" }>;

/** The network of one computer, which can be unplugged. */
class Cable {
  readonly #sockets = new Set<RelaySocket>();
  #listener: Parameters<Connect>[1] | null = null;
  #plugged = true;
  /** Sees, and may change or swallow (null), what arrives. */
  onFrame: ((frame: Frame) => Frame | Uint8Array | null) | null = null;
  /** Sees what is sent, and says whether it gets through. */
  onRequest: ((request: Request) => boolean) | null = null;
  /** Where to go in place of the relay. */
  redirect: string | null = null;

  readonly connect: Connect = (target, listener) => {
    const there = this.redirect === null ? target.url : linkUrl(this.redirect);
    const url = this.#plugged ? there : "ws://127.0.0.1:1/nowhere";
    this.#listener = listener;
    const socket = connectWithWs(
      { ...target, url },
      {
        ...listener,
        message: (bytes) => {
          const passed = this.onFrame === null ? bytes : this.onFrame(decodeFrame(bytes));
          if (passed === null) return;
          listener.message(passed instanceof Uint8Array ? passed : encodeFrame(passed));
        },
        closed: () => {
          this.#sockets.delete(socket);
          listener.closed();
        },
      },
    );
    this.#sockets.add(socket);
    return {
      send: (bytes) => {
        const frame = decodeFrame(bytes);
        const passes = frame.kind !== "request" || (this.onRequest?.(frame) ?? true);
        if (passes) socket.send(bytes);
      },
      close: () => {
        socket.close();
      },
    };
  };

  /** Lets something arrive on the present connection that the relay never sent. */
  deliver(what: Frame | Uint8Array): void {
    this.#listener?.message(what instanceof Uint8Array ? what : encodeFrame(what));
  }

  unplug(): void {
    this.#plugged = false;
    for (const socket of [...this.#sockets]) socket.close();
  }

  plug(): void {
    this.#plugged = true;
  }
}

/** What a {@link Person} finds around them. */
export interface Surroundings {
  readonly relayUrl: string;
  claimCode(): Promise<string | null>;
  startWorker(): Promise<CryptoWorker>;
}

/** What a {@link Person} is opened with, beside the ordinary. */
export interface PersonOptions {
  readonly files?: VaultFiles;
  /** What this computer's clock shows. */
  readonly clock?: Clock;
  /** Left out: the keychain. */
  readonly unlockWith?: VaultUnlock;
}

/** Who sits at a computer that is being linked. */
export interface LinkingPerson {
  readonly compared: () => Promise<boolean>;
  readonly onStep?: (step: LinkStepView) => void;
  readonly signal?: AbortSignal;
}

/** A person at a computer of their own: real worker, real vault in a temporary directory, real client. */
export class Person {
  readonly name: string;
  readonly cable = new Cable();
  readonly notices: Notice[] = [];
  /** What each open conversation shows, kept up to date by events alone. */
  readonly shown = new Map<ConversationId, Map<MessageId, MessageView>>();
  /** What they were told is wrong. */
  readonly told = new Tellings();
  rows: readonly ConversationRowView[] = [];
  readonly #around: Surroundings;
  #entries = new Map<string, Uint8Array>();
  readonly #root: string;
  #directory: string;
  #copies = 0;
  #claimCode: string | null = null;
  #open: { worker: CryptoWorker; vault: Vault; client: Client } | null = null;

  constructor(around: Surroundings, name: string) {
    this.#around = around;
    this.name = name;
    this.#root = mkdtempSync(join(tmpdir(), `sotto-${name.toLowerCase()}-`));
    this.#directory = join(this.#root, "vault");
  }

  get #parts() {
    if (this.#open === null) throw new Error(`${this.name} isn't there`);
    return this.#open;
  }

  get client(): Client {
    return this.#parts.client;
  }
  get vault(): Vault {
    return this.#parts.vault;
  }
  get worker(): CryptoWorker {
    return this.#parts.worker;
  }
  get directory(): string {
    return this.#directory;
  }
  get userId(): UserId {
    return this.client.view.me.userId;
  }

  /** The first one, who makes the network. */
  async host(networkName = "Harbour"): Promise<this> {
    this.#claimCode ??= await this.#around.claimCode();
    const claim = { claimCode: this.#claimCode ?? "none", networkName };
    await this.#make({ claim, invite: { relayUrl: this.#around.relayUrl } });
    return this;
  }

  /** Lets the worker sign for the network, which only its administrator can. */
  async loadNetworkKey(): Promise<void> {
    const sealedNetworkKey = readFact(this.vault, "networkKey");
    if (sealedNetworkKey === undefined) throw new Error("no administrator");
    await this.worker.call("network.load", { sealedNetworkKey });
  }

  async join(link: string): Promise<this> {
    await this.#make({ claim: null, invite: parseInviteLink(link) });
    return this;
  }

  /** This is one more computer of somebody whose other one shows a code. */
  async link(text: string, { compared, onStep, signal }: LinkingPerson): Promise<this> {
    await this.#begin((ports) =>
      linkAccount({
        ...ports,
        link: parseLinkText(text),
        deviceName: `${this.name}'s computer`,
        platform: "linux",
        compared,
        onStep: onStep ?? (() => undefined),
        signal: signal ?? new AbortController().signal,
      }),
    );
    return this;
  }

  #make(origin: Pick<Parameters<typeof createAccount>[0], "claim" | "invite">): Promise<void> {
    const names = { displayName: this.name, deviceName: "Laptop", platform: "linux" };
    return this.#begin((ports) => {
      // The union of origins was taken apart and is put together again.
      const account = { ...ports, ...origin, ...names, hosted: origin.claim !== null };
      return createAccount(account as Parameters<typeof createAccount>[0]);
    });
  }

  async #begin(make: (ports: ClientPorts) => Promise<void>): Promise<void> {
    const worker = await this.#around.startWorker();
    const options = this.#vaultOptions(worker);
    // A second try goes on in the vault of the first.
    const found = await inspectVault(this.#directory);
    const vault = await (found.kind === "none"
      ? createVault({ ...options, passphrase: null })
      : openVault({ ...options, unlockWith: { kind: "keychain" } }));
    const ports = { vault, worker, connect: this.cable.connect, clock: systemClock };
    try {
      await make(ports);
    } finally {
      await vault.close();
      await worker.dispose();
    }
    await this.open();
  }

  #vaultOptions(worker: CryptoWorker, { files, clock }: PersonOptions = {}): VaultOptions {
    return {
      directory: this.#directory,
      worker,
      keychain: unsafeMemoryKeychain(this.#entries),
      catalogue: clientCatalogue,
      clock: clock ?? systemClock,
      ...(files === undefined ? {} : { files }),
    };
  }

  /** Starts Sotto. */
  async open(options: PersonOptions = {}): Promise<this> {
    const worker = await this.#around.startWorker();
    const { unlockWith = { kind: "keychain" } } = options;
    const vault = await openVault({ ...this.#vaultOptions(worker, options), unlockWith });
    const client = await openClient({
      vault,
      worker,
      connect: this.cable.connect,
      clock: options.clock ?? systemClock,
      relayUrl: null,
      isFocused: () => true,
    });
    this.#open = { worker, vault, client };
    this.#listen(client);
    return this;
  }

  #listen(client: Client): void {
    this.shown.clear();
    client.on("conversations.changed", (rows) => {
      this.rows = rows;
    });
    client.on("messages.changed", ({ conversationId, upserted, removed }) => {
      const messages = this.shown.get(conversationId) ?? new Map<MessageId, MessageView>();
      this.shown.set(conversationId, messages);
      for (const id of removed) messages.delete(id);
      for (const message of upserted) messages.set(message.messageId, message);
    });
    client.onNotify((notice) => this.notices.push(notice));
    this.told.listen(client);
  }

  /** Quits Sotto in order. */
  async quit(): Promise<void> {
    const { client, vault, worker } = this.#parts;
    this.#open = null;
    await client.close();
    await vault.close();
    await worker.dispose();
  }

  /**
   * Stops as a power cut would: nothing is closed, nothing is finished. What is on the disk and in the keychain at this moment is what the
   * next start finds.
   */
  async kill(): Promise<void> {
    const { client, vault, worker } = this.#parts;
    this.#open = null;
    this.cable.unplug();
    const next = join(this.#root, `copy-${String(++this.#copies)}`);
    cpSync(this.#directory, next, { recursive: true, filter: (path) => !path.endsWith("/lock") });
    this.#directory = next;
    const entries = new Map(this.#entries);
    // The remains must not go on in the background; the copy doesn't hear of it.
    await client.close();
    await vault.close();
    await worker.dispose();
    this.#entries = entries;
    this.cable.plug();
  }

  /**
   * Copies the vault's folder, as a backup program does while Sotto isn't running.
   *
   * @returns what puts the copy back, with the keychain as it was then or without
   */
  copyVault(): (what: "folder" | "folder-and-keychain") => void {
    const copy = join(this.#root, `copy-${String(++this.#copies)}`);
    cpSync(this.#directory, copy, { recursive: true });
    const entries = new Map(this.#entries);
    return (what) => {
      rmSync(this.#directory, { recursive: true });
      cpSync(copy, this.#directory, { recursive: true });
      if (what === "folder-and-keychain") this.#entries = new Map(entries);
    };
  }

  /** What somebody has who copies the vault's folder now, and has the keychain as it is now. */
  vaultImage(): VaultImage {
    const names = readdirSync(this.#directory).filter((name) => name !== "lock");
    const files = names.map((name): [string, Uint8Array] => {
      const path = join(this.#directory, name);
      return [path, readFileSync(path)];
    });
    return { files: new Map(files), entries: new Map(this.#entries) };
  }

  async restart(): Promise<this> {
    await this.quit();
    return this.open();
  }

  async online(): Promise<this> {
    await until(`${this.name} is on line`, () => this.client.view.connection.kind === "online");
    return this;
  }

  /** Loses its connection, and gets a new one. */
  async reconnect(): Promise<this> {
    this.cable.unplug();
    await until(`${this.name} is off line`, () => this.client.view.connection.kind === "offline");
    this.cable.plug();
    this.client.retryNow();
    return this.online();
  }

  /** Shows a conversation, so that its messages are followed. */
  async look(conversationId: ConversationId): Promise<readonly MessageView[]> {
    const { page } = await this.client.commands["conversation.open"]({ conversationId });
    const shown = new Map(page.messages.map((message) => [message.messageId, message]));
    // Events that came before the answer are newer than it.
    const earlier = this.shown.get(conversationId) ?? new Map<MessageId, MessageView>();
    this.shown.set(conversationId, new Map([...shown, ...earlier]));
    return page.messages;
  }

  /** What a window of a conversation shows, in order. */
  messages(conversationId: ConversationId): readonly MessageView[] {
    const shown = this.shown.get(conversationId) ?? new Map<MessageId, MessageView>();
    return [...shown.values()].sort((left, right) => left.order - right.order);
  }

  texts(conversationId: ConversationId): readonly string[] {
    return this.messages(conversationId).flatMap((message) =>
      message.kind === "text" ? [message.text] : [],
    );
  }

  message(conversationId: ConversationId, text: string): MessageView | undefined {
    return this.messages(conversationId).find(
      (message) => message.kind === "text" && message.text === text,
    );
  }

  lines(conversationId: ConversationId): readonly string[] {
    return this.messages(conversationId).flatMap((message) =>
      message.kind === "system" ? [message.line.kind] : [],
    );
  }

  async say(
    conversationId: ConversationId,
    text: string,
    extra: { readonly timers?: Timers; readonly replyTo?: MessageId } = {},
  ): Promise<MessageId> {
    const { messageId } = await this.client.commands["message.send"]({
      conversationId,
      text,
      replyTo: extra.replyTo ?? null,
      timers: extra.timers ?? null,
    });
    return messageId;
  }

  async create(
    kind: "direct" | "group" | "room",
    people: readonly Person[],
    extra: { readonly name?: string; readonly timers?: Timers } = {},
  ): Promise<ConversationId> {
    const { conversationId } = await this.client.commands["conversation.create"]({
      kind,
      people: people.map(({ userId }) => userId),
      name: extra.name ?? (kind === "direct" ? "" : "The crew"),
      timers: extra.timers ?? null,
    });
    return conversationId;
  }

  /** Waits until this person sees a text in an open conversation. */
  sees(conversationId: ConversationId, text: string): Promise<void> {
    return until(`${this.name} sees "${text}"`, () => this.texts(conversationId).includes(text));
  }

  /** Waits until a conversation is in the list, and opens it. */
  async finds(conversationId: ConversationId): Promise<void> {
    await until(`${this.name} is in the conversation`, async () => {
      const rows = await this.client.commands["conversations.list"]({});
      return rows.some((row) => row.conversationId === conversationId);
    });
    await this.look(conversationId);
  }

  async dispose(): Promise<void> {
    if (this.#open !== null) await this.quit();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** A relay and everybody around it. */
export class World implements Surroundings {
  readonly relay: RelayFixture;
  readonly workers: InlineCryptoWorker[] = [];
  readonly #people: Person[] = [];

  private constructor(relay: RelayFixture) {
    this.relay = relay;
  }

  static async start(): Promise<World> {
    return new World(await RelayFixture.start());
  }

  get relayUrl(): string {
    return this.relay.url;
  }

  claimCode(): Promise<string | null> {
    return this.relay.relay.claimCode();
  }

  async startWorker(): Promise<CryptoWorker> {
    const worker = await startInlineCryptoWorker();
    this.workers.push(worker);
    return worker;
  }

  person(name: string): Person {
    const person = new Person(this, name);
    this.#people.push(person);
    return person;
  }

  async invite(inviter: Person, uses = 1): Promise<string> {
    await inviter.online();
    const { link } = await inviter.client.commands["invites.create"]({
      lifetimeSeconds: 3600,
      uses,
    });
    return link;
  }

  /** A host and others who joined, all on line and known to each other. */
  async people(first: string, ...others: readonly string[]): Promise<readonly Person[]> {
    const host = await this.person(first).host();
    const link = await this.invite(host, 20);
    const everybody = [host];
    for (const name of others) everybody.push(await this.person(name).join(link));
    for (const person of everybody) {
      await person.online();
      await until(`${person.name} knows everybody`, async () => {
        const people = await person.client.commands["people.list"]({});
        return people.length === everybody.length;
      });
    }
    return everybody;
  }

  async dispose(): Promise<void> {
    for (const person of this.#people) await person.dispose();
    await this.relay.dispose();
  }
}
