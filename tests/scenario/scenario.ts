import { inspect } from "node:util";
import {
  ensureAppError,
  suiteNames,
  type ConversationId,
  type MessageId,
  type SuiteName,
  type UserId,
} from "#protocol";
import { createIdentity } from "../../crypto/identity/identity.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import type { Client } from "../../electron/client/index.ts";
import { sha256 } from "../../relay/primitives.ts";
import { decodeMembers } from "../../electron/client/store/rows.ts";
import { peopleOf } from "../../electron/client/store/store.ts";
import { loadSqlEngine, type SqlEngine } from "../../electron/vault/database.ts";
import { seededRandom } from "../support/seeded.ts";
import type { Weather } from "./cable.ts";
import { Device, type Account, type Surroundings } from "./device.ts";
import { checkEnd, isMember, type Finding, type Sent } from "./oracle.ts";
import { changesSuite, choosePeople, stepsOf, type People, type Step } from "./schedule.ts";
import {
  claimRelay,
  SimulatedRelay,
  signDevice,
  visitor,
  type SimulatedNetwork,
  type TrueLog,
} from "./simulated-relay.ts";
import { Timeline } from "./timeline.ts";

const dayMs = 86_400_000;
const rough: Weather = { maxDelayMs: 120, duplicated: 30, dropped: 30, broken: 4 };
const fair: Weather = { maxDelayMs: 20, duplicated: 0, dropped: 0, broken: 0 };
const maxConversations = 3;
/** Those that the policy changes among: with X25519, P-256 and ML-KEM, and with two sorts of signature keys. */
const suites = [suiteNames.aes128, suiteNames.chacha20, suiteNames.p256, suiteNames.default];
/** The administrator, whom something has kept from it, tries again after so long. */
const insistMs = 1000;
const longestLeapsMs = 40 * dayMs;
/** How long everybody has, once the network is fair, until nothing is left to do. */
const patienceMs = 40 * 60_000;
const lookEveryMs = 20_000;
/** How often everybody makes their weekly commit before people take the word of whoever vouches. */
const maxWeeks = 2;
/** The longest pause of a device before it tries again. */
const longestRetryMs = 15 * 60_000;

/** What a run is made from. */
export interface ScenarioOptions {
  readonly seed: number;
  /** It ends when so many commits were ordered… */
  readonly commits: number;
  readonly suite: SuiteName;
  readonly people: People;
  /** …or with the last of these; null: those of the seed. */
  readonly steps: readonly Step[] | null;
}

/** How a run came out. */
export interface ScenarioResult {
  readonly findings: readonly Finding[];
  /** What was done, a line each. */
  readonly trace: readonly string[];
  readonly steps: readonly Step[];
  readonly commits: number;
  /** Commits among them that took a conversation over to another suite. */
  readonly reinits: number;
  readonly messages: number;
  /** Messages that somebody was to read, and those of them that couldn't be opened. */
  readonly deliveries: number;
  readonly unopenable: number;
  /** As many more weren't there for devices whose vault was put back from a copy. */
  readonly unopenableAfterLoss: number;
  readonly devices: number;
}

/** X-Wing for every tenth seed; suite 1 of RFC 9420, which is faster, for the others. */
export function suiteOf(seed: number): SuiteName {
  return seed % 10 === 0 ? suiteNames.default : suiteNames.aes128;
}

/** The plan of a seed. */
export function planOf(
  seed: number,
  commits: number,
  maxDevices: number,
): Pick<ScenarioOptions, "seed" | "commits" | "people" | "steps"> {
  return { seed, commits, people: choosePeople(seed, maxDevices), steps: null };
}

let engine: Promise<SqlEngine> | null = null;

