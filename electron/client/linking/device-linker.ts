import {
  AppError,
  decodeRecord,
  ensureAppError,
  formatLinkText,
  type ErrorCode,
  type LinkStep,
  type LinkView,
  type OfferedDevice,
  type RendezvousId,
  type SignedRecord,
} from "#protocol";
import type { Directory } from "../account/directory.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact, type StoredAccount } from "../store/facts.ts";
import { encodeAccountFacts } from "./account-facts.ts";
import { channelLifeMs, type StoredChannel } from "./channels.ts";
import { Mailbox } from "./mailbox.ts";

/** How long a code lives. */
const codeLifeMs = 10 * 60_000;

/** What a {@link DeviceLinker} is made of. */
interface DeviceLinkerParts {
  readonly core: Core;
  readonly account: StoredAccount;
  readonly relayUrl: string;
  readonly directory: Directory;
  readonly onChanged: (view: LinkView) => void;
  /** There is a channel to a new device. */
  readonly onLinked: () => void;
}

interface Linking {
  readonly rendezvousId: RendezvousId;
  readonly mailbox: Mailbox;
  readonly cancelTimeout: () => void;
  /** What the other computer has offered. */
  offered: OfferedDevice | null;
  /** What the person has said: they match, and whether messages go along. */
  approved: { readonly history: boolean } | null;
  isGiven: boolean;
  /** What is to be sent, and goes out again after a cut. */
  readonly outgoing: Uint8Array[];
}

/** This device's side of "Add a computer": shows a code, lets the person compare, and adds what stands at the other end. */
export class DeviceLinker {
  readonly #parts: DeviceLinkerParts;
  #linking: Linking | null = null;
  #view: LinkView = { kind: "idle" };
  #reading: Promise<void> = Promise.resolve();
  /** Counts what was begun or ended: a code that is on its way then is shown no more. */
  #begun = 0;
  #closed = false;

  constructor(parts: DeviceLinkerParts) {
    this.#parts = parts;
  }

  get view(): LinkView {
    return this.#view;
  }

  get historyAllowed(): boolean {
    return this.#parts.core.policy.historyOnLink ?? true;
  }

  /** Shows a new code; one that was shown before ends. @throws AppError `relay-unreachable`, `not-ready`, … */
  async show(): Promise<void> {
    const { core, relayUrl } = this.#parts;
    core.ensureWritable();
    core.ensureOnline();
    await this.cancel();
    const turn = this.#begun;
    const { rendezvousId, code } = await core.worker.call("link.begin", {});
    const { expiresAtMs } = await core
      .request("rendezvous.open", { rendezvousId, lifetimeMs: codeLifeMs })
      .catch((error: unknown) => {
        this.#forget(rendezvousId);
        throw error;
      });
    if (this.#closed || turn !== this.#begun) {
      this.#forget(rendezvousId);
      await core.request("rendezvous.close", { rendezvousId }).catch(() => undefined);
      throw new AppError("not-ready");
    }
    const ask = core.request.bind(core);
    const linking: Linking = {
      rendezvousId,
      mailbox: new Mailbox(ask, { rendezvousId, seat: null }),
      offered: null,
      approved: null,
      isGiven: false,
      outgoing: [],
      cancelTimeout: core.clock.setTimeout(() => {
        if (this.#linking === linking) this.#fail(linking.isGiven ? "link-open" : "link-ended");
      }, codeLifeMs),
    };
    this.#linking = linking;
    this.#show({ kind: "code", link: formatLinkText({ code, relayUrl }), expiresAtMs });
  }

  /** The person says that the symbols are the same. */
  async match(history: boolean): Promise<void> {
    const linking = this.#comparing();
    linking.approved = { history: history && this.historyAllowed };
    if (linking.offered === null) this.#show({ kind: "waiting" });
    else this.#showAdding(linking.offered);
    this.look();
    await this.#reading;
  }

  /** The person says that they aren't. Nothing was given away. */
  async differ(): Promise<void> {
    const linking = this.#comparing();
    await this.#decline(linking);
    this.#fail("link-symbols-differ");
  }

  /** Ends what is under way, whatever it is, and forgets what is shown. */
  async cancel(): Promise<void> {
    this.#begun += 1;
    const linking = this.#linking;
    const comparing = this.#view.kind === "compare" || this.#view.kind === "waiting";
    if (linking !== null) {
      if (comparing) await this.#decline(linking);
      else await this.#close(linking);
    }
    this.#end(linking);
    this.#show({ kind: "idle" });
  }

  /** Something has come, or may have: there is a new connection. */
  look(rendezvousId: RendezvousId | null = null): void {
    const linking = this.#linking;
    if (linking === null) return;
    if (rendezvousId !== null && rendezvousId !== linking.rendezvousId) return;
    this.#reading = this.#reading.then(() => this.#guard(linking, () => this.#goOn(linking)));
  }

  close(): void {
    this.#closed = true;
    this.#end(this.#linking);
  }

  #comparing(): Linking {
    if (this.#linking === null || this.#view.kind !== "compare") throw new AppError("not-ready");
    return this.#linking;
  }

  /** Sends what waits, takes what has come, and adds the device once both people have said yes. A cut in between is made good by the next call. */
  async #goOn(linking: Linking): Promise<void> {
    await this.#flush(linking);
    for (const message of await linking.mailbox.receive()) {
      if (this.#linking !== linking) return;
      const { rendezvousId } = linking;
      const step = await this.#parts.core.worker.call("link.take", { rendezvousId, message });
      this.#take(linking, step);
      await this.#flush(linking);
    }
    if (this.#linking !== linking || linking.isGiven) return;
    if (linking.offered === null || linking.approved === null) return;
    await this.#add(linking, linking.offered, linking.approved);
    await this.#flush(linking);
  }

  async #flush({ mailbox, outgoing }: Linking): Promise<void> {
    for (;;) {
      const [message] = outgoing;
      if (message === undefined) return;
      await mailbox.send(message);
      outgoing.shift();
    }
  }

  #take(linking: Linking, step: LinkStep): void {
    switch (step.kind) {
      case "reply":
        linking.outgoing.push(step.message);
        return;
      case "compare":
        if (step.message !== null) linking.outgoing.push(step.message);
        this.#show({ kind: "compare", symbols: step.symbols, historyAllowed: this.historyAllowed });
        return;
      case "device":
        linking.offered = step.device;
        if (linking.approved !== null) this.#showAdding(step.device);
        return;
      case "declined":
        throw new AppError("link-declined");
      case "done":
        this.#done(linking);
        return;
      case "account":
        throw new AppError("link-refused");
    }
  }

