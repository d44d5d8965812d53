import {
  AppError,
  ensureAppError,
  formatLinkText,
  historyAllowed,
  type DeviceId,
  type ErrorCode,
  type LinkStep,
  type LinkView,
  type OfferedDevice,
  type RendezvousId,
} from "#protocol";
import { readFact } from "../store/facts.ts";
import { freeName } from "./free-name.ts";
import { Handover, withdrawNoted, type HandoverPorts } from "./handover.ts";
import { Mailbox } from "./mailbox.ts";

/** How long a code lives. */
const codeLifeMs = 10 * 60_000;

/** What a {@link DeviceLinker} is made of. */
interface DeviceLinkerParts extends HandoverPorts {
  readonly relayUrl: string;
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
  /** Both have said yes. */
  handover: Handover | null;
  /** The account is on its way, or there. */
  isGiven: boolean;
  /** What is to be sent, and goes out again after a cut. */
  readonly outgoing: Uint8Array[];
}

/** What is still to be done for a linking that has ended here. */
interface Ending {
  readonly linking: Linking;
  /** How the other side is to hear of it; null: it knows. */
  farewell: "declined" | "closed" | null;
  /** Whether the device is taken back. */
  readonly withdraws: boolean;
}

/** This device's side of "Add a computer": shows a code, lets the person compare, and adds what stands at the other end. */
export class DeviceLinker {
  readonly #parts: DeviceLinkerParts;
  #linking: Linking | null = null;
  #view: LinkView = { kind: "idle" };
  /** What goes to the relay and comes from it, one after the other. */
  #working: Promise<void> = Promise.resolve();
  /** Those that a cut connection has left open. */
  #endings: readonly Ending[] = [];
  /** What was given, and hasn't answered. */
  #unconfirmed: Handover | null = null;
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
    return historyAllowed(this.#parts.core.policy);
  }

  /** Shows a new code; one that was shown before ends. @throws AppError `relay-unreachable`, `not-ready`, … */
  async show(): Promise<void> {
    const { core, relayUrl, directory } = this.#parts;
    core.ensureWritable();
    core.ensureOnline();
    await this.cancel();
    const turn = this.#begun;
    await withdrawNoted(core, directory);
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
      handover: null,
      isGiven: false,
      outgoing: [],
      cancelTimeout: core.clock.setTimeout(() => {
        if (this.#linking === linking) void this.#fail(linking, "link-ended");
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
    await this.#working;
  }

  /** The person says that they aren't. Nothing was given away. */
  async differ(): Promise<void> {
    await this.#fail(this.#comparing(), "link-symbols-differ");
  }

  /** Ends what is under way, whatever it is, and forgets what is shown. A device that hasn't answered yet is taken back. */
  async cancel(): Promise<void> {
    this.#begun += 1;
    const linking = this.#linking;
    if (linking === null) {
      this.#unconfirmed = null;
      this.#show({ kind: "idle" });
    } else {
      void this.#leave({ linking, farewell: "declined", withdraws: true }, { kind: "idle" });
    }
    await this.#working;
  }

  /** Something has come, or may have: there is a new connection. */
  look(rendezvousId: RendezvousId | null = null): void {
    if (rendezvousId === null) void this.#work(() => this.#windUp());
    const linking = this.#linking;
    if (linking === null) return;
    if (rendezvousId !== null && rendezvousId !== linking.rendezvousId) return;
    void this.#work(() => this.#guard(linking, () => this.#goOn(linking)));
  }

  /** A device that was added is on line, so it has the account, whether its last word came or not. */
  arrived(deviceId: DeviceId): void {
    if (this.#unconfirmed?.device.deviceId === deviceId) this.#confirm(this.#unconfirmed);
  }

  close(): void {
    this.#closed = true;
    const linking = this.#linking;
    this.#linking = null;
    linking?.cancelTimeout();
    linking?.handover?.stop();
    if (linking !== null) this.#forget(linking.rendezvousId);
  }

  #work(step: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(step);
    return this.#working;
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
    const { offered, approved } = linking;
    if (offered === null || approved === null) return;
    linking.handover ??= new Handover(this.#parts, linking.rendezvousId, {
      device: offered,
      history: approved.history,
    });
    const account = await linking.handover.prepare();
    linking.isGiven = true;
    linking.outgoing.push(account);
    this.#unconfirmed = linking.handover;
    this.#parts.onLinked();
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
        linking.offered = { ...step.device, deviceName: this.#freeName(step.device) };
        if (linking.approved !== null) this.#showAdding(linking.offered);
        return;
      case "declined":
        throw new AppError("link-declined");
      case "done":
        if (!linking.isGiven || linking.handover === null) throw new AppError("link-refused");
        this.#confirm(linking.handover);
        return;
      case "account":
        throw new AppError("link-refused");
    }
  }

  #showAdding({ deviceName }: OfferedDevice): void {
    this.#show({ kind: "adding", deviceName });
  }

  /** Two computers of one system would have one name. */
  #freeName({ deviceName }: OfferedDevice): string {
    const { people, self } = this.#parts.core;
    const devices = people.get(self.userId)?.devices ?? [];
    return freeName(
      deviceName,
      devices.map((device) => device.deviceName),
    );
  }