/** Time in this thread is the run's, and randomness its seed's. */
function takeOver(timeline: Timeline, randomBytes: (sizeBytes: number) => Uint8Array): () => void {
  const startMs = timeline.now();
  const own = { configurable: true, writable: true };
  Object.defineProperty(performance, "now", { ...own, value: () => timeline.now() - startMs });
  Object.defineProperty(globalThis.crypto, "getRandomValues", {
    ...own,
    value: (target: Uint8Array) => {
      target.set(randomBytes(target.length));
      return target;
    },
  });
  // The platform's own comes back from another thread, nobody knows when.
  Object.defineProperty(globalThis.crypto.subtle, "digest", {
    ...own,
    value: (_name: string, bytes: Uint8Array) => Promise.resolve(sha256(bytes).buffer),
  });
  return () => {
    // What lies beneath is on the prototypes.
    Reflect.deleteProperty(performance, "now");
    Reflect.deleteProperty(globalThis.crypto, "getRandomValues");
    Reflect.deleteProperty(globalThis.crypto.subtle, "digest");
  };
}

/**
 * Runs a scenario from beginning to end. The same options give the same result.
 *
 * @param judge - looks at what there is in the end
 */
export async function runScenario(
  options: ScenarioOptions,
  judge: typeof checkEnd = checkEnd,
): Promise<ScenarioResult> {
  engine ??= loadSqlEngine();
  const timeline = new Timeline();
  const keys = seededRandom(options.seed ^ 0x0b57);
  // A stream of its own: libraries draw from it when they are loaded, which is once.
  const restore = takeOver(timeline, seededRandom(options.seed ^ 0x11b5).bytes);
  try {
    const scenario = await Scenario.begin(options, timeline, keys.bytes, await engine);
    try {
      return await scenario.run(judge);
    } finally {
      await scenario.dispose();
    }
  } finally {
    restore();
  }
}

type Command = (client: Client) => Promise<unknown>;

class Scenario {
  readonly trace: string[] = [];
  readonly #options: ScenarioOptions;
  readonly #around: Surroundings & { weather: () => Weather };
  readonly #devices: Device[];
  readonly #findings: Finding[];
  readonly #sent: Sent = new Map();
  /** Devices that are away until a step of this number. */
  readonly #absent = new Map<Device, number>();
  readonly #rolledBack = new Map<Device, Map<ConversationId, number>>();
  /** What devices had said that were put back to a copy from before it. */
  readonly #forgotten = new Set<MessageId>();
  /** From where on who wanted to leave needn't read, each time that they did. */
  readonly #leaving = new Map<string, readonly number[]>();
  /** What the policy is to name; null: what it does. */
  #wantedSuite: SuiteName | null = null;
  #leaptMs = 0;
  #said = 0;
  #done: Step[] = [];

  private constructor(
    options: ScenarioOptions,
    around: Surroundings & { weather: () => Weather },
    devices: Device[],
    findings: Finding[],
  ) {
    this.#findings = findings;
    this.#options = options;
    this.#around = around;
    this.#devices = devices;
    around.relay.onCommit = (conversationId, by, sequence) => {
      for (const [device, until] of this.#rolledBack) {
        if (device.deviceId !== by) continue;
        if ((until.get(conversationId) ?? 0) === Infinity) until.set(conversationId, sequence);
      }
    };
  }

  static async begin(
    options: ScenarioOptions,
    timeline: Timeline,
    randomBytes: (sizeBytes: number) => Uint8Array,
    sqlEngine: SqlEngine,
  ): Promise<Scenario> {
    const primitives = await loadPrimitives(randomBytes);
    const faults: Finding[] = [];
    const relay = await SimulatedRelay.start(timeline, randomBytes, (what, error) => {
      faults.push({ kind: "error", text: `relay: ${what}\n${inspect(error, { depth: 3 })}` });
    });
    const network = await claimRelay(relay, primitives, options.suite);
    const random = seededRandom(options.seed ^ 0xcab1e);
    const around = {
      timeline,
      primitives,
      randomBytes,
      random,
      sqlEngine,
      network,
      relay,
      weather: () => fair,
    };
    const devices: Device[] = [];
    let token = network.administratorToken;
    for (const [person, count] of options.people.entries()) {
      const accounts = await makePerson({
        ...{ around, network, person, count, token },
        // It changes what is drawn: only where it is used.
        hasNetworkKey: person === 0 && changesSuite(options.seed),
      });
      for (const [index, account] of accounts.entries()) {
        const name = `${String.fromCharCode(65 + person)}${String(index + 1)}`;
        devices.push(await Device.make(around, name, account));
      }
      if (person > 0) continue;
      const { userId, deviceId } = accounts[0]!.identity;
      const invite = { expiresAtMs: timeline.now() + dayMs, uses: 100 };
      token = (await relay.handlers["invite.create"](invite, { userId, deviceId })).token;
    }
    return new Scenario(options, around, devices, faults);
  }