  #showAdding({ deviceName }: OfferedDevice): void {
    this.#show({ kind: "adding", deviceName });
  }

  /** Puts the device into the directory, then gives it the account. */
  async #add(
    linking: Linking,
    offered: OfferedDevice,
    { history }: { readonly history: boolean },
  ): Promise<void> {
    const { core, directory, account } = this.#parts;
    const { rendezvousId } = linking;
    const device = await this.#sign(offered);
    // The person may have said no meanwhile.
    if (this.#linking !== linking) return;
    await core.request("device.add", { device });
    await directory.refresh();
    const facts = encodeAccountFacts({
      networkKey: account.networkKey,
      user: this.#ownRecord(),
      device,
      policy: this.#policyRecord(),
      history,
    });
    const { message, channel } = await core.worker.call("link.giveAccount", {
      rendezvousId,
      facts,
    });
    linking.isGiven = true;
    linking.outgoing.push(message);
    const expiresAtMs = core.clock.now() + channelLifeMs;
    const { deviceId } = offered;
    await this.#keepChannel({ ...channel, role: "owner", deviceId, history, expiresAtMs });
    // Before the account goes out: the new device comes there at once.
    await core.request("rendezvous.open", {
      rendezvousId: channel.rendezvousId,
      lifetimeMs: channelLifeMs,
    });
  }

  async #sign({
    deviceId,
    signatureKey,
    deviceName,
    platform,
  }: OfferedDevice): Promise<SignedRecord> {
    const { core } = this.#parts;
    const { networkId, userId } = core.self;
    const createdAtMs = core.clock.now();
    const { record } = await core.worker.call("record.sign", {
      kind: "device",
      value: { networkId, userId, deviceId, deviceName, platform, signatureKey, createdAtMs },
    });
    return record;
  }

  #ownRecord(): SignedRecord {
    const { core } = this.#parts;
    const own = core.store
      .directory()
      .find(({ user }) => decodeRecord("user", user.payload).userId === core.self.userId);
    if (own === undefined) throw new AppError("vault-damaged");
    return own.user;
  }

  #policyRecord(): SignedRecord {
    const policy = readFact(this.#parts.core.vault, "policy");
    if (policy === undefined) throw new AppError("vault-damaged");
    return policy;
  }

  async #keepChannel(channel: StoredChannel): Promise<void> {
    const { core } = this.#parts;
    const changes = new Changes();
    const kept = (readFact(core.vault, "linkChannels") ?? []).filter(
      ({ expiresAtMs }) => expiresAtMs > core.clock.now(),
    );
    changes.statements.push(putFact("linkChannels", [...kept, channel]));
    await core.commit(changes);
    this.#parts.onLinked();
  }

  #done(linking: Linking): void {
    const { offered, approved } = linking;
    if (offered === null || approved === null) throw new AppError("link-refused");
    this.#end(linking);
    void this.#close(linking);
    this.#show({
      kind: "added",
      deviceName: offered.deviceName,
      history: approved.history,
    });
  }

  async #decline(linking: Linking): Promise<void> {
    const { rendezvousId } = linking;
    try {
      const params = { rendezvousId, word: "declined" } as const;
      const { message } = await this.#parts.core.worker.call("link.say", params);
      await linking.mailbox.send(message);
    } catch {
      // It is off line, or gone: without an answer its code ends.
    }
  }

  async #close({ rendezvousId }: Linking): Promise<void> {
    await this.#parts.core.request("rendezvous.close", { rendezvousId }).catch(() => undefined);
  }

  /** Whatever goes wrong ends the linking, but for a connection that is cut: its next session goes on. */
  async #guard(linking: Linking, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (this.#linking !== linking) return;
      const { code } = ensureAppError(cause);
      if (code === "relay-unreachable") return;
      if (code !== "link-declined" && code !== "link-ended") await this.#decline(linking);
      this.#fail(code);
    }
  }

  #fail(code: ErrorCode): void {
    this.#end(this.#linking);
    this.#show({ kind: "failed", code });
  }

  #end(linking: Linking | null): void {
    linking?.cancelTimeout();
    this.#linking = null;
    if (linking !== null) this.#forget(linking.rendezvousId);
  }

  /** The worker drops its keys. */
  #forget(rendezvousId: RendezvousId): void {
    void this.#parts.core.worker.call("link.end", { rendezvousId }).catch(() => undefined);
  }

  #show(view: LinkView): void {
    this.#view = view;
    this.#parts.onChanged(view);
  }
}