  #confirm({ device, history }: Handover): void {
    const view: LinkView = { kind: "added", deviceName: device.deviceName, history };
    const linking = this.#linking;
    this.#unconfirmed = null;
    if (linking === null) this.#show(view);
    else void this.#leave({ linking, farewell: "closed", withdraws: false }, view);
  }

  /** Whatever goes wrong ends the linking, but for a connection that is cut: its next session goes on. */
  async #guard(linking: Linking, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (this.#linking !== linking) return;
      if (!isCut(cause)) void this.#fail(linking, ensureAppError(cause).code);
    }
  }

  /** Ends a linking with words for the person. What may have the account is taken back only when it says itself that it hasn't. */
  #fail(linking: Linking, code: ErrorCode): Promise<void> {
    if (code === "link-declined") {
      const ending: Ending = { linking, farewell: "closed", withdraws: true };
      return this.#leave(ending, { kind: "failed", code });
    }
    if (linking.isGiven) {
      const ending: Ending = { linking, farewell: null, withdraws: false };
      return this.#leave(ending, { kind: "failed", code: "link-open" });
    }
    return this.#leave(
      { linking, farewell: "declined", withdraws: true },
      { kind: "failed", code },
    );
  }

  /** Takes nothing more from the other side. It is told, its keys go, and what was begun for it is taken back: now, or with the next connection. */
  #leave(ending: Ending, view: LinkView): Promise<void> {
    const { linking, withdraws } = ending;
    linking.cancelTimeout();
    linking.handover?.stop();
    this.#linking = null;
    if (withdraws) this.#unconfirmed = null;
    this.#endings = [...this.#endings, ending];
    this.#show(view);
    return this.#work(() => this.#windUp());
  }

  async #windUp(): Promise<void> {
    const { core, directory } = this.#parts;
    try {
      for (const ending of this.#endings) {
        const { linking, withdraws } = ending;
        await this.#sayFarewell(ending);
        this.#forget(linking.rendezvousId);
        if (withdraws) await linking.handover?.withdraw();
        this.#endings = this.#endings.filter((other) => other !== ending);
      }
      // One of an earlier run.
      const pending = readFact(core.vault, "linkPending");
      if (pending !== this.#linking?.offered?.deviceId) await withdrawNoted(core, directory);
    } catch {
      // It is off line, or nothing can be written: the next session goes on.
    }
  }

  /** The place ends where nothing can be said: before keys are agreed, after they are gone, and once the account is sealed. @throws AppError `relay-unreachable` */
  async #sayFarewell(ending: Ending): Promise<void> {
    const { linking, farewell } = ending;
    const isSaid = farewell === "declined" && (await this.#decline(linking));
    if (farewell !== null && !isSaid) await this.#close(linking);
    ending.farewell = null;
  }

  /** @returns whether it is said. @throws AppError `relay-unreachable` */
  async #decline(linking: Linking): Promise<boolean> {
    if (linking.handover?.isSealed === true) return false;
    const params = { rendezvousId: linking.rendezvousId, word: "declined" } as const;
    try {
      const { message } = await this.#parts.core.worker.call("link.say", params);
      linking.outgoing.push(message);
      await this.#flush(linking);
      return true;
    } catch (error) {
      if (isCut(error)) throw error;
      return false;
    }
  }

  /** @throws AppError `relay-unreachable` */
  async #close({ rendezvousId }: Linking): Promise<void> {
    await this.#parts.core.request("rendezvous.close", { rendezvousId }).catch((error: unknown) => {
      if (isCut(error)) throw error;
    });
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

function isCut(error: unknown): boolean {
  return ensureAppError(error).code === "relay-unreachable";
}