  async run(judge: typeof checkEnd): Promise<ScenarioResult> {
    const { seed, commits, steps } = this.#options;
    const { timeline, relay } = this.#around;
    for (const device of this.#devices) await timeline.until(device.open());
    await this.#waitFor("everybody is there", () => this.#devices.every(({ online }) => online));
    await timeline.pass(5000);
    this.#act(this.#devices[0]!, "create", (client) => this.#create(client, 0, 3));
    await timeline.pass(5000);
    this.#around.weather = () => rough;
    let index = 0;
    for (const step of steps ?? stepsOf(seed, commits)) {
      if (relay.commits >= commits || index > commits * 20) break;
      this.#done.push(step);
      await this.#take(step, index);
      for (const [device, until] of this.#absent) {
        if (index < until) continue;
        this.#absent.delete(device);
        await this.#open(device);
      }
      await timeline.pass(step.waitMs);
      index += 1;
    }
    await this.#settle();
    return this.#result(judge);
  }

  async dispose(): Promise<void> {
    for (const device of this.#devices) await device.dispose();
  }

  #result(judge: typeof checkEnd): ScenarioResult {
    const { relay } = this.#around;
    const end = judge({
      devices: this.#devices,
      logs: relay.logs,
      suite: relay.suite,
      sent: this.#sent,
      nowMs: this.#around.timeline.now(),
      rolledBack: this.#rolledBack,
      forgotten: this.#forgotten,
      leaving: this.#leaving,
    });
    return {
      findings: [...this.#findings, ...end.findings],
      trace: this.trace,
      steps: this.#done,
      commits: relay.commits,
      reinits: relay.reinits,
      messages: this.#sent.size,
      deliveries: end.deliveries,
      unopenable: end.unopenable,
      unopenableAfterLoss: end.unopenableAfterLoss,
      devices: this.#devices.length,
    };
  }

  #note(line: string): void {
    const { timeline } = this.#around;
    this.trace.push(`${new Date(timeline.now()).toISOString().slice(5, 23)} ${line}`);
  }

  /** Lets somebody do something, and goes on without waiting for it. */
  #act(device: Device, what: string, command: Command): void {
    const { client } = device;
    if (client === null) return;
    this.#note(`${device.name} ${what}`);
    command(client).then(
      () => undefined,
      (error: unknown) => {
        const { code, fault } = ensureAppError(error);
        this.#note(`${device.name} ${what}: ${code}`);
        // What one that died stumbles over, nobody minds: its vault may have been put back meanwhile.
        if (device.client === client && (fault === "bug" || unexpected.has(code))) {
          const why = inspect(error, { depth: 3 });
          this.#findings.push({ kind: "error", text: `${device.name} ${what}: ${code}\n${why}` });
        }
      },
    );
  }

  /** The conversations that a device is in, as it sees it. */
  #active(device: Device): readonly ConversationId[] {
    const rows = device.look("SELECT conversation_id FROM conversations WHERE state = 'active'");
    const active = new Set(rows.map((row) => row["conversation_id"] as ConversationId));
    return [...this.#around.relay.logs.keys()].filter((id) => active.has(id));
  }

