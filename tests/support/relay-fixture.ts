import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppError,
  idFromBytes,
  type ConversationId,
  type MessageId,
  type Policy,
  type RelayParams,
} from "#protocol";
import type { Clock, Disposer } from "../../relay/clock.ts";
import type { RelayLimits } from "../../relay/link/limits.ts";
import { silentLog, type Log } from "../../relay/log.ts";
import { systemRandom } from "../../relay/primitives.ts";
import { startRelay, type Relay } from "../../relay/relay.ts";
import { openLmdbStorage } from "../../relay/storage/lmdb.ts";
import type { RelayStorage } from "../../relay/storage/port.ts";
import { RelayClient } from "./relay-client.ts";
import { TestDevice, testBytes, TestNetwork } from "./relay-identity.ts";

/** The system's time, which can be moved on: timers fire as if it had passed. */
class ShiftedClock implements Clock {
  #shiftMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; arm: () => void; stop: () => void }>();

  nowMs(): number {
    return Date.now() + this.#shiftMs;
  }

  setTimer(action: () => void, delayMs: number): Disposer {
    let handle: NodeJS.Timeout | undefined;
    const dueMs = this.nowMs() + delayMs;
    const timer = {
      dueMs,
      arm: () => {
        clearTimeout(handle);
        handle = setTimeout(
          () => {
            this.#timers.delete(timer);
            action();
          },
          Math.max(0, dueMs - this.nowMs()),
        );
      },
      stop: () => {
        clearTimeout(handle);
        this.#timers.delete(timer);
      },
    };
    this.#timers.add(timer);
    timer.arm();
    return timer.stop;
  }

  advance(ms: number): void {
    this.#shiftMs += ms;
    for (const timer of this.#timers) timer.arm();
  }
}

/** A storage whose commits fail, or wait, when told to. */
export class FaultyStorage implements RelayStorage {
  readonly #storage: RelayStorage;
  failCommits = false;
  failReads = false;
  /** Commits wait for it. */
  holdCommits: Promise<unknown> = Promise.resolve();
  /** Commits that were asked for. */
  commits = 0;

  constructor(storage: RelayStorage) {
    this.#storage = storage;
  }

  read: RelayStorage["read"] = async (keys) => {
    if (this.failReads) throw new AppError("relay-storage-failed");
    return this.#storage.read(keys);
  };
  list: RelayStorage["list"] = (range) => this.#storage.list(range);
  commit: RelayStorage["commit"] = async (change) => {
    this.commits += 1;
    await this.holdCommits;
    if (this.failCommits) throw new AppError("relay-storage-failed", { cause: "disk full" });
    return this.#storage.commit(change);
  };
  announce: RelayStorage["announce"] = (topic, announcement) => {
    this.#storage.announce(topic, announcement);
  };
  subscribe: RelayStorage["subscribe"] = (topic, listener) =>
    this.#storage.subscribe(topic, listener);
  close: RelayStorage["close"] = () => this.#storage.close();
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "sotto-relay-"));
}

/** A relay on real LMDB and a real socket, and what tests need around it. */
export class RelayFixture {
  readonly directory: string;
  readonly clock = new ShiftedClock();
  readonly network = new TestNetwork();
  readonly #clients: RelayClient[] = [];
  readonly #limits: Partial<RelayLimits>;
  readonly #log: Log;
  #relay: Relay | null = null;
  #storage: FaultyStorage | null = null;

  private constructor(limits: Partial<RelayLimits>, log: Log) {
    this.directory = temporaryDirectory();
    this.#limits = limits;
    this.#log = log;
  }

  static async start(
    limits: Partial<RelayLimits> = {},
    log: Log = silentLog,
  ): Promise<RelayFixture> {
    const fixture = new RelayFixture(limits, log);
    await fixture.startRelay();
    return fixture;
  }

  /** One whose network has an administrator already. */
  static async claimed(
    limits: Partial<RelayLimits> = {},
    policy: Partial<Policy> = {},
  ): Promise<{ readonly fixture: RelayFixture; readonly admin: SignedIn }> {
    const fixture = await RelayFixture.start(limits);
    const visitor = await fixture.connect();
    const { administratorToken } = await fixture.claim(visitor, policy);
    return { fixture, admin: await fixture.join("Ada", administratorToken) };
  }

