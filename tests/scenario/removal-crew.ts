import type { UserRecord } from "#protocol";
import { Exclusions } from "../../crypto/identity/exclusions.ts";
import { proposeLeave } from "../../crypto/mls/group-messages.ts";
import { suiteNames } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../support/mls-device.ts";
import { TestDevice, TestNetwork } from "../support/relay-identity.ts";
import { seededRandom } from "../support/seeded.ts";

const id = conversationId(1);

/** How members go, and how many at a time. */
export const victimsOf = {
  /** By an administrator: one, several. */
  single: 1,
  several: 2,
  /** They ask for it themselves, and somebody else commits. */
  leave: 1,
  leaves: 2,
  /** The administrator's removal loses against somebody's empty commit, and is made anew. */
  overtaken: 1,
  /** Two administrators remove somebody at once: one wins, the other removes theirs after it. */
  race: 2,
  /** They have a commit of their own under way, which loses. */
  resisting: 1,
  /** Their leaf goes, and another one of the same device comes, in one commit. */
  replaced: 1,
  /** The network's key has signed that they are suspended: a plain member takes them out. */
  suspended: 1,
} as const;

export type RemovalKind = keyof typeof victimsOf;
export const removalKinds = Object.keys(victimsOf) as readonly RemovalKind[];

/** An entry of the log, and whom it removes. */
interface Ordered {
  readonly bytes: Uint8Array;
  readonly removes: readonly MlsDevice[];
}

/** Two administrators who always stay, and others who come and go. */
export class Crew {
  readonly id = id;
  readonly anna: MlsDevice;
  readonly ben: MlsDevice;
  readonly others: readonly MlsDevice[];
  readonly #random;
  readonly #office: SuspensionOffice;

  private constructor(devices: readonly MlsDevice[], seed: number, office: SuspensionOffice) {
    [this.anna, this.ben] = [devices[0]!, devices[1]!];
    this.others = devices.slice(2);
    this.#random = seededRandom(seed);
    this.#office = office;
  }

  static async begin(seed: number): Promise<Crew> {
    const primitives = await loadPrimitives();
    const office = new SuspensionOffice(new Exclusions(primitives.ed25519));
    const world = createMlsWorld(primitives, { suite: suiteNames.aes128, trust: office.trust });
    const devices = Array.from({ length: 6 }, () => new MlsDevice(world));
    const crew = new Crew(devices, seed, office);
    const { anna, ben, others } = crew;
    await groupOf(id, anna, [ben, ...others]);
    const administrators = [anna.userId, ben.userId];
    const roomState = { ...anna.summary(id).roomState, administrators };
    await orderCommit(id, anna, { roomState }, { others: [ben, ...others] });
    // One more for each waits to be used: whoever has a copy of them has its keys too.
    for (const device of devices) await device.keyPackage();
    return crew;
  }

  choose(count: number): readonly MlsDevice[] {
    const first = this.#random.below(this.others.length);
    return Array.from(
      { length: count },
      (_, at) => this.others[(first + at) % this.others.length]!,
    );
  }

  /** What comes before the commit. */
  async prepare(kind: RemovalKind, gone: readonly MlsDevice[]): Promise<void> {
    const everybody = [this.anna, this.ben, ...this.others];
    for (const device of gone) {
      if (kind === "leave" || kind === "leaves") await askToLeave(device, everybody);
      if (kind === "resisting") await device.prepare(id);
      if (kind === "suspended") this.#office.suspend(device, true);
    }
  }

