import { createCommit, type CiphersuiteImpl, type ClientState } from "ts-mls";
import type { ConversationId } from "#protocol";
import { encodeKeyPackage } from "../../crypto/mls/codec.ts";
import { createTrustGate } from "../../crypto/mls/client-config.ts";
import { prepareCommit, settleCommit } from "../../crypto/mls/group-commit.ts";
import { openEntry } from "../../crypto/mls/group-messages.ts";
import { createKeyPackage, type OwnKeyPackage } from "../../crypto/mls/key-packages.ts";
import { withoutPast, type GroupMemory } from "../../crypto/mls/memory.ts";
import { MlsDevice, someTimers, type MlsWorld } from "../support/mls-device.ts";

/** Two members of a group in which everybody has committed: no node of its tree is blank. */
export interface FilledGroup {
  /** At the first leaf, an administrator. */
  readonly founder: GroupMemory;
  /** At the last leaf. */
  readonly last: GroupMemory;
}

/**
 * A group of `members` with a tree as months of use leave it. One founder's state stands for everybody's public part, so that nobody
 * but the two has to process anything.
 */
export async function filledGroup(
  world: MlsWorld,
  id: ConversationId,
  members: number,
): Promise<FilledGroup> {
  const { impl, nowMs } = world;
  const founder = new MlsDevice(world);
  await founder.begin(id, {
    kind: "group",
    name: "Bench",
    administrators: [founder.userId],
    timers: someTimers,
  });
  const guests: { readonly device: MlsDevice; readonly own: OwnKeyPackage }[] = [];
  for (let at = 1; at < members; at++) {
    const device = new MlsDevice(world);
    guests.push({
      device,
      own: await createKeyPackage(impl, device.own, { nowMs, lastResort: false }),
    });
  }
  await founder.prepare(id, {
    addKeyPackages: guests.map(({ own }) => encodeKeyPackage(own.keyPackage)),
  });
  founder.settle(id, true);

  let { state } = founder.memory(id);
  const founderKey = state.privatePath.privateKeys[0];
  const asGuest = (leafIndex: number): ClientState => {
    const guest = guests[leafIndex - 1];
    if (guest === undefined || founderKey === undefined) throw new Error("no such guest");
    return {
      ...state,
      signaturePrivateKey: guest.device.own.signaturePrivateKey,
      privatePath: { leafIndex, privateKeys: { [2 * leafIndex]: guest.own.hpkePrivateKey } },
    };
  };
  for (const leafIndex of spread(members)) {
    if (leafIndex === 0 || leafIndex === members - 1) continue;
    state = await committed(asGuest(leafIndex), impl);
  }
  state = await committed(asGuest(members - 1), impl);
  const gate = () => createTrustGate(world.trust);
  const last: GroupMemory = { impl, gate: gate(), state, pending: null };
  const first: GroupMemory = {
    impl,
    gate: gate(),
    state: {
      ...state,
      keySchedule: copied(state.keySchedule),
      secretTree: copied(state.secretTree),
      signaturePrivateKey: founder.own.signaturePrivateKey,
      privatePath: {
        leafIndex: 0,
        privateKeys: founderKey === undefined ? {} : { 0: founderKey },
      },
    },
    pending: null,
  };
  const prepared = await prepareCommit(first, world.nothing, nowMs);
  const opened = await openEntry(last, id, prepared.bytes);
  const settled = settleCommit(prepared.memory, true).memory;
  if (opened.kind !== "commit" || settled === null) throw new Error(opened.kind);
  return { founder: settled, last: opened.memory };
}

/** What two members hold is wiped by each on their own. */
function copied<Value>(value: Value): Value {
  return structuredClone(value);
}

async function committed(state: ClientState, impl: CiphersuiteImpl): Promise<ClientState> {
  return withoutPast((await createCommit({ state, cipherSuite: impl })).newState);
}

/** Every second leaf, far apart first: each commit then finds little that is blank. */
function spread(members: number): readonly number[] {
  const leaves: number[] = [];
  const widest = 2 ** Math.ceil(Math.log2(members));
  for (let step = widest; step >= 2; step /= 2) {
    for (let leaf = 0; leaf < members; leaf += step) {
      if (step === widest || leaf % (2 * step) !== 0) leaves.push(leaf);
    }
  }
  return leaves;
}