  #people(): readonly UserId[] {
    return [...new Set(this.#devices.map(({ userId }) => userId))];
  }

  async #open(device: Device): Promise<void> {
    if (device.running || this.#absent.has(device)) return;
    // A fuse may end it before it has begun: then it never resolves, and is begun again later.
    void device.open();
    await this.#around.timeline.pass(1);
  }

  async #take(step: Step, index: number): Promise<void> {
    const device = this.#devices[step.who % this.#devices.length]!;
    switch (step.kind) {
      case "cut":
        device.cable.cut();
        this.#note(`${device.name} loses its connection`);
        return;
      case "crash":
        if (!device.running) return;
        this.#note(`${device.name} will die in ${String(1 + (step.what % 40))} steps`);
        device.lightFuse(1 + (step.what % 40));
        this.#around.timeline.at(200 + (step.where % 20_000), () => {
          device.crash();
          if (!this.#absent.has(device)) void device.open();
        });
        return;
      case "restart":
        await this.#quit(device);
        return this.#open(device);
      case "absence":
        await this.#quit(device);
        this.#absent.set(device, index + 5 + (step.what % 60));
        return;
      case "backUp":
        if (this.#absent.has(device)) return;
        device.backUp();
        this.#note(`${device.name} is copied`);
        return;
      case "rollBack":
        return this.#rollBack(device);
      case "leap":
        this.#leap(step);
        return;
      case "suite":
        this.#setSuite(step);
        return;
      case "spoil":
        device.spoils += 1;
        this.#note(`${device.name} will spoil a commit`);
        return;
      case "race":
        for (let racer = 0; racer < 2 + (step.what % 5); racer += 1) {
          const racing = this.#devices[(step.who + racer) % this.#devices.length]!;
          const kind = racer % 3 === 2 ? "send" : "rename";
          this.#change(racing, { ...step, kind, what: step.what + racer });
        }
        return;
      default:
        this.#change(device, step);
    }
  }

