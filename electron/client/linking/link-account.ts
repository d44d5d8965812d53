import {
  AppError,
  encodeCbor,
  ensureAppError,
  equalBytes,
  type CryptoWorker,
  type LinkStep,
  type LinkStepView,
  type LinkText,
  type RendezvousId,
} from "#protocol";
import type { ClientPorts } from "../types.ts";
import { verifyPolicy } from "../account/policy-keeper.ts";
import { ensureNetwork } from "../identity.ts";
import { putFact, readFact } from "../store/facts.ts";
import { statement } from "../store/statement.ts";
import { decodeAccountFacts, type AccountFacts } from "./account-facts.ts";
import { channelLifeMs } from "./channels.ts";
import { firstLinkedOrder } from "./history-sink.ts";
import { Mailbox } from "./mailbox.ts";
import { pause, Visitor } from "./visitor.ts";

/** How this computer becomes one more of an account. */
interface LinkAccountOptions extends ClientPorts {
  readonly link: LinkText;
  readonly deviceName: string;
  readonly platform: string;
  readonly onStep: (step: LinkStepView) => void;
  /** Resolves with what the person says of the symbols. */
  readonly compared: () => Promise<boolean>;
  /** The person has changed their mind. */
  readonly signal: AbortSignal;
}

type Account = Extract<LinkStep, { readonly kind: "account" }>;

/** Between two looks at most, and how much longer each pause is than the one before, milliseconds. A visitor may ask twice a second for long. */
const lookMs = 800;
const lookStepMs = 100;
/** As long as a code lives. */
const patienceMs = 10 * 60_000;

/**
 * Takes this computer into the account whose device shows the code. Nothing is kept before all of it is here and checked.
 *
 * @throws AppError `link-*`, `relay-unreachable`, `relay-identity-changed`, `record-invalid`, or what the vault says
 */
export async function linkAccount(options: LinkAccountOptions): Promise<void> {
  const { vault, worker, clock } = options;
  if (vault.readOnly !== null) throw new AppError(vault.readOnly);
  if (readFact(vault, "account")?.step === "ready") throw new AppError("vault-exists");
  const ending = new AbortController();
  const stop = (): void => {
    ending.abort();
  };
  options.signal.addEventListener("abort", stop);
  if (options.signal.aborted) stop();
  const cancelTimeout = clock.setTimeout(stop, patienceMs);
  const visitor = new Visitor({
    connect: options.connect,
    clock,
    relayUrl: options.link.relayUrl,
    signal: ending.signal,
  });
  const { rendezvousId, seat, message } = await worker.call("link.enter", {
    code: options.link.code,
  });
  const ask: Visitor["ask"] = (name, params) => visitor.ask(name, params);
  const joining = new Joining(options, ending.signal, {
    visitor,
    rendezvousId,
    mailbox: new Mailbox(ask, { rendezvousId, seat }),
  });
  try {
    await joining.run(message);
  } catch (error) {
    await joining.giveUp();
    throw error;
  } finally {
    cancelTimeout();
    options.signal.removeEventListener("abort", stop);
    visitor.close();
    await worker.call("link.end", { rendezvousId }).catch(() => undefined);
  }
}

interface JoiningParts {
  readonly visitor: Visitor;
  readonly mailbox: Mailbox;
  readonly rendezvousId: RendezvousId;
}

/** One linking, from the first message to the last. */
class Joining {
  readonly #options: LinkAccountOptions;
  readonly #signal: AbortSignal;
  readonly #parts: JoiningParts;
  /** What has come and isn't taken yet. */
  readonly #waiting: Uint8Array[] = [];
  /** Looks since something came. */
  #looks = 0;

  constructor(options: LinkAccountOptions, signal: AbortSignal, parts: JoiningParts) {
    this.#options = options;
    this.#signal = signal;
    this.#parts = parts;
  }