  get relay(): Relay {
    if (this.#relay === null) throw new Error("the relay doesn't run");
    return this.#relay;
  }

  get storage(): FaultyStorage {
    if (this.#storage === null) throw new Error("the relay doesn't run");
    return this.#storage;
  }

  get url(): string {
    return `ws://127.0.0.1:${String(this.relay.port)}`;
  }

  async startRelay(): Promise<void> {
    this.#storage = new FaultyStorage(openLmdbStorage(this.directory));
    this.#relay = await startRelay({
      storage: this.#storage,
      clock: this.clock,
      random: systemRandom,
      log: this.#log,
      limits: this.#limits,
      listen: { host: "127.0.0.1", port: 0, tls: null },
    });
  }

  async stopRelay(): Promise<void> {
    await this.#relay?.stop();
    this.#relay = null;
  }

  async connect(): Promise<RelayClient> {
    const client = await RelayClient.connect(this.url);
    this.#clients.push(client);
    return client;
  }

  async claim(
    client: RelayClient,
    policy: Partial<Policy> = {},
    changes: Partial<RelayParams<"network.claim">> = {},
  ): Promise<{ readonly administratorToken: Uint8Array }> {
    return client.request("network.claim", {
      claimCode: (await this.relay.claimCode()) ?? "none",
      networkKey: this.network.key.publicKey,
      issuerCertificate: this.network.certificate(client.hello.issuerKey),
      policy: this.network.policy(policy),
      ...changes,
    });
  }

  redeemParams(device: TestDevice, token: Uint8Array): RelayParams<"invite.redeem"> {
    return {
      token,
      displayName: device.displayName,
      accountKey: device.account.publicKey,
      userId: device.userId,
      device: device.record(this.network.networkId),
    };
  }

  /** Makes an account from a token, and signs its device in. */
  async join(displayName: string, token: Uint8Array): Promise<SignedIn> {
    const device = new TestDevice(displayName);
    const client = await this.connect();
    await client.request("invite.redeem", this.redeemParams(device, token));
    await client.signIn(device, this.network.networkId);
    return new SignedIn(this, device, client);
  }

  /** Lets `inviter` invite somebody new, who joins and signs in. */
  async invite(inviter: SignedIn, displayName: string): Promise<SignedIn> {
    const { token } = await inviter.client.request("invite.create", {
      expiresAtMs: this.clock.nowMs() + 3_600_000,
      uses: 1,
    });
    return this.join(displayName, token);
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.socket.terminate();
    await this.stopRelay();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A device that signed in. */
export class SignedIn {
  readonly fixture: RelayFixture;
  readonly device: TestDevice;
  client: RelayClient;

  constructor(fixture: RelayFixture, device: TestDevice, client: RelayClient) {
    this.fixture = fixture;
    this.device = device;
    this.client = client;
  }

  get deviceId(): TestDevice["deviceId"] {
    return this.device.deviceId;
  }

  /** Signs in on a new connection. */
  async reconnect(vaultSequence = 1): Promise<void> {
    this.client = await this.fixture.connect();
    await this.client.signIn(this.device, this.fixture.network.networkId, vaultSequence);
  }

  async createGroup(): Promise<ConversationId> {
    const conversationId = idFromBytes<ConversationId>(testBytes(16));
    await this.client.request("group.create", { conversationId, groupInfo: testBytes(100) });
    return conversationId;
  }

  commit(
    conversationId: ConversationId,
    epoch: number,
    change: Partial<RelayParams<"group.commit">> = {},
  ) {
    const adds = (change.add?.length ?? 0) > 0;
    return this.client.request("group.commit", {
      conversationId,
      epoch,
      bytes: testBytes(200),
      groupInfo: testBytes(100),
      add: [],
      remove: [],
      welcome: adds ? testBytes(300) : null,
      ...change,
    });
  }

  append(
    conversationId: ConversationId,
    epoch: number,
    change: Partial<RelayParams<"group.append">> = {},
  ) {
    return this.client.request("group.append", {
      conversationId,
      epoch,
      messageId: idFromBytes<MessageId>(testBytes(32)),
      expiresAtMs: this.fixture.clock.nowMs() + 3_600_000,
      bytes: testBytes(100),
      ...change,
    });
  }

  read(conversationId: ConversationId, afterSequence = 0, limit = 500) {
    return this.client.request("group.read", { conversationId, afterSequence, limit });
  }

  acknowledge(conversationId: ConversationId, sequence: number) {
    return this.client.request("group.acknowledge", { conversationId, sequence });
  }
}

/** The code of what a promise fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "no failure";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

/** Waits until something holds, at most five seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it never held");
}