  async #quit(device: Device): Promise<void> {
    if (!device.running) return;
    this.#note(`${device.name} quits`);
    // Its fuse may end it on the way.
    const { timeline } = this.#around;
    await timeline.until(Promise.race([device.quit(), timeline.sleep(5000)]));
    device.crash();
  }

  async #rollBack(device: Device): Promise<void> {
    if (!device.hasCopy) return;
    device.crash();
    await device.restore();
    this.#note(`${device.name} is put back from its copy`);
    const known = new Set(
      device.look("SELECT message_id FROM messages").map((row) => row["message_id"]),
    );
    for (const [messageId, { by }] of this.#sent) {
      if (by === device && !known.has(messageId)) this.#forgotten.add(messageId);
    }
    const until = this.#rolledBack.get(device) ?? new Map<ConversationId, number>();
    for (const conversationId of this.#around.relay.logs.keys()) {
      until.set(conversationId, Infinity);
    }
    this.#rolledBack.set(device, until);
    await this.#open(device);
  }

  #leap(step: Step): void {
    const durationMs = (1 + (step.what % 72)) * 3_600_000;
    if (this.#leaptMs + durationMs > longestLeapsMs) return;
    this.#leaptMs += durationMs;
    this.#around.timeline.leap(durationMs);
    this.#note(`${String(durationMs / 3_600_000)} hours pass`);
  }

  #setSuite({ what }: Step): void {
    const { relay } = this.#around;
    const others = suites.filter((suite) => suite !== relay.suite);
    this.#wantedSuite = others[what % others.length]!;
    this.#insist(this.#wantedSuite);
  }

  /** Has the administrator change the policy until the relay has it, or it is to be another one. */
  #insist(suite: SuiteName): void {
    const { relay, timeline } = this.#around;
    if (this.#wantedSuite !== suite || relay.suite === suite) return;
    const administrator = this.#devices[0]!;
    if (administrator.online) {
      this.#act(administrator, `changes the policy to ${suite}`, (client) =>
        client.commands["network.setPolicy"]({ suite }),
      );
    }
    timeline.at(insistMs, () => {
      this.#insist(suite);
    });
  }

  /** What somebody does in a conversation. */
  #change(device: Device, step: Step): void {
    if (step.kind === "create") {
      if (this.#around.relay.logs.size >= maxConversations) return;
      this.#act(device, "create", (client) =>
        this.#create(client, step.what, 1 + (step.where % 5)),
      );
      return;
    }
    const active = this.#active(device);
    if (active.length === 0) return;
    const conversationId = active[step.where % active.length]!;
    const people = this.#people();
    const userId = people[step.what % people.length]!;
    const name = `${this.#nameOf(userId)} in ${String([...this.#around.relay.logs.keys()].indexOf(conversationId))}`;
    switch (step.kind) {
      case "send":
        this.#send(device, conversationId);
        return;
      case "rename":
        this.#act(device, `rename ${String(step.what)}`, (client) =>
          client.commands["conversation.rename"]({
            conversationId,
            name: `Crew ${String(step.what)}`,
          }),
        );
        return;
      case "timers":
        this.#act(device, "timers", (client) =>
          client.commands["conversation.setTimers"]({
            conversationId,
            timers: { expirationSeconds: (100 + (step.what % 100)) * 86_400, burnSeconds: null },
          }),
        );
        return;
      case "role":
        this.#act(device, `role ${name}`, (client) =>
          client.commands["conversation.setRole"]({
            conversationId,
            userId,
            role: step.what % 3 === 0 ? "member" : "administrator",
          }),
        );
        return;
      case "add":
        this.#act(device, `add ${name}`, (client) =>
          client.commands["conversation.addMembers"]({ conversationId, people: [userId] }),
        );
        return;
      case "remove":
        this.#act(device, `remove ${name}`, (client) =>
          client.commands["conversation.removeMember"]({ conversationId, userId }),
        );
        return;
      case "leave": {
        if (device.client === null) return;
        // What comes from here on isn't shown to whoever has asked to leave.
        const [row] = device.look(
          `SELECT cursor FROM conversations WHERE conversation_id = '${conversationId}'`,
        );
        const key = `${device.userId} ${conversationId}`;
        const cursor = Number(row?.["cursor"] ?? 0);
        this.#leaving.set(key, [...(this.#leaving.get(key) ?? []), cursor]);
        this.#act(device, "leave", (client) =>
          client.commands["conversation.leave"]({ conversationId }),
        );
        return;
      }
      default:
    }
  }

  #send(device: Device, conversationId: ConversationId): void {
    const text = `${device.name} says ${String(++this.#said)}`;
    this.#act(device, text, async (client) => {
      const { messageId } = await client.commands["message.send"]({
        conversationId,
        text,
        replyTo: null,
        timers: null,
      });
      this.#sent.set(messageId, { conversationId, text, by: device });
    });
  }

  async #create(client: Client, first: number, count: number): Promise<void> {
    const people = this.#people();
    const chosen = Array.from({ length: count }, (_, at) => people[(first + at) % people.length]!);
    const others = [...new Set(chosen)].filter((userId) => userId !== client.view.me.userId);
    await client.commands["conversation.create"]({
      kind: "group",
      people: others.length > 0 ? others : people.filter((id) => id !== client.view.me.userId),
      name: "The crew",
      timers: null,
    });
  }

  #nameOf(userId: UserId): string {
    return this.#devices.find((device) => device.userId === userId)?.name.slice(0, 1) ?? "?";
  }

  /** The network is fair again, everybody is there, and what is under way comes to its end; then everybody says something. */
  async #settle(): Promise<void> {
    this.#around.weather = () => fair;
    this.#absent.clear();
    this.#note("— everybody is there —");
    for (const device of this.#devices) device.lightFuse(Infinity);
    for (const device of this.#devices) {
      device.cable.plugged = true;
      await this.#open(device);
    }
    await this.#awaitKnown();
    await this.#waitFor("nothing is under way any more", () => this.#isQuiet());
    for (const device of this.#devices) {
      for (const conversationId of this.#active(device)) this.#send(device, conversationId);
    }
    await this.#waitFor("what was said in the end has arrived", () => this.#isQuiet());
  }

  /** Who waits for somebody known to vouch for a group waits until their weekly commit (docs/adr/0029). */
  async #awaitKnown(): Promise<void> {
    const { timeline } = this.#around;
    for (let weeks = 0; weeks < maxWeeks; weeks += 1) {
      await timeline.pass(weeks === 0 ? 60_000 : longestRetryMs);
      if (!this.#devices.some((device) => this.#awaitsKnown(device))) return;
      this.#note("a week passes");
      timeline.leap(8 * dayMs);
      for (const device of this.#devices) {
        await this.#quit(device);
        await this.#open(device);
      }
    }
  }

  /**
   * The logs of the conversations that a device is to join anew, and whom it knew there. So is one that had ended in the copy from which its vault
   * was put back, or by the relay's word alone.
   */
  #toJoin(device: Device): readonly { readonly log: TrueLog; readonly known: readonly UserId[] }[] {
    const rows = device.look(
      `SELECT conversation_id, members, cursor, stale FROM conversations WHERE state <> 'creating' AND (stale = 1
         OR state IN ('left', 'removed') AND EXISTS (SELECT 1 FROM facts WHERE name = 'rollback'))`,
    );
    return rows.flatMap(({ conversation_id: id, members, cursor, stale }) => {
      const log = this.#around.relay.logs.get(id as ConversationId);
      if (log === undefined || !isMember(log, device)) return [];
      // Who has left alone stays a member, and nothing comes.
      if (stale === 0 && headOf(log) <= Number(cursor)) return [];
      return [{ log, known: peopleOf(decodeMembers(members as Uint8Array)) }];
    });
  }

  /** Whether a device is to join a conversation anew in which the last commit was made by nobody whom it knew there. */
  #awaitsKnown(device: Device): boolean {
    return this.#toJoin(device).some(({ log, known }) => {
      const maker = log.items.findLast((item) => item.kind === "commit")?.by ?? log.creator;
      const { userId } = this.#devices.find(({ deviceId }) => deviceId === maker)!;
      return userId !== device.userId && !known.includes(userId);
    });
  }

  /** Whoever is asked by whose word to join a conversation anew takes it: nobody deceives anybody here. */
  #takeWords(device: Device): void {
    const blocked = device.look(
      "SELECT conversation_id FROM conversations WHERE blocked = 'members-unvouched'",
    );
    for (const row of blocked) {
      const conversationId = row["conversation_id"] as ConversationId;
      this.#act(device, "is asked by whose word to join", async ({ commands }) => {
        const { conversation } = await commands["conversation.open"]({ conversationId });
        const userId = conversation.unvouched?.by.userId;
        if (userId === undefined) return;
        this.#note(`${device.name} takes the word of ${this.#nameOf(userId)}`);
        await commands["conversation.joinByWord"]({ conversationId, userId });
      });
    }
  }

  async #waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const { timeline } = this.#around;
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookEveryMs) {
      await timeline.pass(waitedMs === 0 ? 2000 : lookEveryMs);
      if (await holds()) return;
      for (const device of this.#devices) {
        await this.#open(device);
        this.#takeWords(device);
      }
    }
    const standing = this.#devices.map((device) => `${device.name} ${this.#standing(device)}`);
    this.#findings.push({ kind: "stuck", text: `never: ${what}\n${standing.join("\n")}` });
  }

  /** Where a device is, for whoever looks for what went wrong. */
  #standing(device: Device): string {
    const connection = device.client?.view.connection;
    const rows = [
      "SELECT state, epoch, suite, cursor, blocked, stale FROM conversations",
      "SELECT attempts, offer IS NULL AS unmade FROM intents",
      "SELECT kind, epoch, sequence, doubtful FROM outbox",
      "SELECT user_id FROM leavers",
    ].map((sql) => JSON.stringify(device.look(sql)));
    return [JSON.stringify(connection), ...rows].join(" ");
  }

  async #isQuiet(): Promise<boolean> {
    const { suite: policySuite } = this.#around.relay;
    if ((this.#wantedSuite ?? policySuite) !== policySuite) return false;
    for (const device of this.#devices) {
      // A Welcome that was dropped comes again later; until then nothing here shows that there is a conversation.
      if (await this.#around.relay.hasMail(device.deviceId, device.inboxCursor)) return false;
    }
    return this.#devices.every((device) => {
      if (!device.online) return false;
      const [busy] = device.look(
        // What waits where the relay alone says that it is over waits on (docs/adr/0029); what was refused stays for another try.
        `SELECT count(*) AS n FROM (SELECT conversation_id AS id FROM intents UNION ALL
           SELECT conversation_id FROM outbox WHERE failed = 0 UNION ALL SELECT conversation_id FROM leavers) AS waiting
         WHERE NOT EXISTS (SELECT 1 FROM conversations WHERE conversation_id = waiting.id
           AND stale = 1 AND state IN ('left', 'removed'))`,
      );
      if (Number(busy?.["n"]) > 0 || this.#toJoin(device).length > 0) return false;
      return device
        .look("SELECT conversation_id, state, suite, cursor, blocked, stale FROM conversations")
        .every(({ conversation_id: id, state, suite, cursor, blocked, stale }) => {
          if (state === "left" || state === "removed") return true;
          if (state === "active" && suite !== policySuite) return false;
          const log = this.#around.relay.logs.get(id as ConversationId);
          const isRead = log === undefined || Number(cursor) >= headOf(log);
          return blocked === null && stale === 0 && isRead;
        });
    });
  }
}

