import {
  AppError,
  decodeRecord,
  type LinkChannel,
  type OfferedDevice,
  type RendezvousId,
  type SignedRecord,
} from "#protocol";
import type { Directory } from "../account/directory.ts";
import { revokeIfKnown } from "../account/revoke-device.ts";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact, type StoredAccount } from "../store/facts.ts";
import { encodeAccountFacts } from "./account-facts.ts";
import { channelLifeMs, type StoredChannel } from "./channels.ts";

/** What a {@link Handover} needs of the client. */
export interface HandoverPorts {
  readonly core: Core;
  readonly account: StoredAccount;
  readonly directory: Directory;
}

/**
 * Gives the account to a device that both people have said yes to. The device goes into the directory first, and the account goes out last: in between it is
 * noted in the vault as one that has nothing, and is taken back if nothing comes of it, also after a crash. So no computer has an account in which
 * it isn't listed; one that is listed and never came is seen in the list.
 */
export class Handover {
  readonly device: OfferedDevice;
  readonly history: boolean;
  readonly #ports: HandoverPorts;
  readonly #rendezvousId: RendezvousId;
  #record: SignedRecord | null = null;
  #sealed: { readonly message: Uint8Array; readonly channel: LinkChannel } | null = null;
  #isStopped = false;

  constructor(
    ports: HandoverPorts,
    rendezvousId: RendezvousId,
    what: { readonly device: OfferedDevice; readonly history: boolean },
  ) {
    this.#ports = ports;
    this.#rendezvousId = rendezvousId;
    this.device = what.device;
    this.history = what.history;
  }

  /** Whether the account is sealed, so that this is what the other side must hear next. */
  get isSealed(): boolean {
    return this.#sealed !== null;
  }

  /**
   * Does all that comes before the account goes out. After a failure it may be called again: nothing is made twice, and what the relay has done it does
   * again without effect.
   *
   * @returns the sealed account, to be sent
   * @throws AppError `relay-unreachable`, `too-many-devices`, `link-ended` after {@link stop}, …
   */
  async prepare(): Promise<Uint8Array> {
    const { core, directory } = this.#ports;
    this.#record ??= await this.#sign();
    this.#ensureWanted();
    await core.commit(noted(this.device.deviceId));
    await core.request("device.add", { device: this.#record });
    await directory.refresh();
    this.#ensureWanted();
    this.#sealed ??= await this.#seal(this.#record);
    const { message, channel } = this.#sealed;
    // The new device comes there at once.
    const { rendezvousId } = channel;
    await core.request("rendezvous.open", { rendezvousId, lifetimeMs: channelLifeMs });
    this.#ensureWanted();
    await core.commit(this.#kept(channel));
    this.#ensureWanted();
    return message;
  }

  /** The person has said no, or the time is over: {@link prepare} goes no further. */
  stop(): void {
    this.#isStopped = true;
  }

  #ensureWanted(): void {
    if (this.#isStopped) throw new AppError("link-ended");
  }

  /** Takes the device out again. @throws AppError `relay-unreachable`: {@link withdrawNoted} does it later */
  async withdraw(): Promise<void> {
    const { core, directory } = this.#ports;
    await core.commit(noted(this.device.deviceId));
    await withdrawNoted(core, directory);
  }

  async #sign(): Promise<SignedRecord> {
    const { core } = this.#ports;
    const { networkId, userId } = core.self;
    const createdAtMs = core.clock.now();
    const { record } = await core.worker.call("record.sign", {
      kind: "device",
      value: { networkId, userId, ...this.device, createdAtMs },
    });
    return record;
  }

  #seal(device: SignedRecord) {
    const { core, account } = this.#ports;
    const policy = readFact(core.vault, "policy");
    const own = core.store
      .directory()
      .find(({ user }) => decodeRecord("user", user.payload).userId === core.self.userId);
    if (own === undefined || policy === undefined) throw new AppError("vault-damaged");
    const { networkKey } = account;
    const { user } = own;
    const facts = encodeAccountFacts({ networkKey, user, device, policy, history: this.history });
    return core.worker.call("link.giveAccount", { rendezvousId: this.#rendezvousId, facts });
  }

  /** From here on it may have the account, so it isn't taken back unasked. */
  #kept(channel: LinkChannel): Changes {
    const { core } = this.#ports;
    const nowMs = core.clock.now();
    const { deviceId } = this.device;
    const others = (readFact(core.vault, "linkChannels") ?? []).filter(
      (other) => other.expiresAtMs > nowMs && other.deviceId !== deviceId,
    );
    const expiresAtMs = nowMs + channelLifeMs;
    const { history } = this;
    const own: StoredChannel = { ...channel, role: "owner", deviceId, history, expiresAtMs };
    const changes = new Changes();
    changes.statements.push(putFact("linkChannels", [...others, own]));
    changes.write("fact.delete", "linkPending");
    return changes;
  }
}

function noted(deviceId: OfferedDevice["deviceId"]): Changes {
  const changes = new Changes();
  changes.statements.push(putFact("linkPending", deviceId));
  return changes;
}

/** Takes out the device to which the account was to go when something came between. @throws AppError `relay-unreachable` */
export async function withdrawNoted(core: Core, directory: Directory): Promise<void> {
  const deviceId = readFact(core.vault, "linkPending");
  if (deviceId === undefined) return;
  await revokeIfKnown(core, directory, deviceId);
  const changes = new Changes();
  const channels = readFact(core.vault, "linkChannels") ?? [];
  const others = channels.filter((channel) => channel.deviceId !== deviceId);
  if (others.length < channels.length) changes.statements.push(putFact("linkChannels", others));
  changes.write("fact.delete", "linkPending");
  await core.commit(changes);
}