  get #worker(): CryptoWorker {
    return this.#options.worker;
  }

  async run(first: Uint8Array): Promise<void> {
    const { onStep } = this.#options;
    onStep({ kind: "connecting" });
    await this.#parts.mailbox.send(first);
    const symbols = await this.#agree();
    onStep({ kind: "compare", symbols });
    await this.#compare();
    onStep({ kind: "waiting", symbols });
    const account = await this.#takeAccount();
    onStep({ kind: "receiving" });
    await this.#keep(account);
    // It is in the vault. Where this doesn't arrive, the other device learns it when this one is on line.
    await this.#sayDone().catch(() => undefined);
  }

  /** The other computer needn't wait, and takes back what it has begun. Nobody here waits until it has heard. */
  async giveUp(): Promise<void> {
    const { visitor, mailbox, rendezvousId } = this.#parts;
    const ask: Visitor["askLast"] = (name, params) => visitor.askLast(name, params);
    try {
      const { message } = await this.#worker.call("link.say", { rendezvousId, word: "declined" });
      mailbox.send(message, ask).catch(ensureAppError);
    } catch {
      // Nothing is agreed, so nothing can be said.
    }
  }

  async #agree(): Promise<readonly number[]> {
    for (;;) {
      const step = await this.#next();
      if (step.kind === "compare") return step.symbols;
      if (step.kind !== "reply") throw new AppError("link-refused");
      await this.#parts.mailbox.send(step.message);
    }
  }

  /** The person's answer, unless the other side ends it before. */
  async #compare(): Promise<void> {
    const over = new AbortController();
    const declined = this.#declined(over.signal);
    const answer = this.#options.compared();
    const matches = await Promise.race([answer, declined]).finally(() => {
      over.abort();
    });
    await declined.catch(() => undefined);
    if (!matches) throw new AppError("link-symbols-differ");
    const { deviceName, platform } = this.#options;
    const { rendezvousId } = this.#parts;
    const params = { rendezvousId, deviceName, platform };
    const { message } = await this.#worker.call("link.offerDevice", params);
    await this.#parts.mailbox.send(message);
  }

  /** Looks whether the other side has ended it, until told that this doesn't matter any more. @throws AppError `link-declined`, … */
  async #declined(enough: AbortSignal): Promise<boolean> {
    while (!enough.aborted) {
      this.#waiting.push(...(await this.#receive()));
      const message = this.#waiting.shift();
      // Before this side has said anything, the only thing to be said is no.
      if (message !== undefined) this.#refuse(await this.#take(message));
      await this.#pause(enough);
    }
    return true;
  }

  async #takeAccount(): Promise<Account> {
    const step = await this.#next();
    if (step.kind === "account") return step;
    return this.#refuse(step);
  }

  #refuse(step: LinkStep): never {
    throw new AppError(step.kind === "declined" ? "link-declined" : "link-refused");
  }

  async #next(): Promise<LinkStep> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) return this.#take(message);
      this.#waiting.push(...(await this.#receive()));
      if (this.#waiting.length > 0) continue;
      await this.#pause(this.#signal);
    }
  }

  #take(message: Uint8Array): Promise<LinkStep> {
    return this.#worker.call("link.take", {
      rendezvousId: this.#parts.rendezvousId,
      message,
    });
  }

  async #receive(): Promise<readonly Uint8Array[]> {
    const messages = await this.#parts.mailbox.receive();
    this.#looks = messages.length > 0 ? 0 : this.#looks + 1;
    return messages;
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    return pause({ clock, signal }, Math.min(lookMs, this.#looks * lookStepMs));
  }

  async #sayDone(): Promise<void> {
    const { rendezvousId, mailbox } = this.#parts;
    const { message } = await this.#worker.call("link.say", { rendezvousId, word: "done" });
    await mailbox.send(message);
  }

  /** Believes the account only if the network's issuer has signed it, and keeps all of it at once. */
  async #keep(account: Account): Promise<void> {
    const { vault, clock, link, platform } = this.#options;
    const facts = decodeAccountFacts(account.facts);
    const { issuer, displayName, networkName, deviceName } = await this.#check(account, facts);
    const { userId, deviceId, networkId, accountKey, signatureKey } = account;
    const { user, device, policy, networkKey, history } = facts;
    const person = { user, devices: [device] };
    await vault.transact([
      putFact("identity", account.sealedIdentity),
      statement("directory.put", userId, 0, encodeCbor(person)),
      putFact("issuer", issuer),
      putFact("policy", policy),
      putFact("firstOrder", firstLinkedOrder),
      putFact("linkChannels", [
        {
          ...account.channel,
          role: "joiner",
          deviceId: null,
          history,
          expiresAtMs: clock.now() + channelLifeMs,
        },
      ]),
      putFact("account", {
        step: "ready",
        networkId,
        networkKey,
        networkName,
        relayUrl: link.relayUrl,
        hosted: false,
        userId,
        deviceId,
        accountKey,
        signatureKey,
        displayName,
        deviceName,
        platform,
        device,
        claim: null,
        token: null,
      }),
    ]);
  }

  async #check(account: Account, facts: AccountFacts) {
    const worker = this.#worker;
    const { networkKey, user, device } = facts;
    const hello = await this.#parts.visitor.hello();
    const { issuerCertificate } = ensureNetwork(hello, networkKey);
    const { networkId } = await worker.call("network.idOf", { networkKey });
    if (networkId !== account.networkId) throw new AppError("link-refused");
    const { sealedIdentity } = account;
    await worker.call("identity.load", { sealedIdentity, networkId });
    const { issuerKey } = hello;
    await worker.call("directory.setNetwork", { networkKey, issuerCertificate, issuerKey });
    const { people } = await worker.call("directory.trust", {
      entries: [{ user, devices: [device] }],
    });
    const [person] = people;
    const own = person?.devices.find(({ deviceId }) => deviceId === account.deviceId);
    if (
      person?.user.userId !== account.userId ||
      !equalBytes(person.user.accountKey, account.accountKey) ||
      own === undefined ||
      !equalBytes(own.signatureKey, account.signatureKey)
    ) {
      throw new AppError("record-invalid");
    }
    const policy = await verifyPolicy(worker, facts.policy, networkKey);
    if (policy.networkId !== networkId) throw new AppError("record-invalid");
    return {
      issuer: { certificate: issuerCertificate, key: issuerKey },
      displayName: person.user.displayName,
      // As the other device signed it: it may have numbered it.
      deviceName: own.deviceName,
      networkName: policy.networkName,
    };
  }
}