function headOf({ items }: TrueLog): number {
  return items.at(-1)?.sequence ?? 0;
}

/** What no honest relay and no crash may lead to. */
const unexpected: ReadonlySet<string> = new Set([
  "internal",
  "vault-damaged",
  "frame-out-of-order",
  "frame-malformed",
  "message-unopenable",
  "commit-refused",
  "conversation-stuck",
  "group-unknown",
]);

/** Somebody's account at the relay, and those of their devices. */
async function makePerson({
  around,
  network,
  person,
  count,
  token,
  hasNetworkKey,
}: {
  readonly around: Surroundings;
  readonly network: SimulatedNetwork;
  readonly person: number;
  readonly count: number;
  readonly token: Uint8Array;
  /** Whether the network's key is on their first device. */
  readonly hasNetworkKey: boolean;
}): Promise<readonly Account[]> {
  const { primitives, relay, timeline } = around;
  const first = createIdentity(primitives);
  const displayName = `Person ${String.fromCharCode(65 + person)}`;
  const accounts: Account[] = [];
  const sign = (identity: typeof first, index: number) =>
    signDevice(primitives, network, identity, {
      deviceName: `Device ${String(index + 1)}`,
      createdAtMs: timeline.now(),
    });
  const { userId, account } = first;
  const device = sign(first, 0);
  const { user } = await relay.handlers["invite.redeem"](
    { token, displayName, accountKey: account.publicKey, userId, device },
    visitor,
  );
  accounts.push({ identity: first, displayName, user, record: device, hasNetworkKey });
  for (let index = 1; index < count; index += 1) {
    const { deviceId, signature } = createIdentity(primitives);
    const identity = { userId, account, deviceId, signature };
    const record = sign(identity, index);
    const caller = { userId, deviceId: first.deviceId };
    await relay.handlers["device.add"]({ device: record }, caller);
    accounts.push({ identity, displayName, user, record, hasNetworkKey: false });
  }
  return accounts;
}