  /** Takes them out; those who are told of it let go of their state, as the client does. */
  async remove(kind: RemovalKind, gone: readonly MlsDevice[]): Promise<readonly Ordered[]> {
    const { anna, ben, others } = this;
    const removeDevices = gone.map(({ deviceId }) => deviceId);
    const stayed = others.filter((device) => !gone.includes(device));
    switch (kind) {
      case "single":
      case "several":
      case "resisting": {
        const { bytes } = await orderCommit(
          id,
          anna,
          { removeDevices },
          { others: [ben, ...others] },
        );
        return [{ bytes, removes: gone }];
      }
      case "leave":
      case "leaves": {
        const { bytes } = await orderCommit(id, ben, {}, { others: [anna, ...others] });
        return [{ bytes, removes: gone }];
      }
      case "suspended": {
        const by = stayed.at(-1)!;
        const rest = [anna, ben, ...others].filter((device) => device !== by);
        const { bytes } = await orderCommit(id, by, { removeDevices }, { others: rest });
        return [{ bytes, removes: gone }];
      }
      case "replaced": {
        const addKeyPackages = await Promise.all(gone.map((device) => device.keyPackage()));
        const wanted = { removeDevices, addKeyPackages };
        const people = { others: [ben, ...stayed], newcomers: gone };
        const { bytes } = await orderCommit(id, anna, wanted, people);
        return [{ bytes, removes: gone }];
      }
      case "overtaken": {
        const winner = await this.#beatAnna({ removeDevices }, {});
        const { bytes } = await orderCommit(
          id,
          anna,
          { removeDevices },
          { others: [ben, ...others] },
        );
        return [
          { bytes: winner, removes: [] },
          { bytes, removes: gone },
        ];
      }
      case "race": {
        const [annas, bens] = [gone[0]!, gone[1]!];
        const winner = await this.#beatAnna(
          { removeDevices: [annas.deviceId] },
          { removeDevices: [bens.deviceId] },
        );
        const left = [ben, ...others.filter((device) => device !== bens)];
        const wanted = { removeDevices: [annas.deviceId] };
        const { bytes } = await orderCommit(id, anna, wanted, { others: left });
        return [
          { bytes: winner, removes: [bens] },
          { bytes, removes: [annas] },
        ];
      }
    }
  }

  /** @returns the commit that brings them back */
  async comeBack(gone: readonly MlsDevice[], stayed: readonly MlsDevice[]): Promise<Uint8Array> {
    for (const device of gone) this.#office.suspend(device, false);
    const addKeyPackages = await Promise.all(gone.map((device) => device.keyPackage()));
    const people = { others: [this.ben, ...stayed], newcomers: gone };
    const { bytes } = await orderCommit(id, this.anna, { addKeyPackages }, people);
    return bytes;
  }

  /**
   * @param speakers - who of those inside says something; left out: each of them
   * @returns what they said, which all others inside have read
   */
  async speak(inside: readonly MlsDevice[], speakers = inside): Promise<readonly Uint8Array[]> {
    const text = "for those who are here";
    const said: Uint8Array[] = [];
    for (const speaker of speakers) {
      const bytes = await speaker.seal(id, text);
      said.push(bytes);
      for (const listener of inside) {
        if (listener === speaker) continue;
        const read = await listener.read(id, bytes);
        if (read !== text) throw new Error(`a member is locked out: ${read}`);
      }
    }
    return said;
  }

  /** Both commit for the same epoch; Ben wins, and everybody follows him. @returns his */
  async #beatAnna(
    annas: Parameters<MlsDevice["prepare"]>[1],
    bens: Parameters<MlsDevice["prepare"]>[1],
  ): Promise<Uint8Array> {
    const { anna, ben, others } = this;
    await anna.prepare(id, annas);
    const { bytes, removed } = await ben.prepare(id, bens);
    anna.settle(id, false);
    ben.settle(id, true);
    for (const device of [anna, ...others]) {
      const { kind } = await device.open(id, bytes);
      const goes = removed.some(({ deviceId }) => deviceId === device.deviceId);
      if (kind !== (goes ? "removed" : "commit")) {
        throw new Error(`somebody can't follow the winner: ${kind}`);
      }
    }
    return bytes;
  }
}

async function askToLeave(leaver: MlsDevice, everybody: readonly MlsDevice[]): Promise<void> {
  const { memory, entries } = await proposeLeave(leaver.memory(id));
  leaver.keep(id, memory);
  for (const device of everybody) {
    if (device === leaver) continue;
    for (const entry of entries) await device.open(id, entry);
  }
}

/** Signs suspensions with the network's key, and believes them as the directory does. */
class SuspensionOffice {
  readonly #network = new TestNetwork();
  readonly #exclusions: Exclusions;
  readonly #account = new TestDevice("Somebody").account.publicKey;
  #issued = 0;

  constructor(exclusions: Exclusions) {
    this.#exclusions = exclusions;
  }

  get trust() {
    const exclusions = this.#exclusions;
    return {
      judge: () => "trusted" as const,
      mayBeAdded: exclusions.mayBeAdded.bind(exclusions),
      mayBeRemoved: exclusions.mayBeRemoved.bind(exclusions),
    };
  }

  suspend({ userId }: MlsDevice, suspended: boolean): void {
    const { networkId, key } = this.#network;
    this.#issued += 1;
    const user: UserRecord = {
      ...{ networkId, userId, displayName: "Somebody", role: "member" },
      ...{ accountKey: this.#account, issuedAtMs: 1 },
    };
    const suspension = this.#network.suspension(userId, { suspended, issuedAtMs: this.#issued });
    const records = { revocations: [], suspension };
    this.#exclusions.take(user, records, { networkKey: key.publicKey, isKnown: () => true });
  }
}
