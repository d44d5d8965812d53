import { expect, test } from "vitest";
import { maxFrameBytes, roomFor, suiteLimits } from "#protocol";
import { suiteNames, type SuiteName } from "../../../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  MlsDevice,
  someTimers,
} from "../../../support/mls-device.ts";

const primitives = await loadPrimitives();
const id = conversationId(1);
/** What a frame says besides, and what the leaves of these devices lack: a certificate of 64 bytes. */
const spare = 1.02;

// They grow by the same for each device. As many as fill the leaves of a tree: so do its nodes.
const [few, more] = [4, 16];

interface Sizes {
  readonly added: number;
  readonly together: number;
  readonly takenOver: number;
  /** A few more are added to all of these. */
  readonly grown: number;
}

async function begun(suite: SuiteName): Promise<MlsDevice> {
  const founder = new MlsDevice(createMlsWorld(primitives, { suite }));
  const administrators = [founder.userId];
  await founder.begin(id, { kind: "group", name: "Size", administrators, timers: someTimers });
  return founder;
}

function add(founder: MlsDevice, others: readonly MlsDevice[]) {
  return Promise.all(others.map((other) => other.keyPackage())).then((addKeyPackages) =>
    founder.prepare(id, { addKeyPackages }),
  );
}

interface Made {
  readonly bytes: Uint8Array;
  readonly welcome?: Uint8Array | null;
  readonly groupInfo: Uint8Array;
}

function lengthOf({ bytes, welcome, groupInfo }: Made): number {
  return bytes.length + (welcome?.length ?? 0) + groupInfo.length;
}

/** What each change of a conversation with so many devices puts into one frame, bytes. */
async function sizesOf(suite: SuiteName, devices: number): Promise<Sizes> {
  const founder = await begun(suite);
  const others = Array.from({ length: devices - 1 }, () => new MlsDevice(founder.world));
  const added = await add(founder, others);
  founder.settle(id, true);
  const renewed = await founder.prepare(id);
  founder.settle(id, false);
  const newcomers = Array.from({ length: few - 1 }, () => new MlsDevice(founder.world));
  const grown = await add(founder, newcomers);
  const former = await begun(suite === suiteNames.aes128 ? suiteNames.chacha20 : suiteNames.aes128);
  const guests = others.map(() => new MlsDevice(former.world));
  await add(former, guests);
  former.settle(id, true);
  const over = await former.prepareReinit(id, suite, guests);
  return {
    added: lengthOf(added),
    together: lengthOf(renewed),
    takenOver: lengthOf(over),
    grown: lengthOf(grown),
  };
}

test.each([suiteNames.default, suiteNames.cnsa, suiteNames.p521])(
  "as many devices as %s allows fit in a frame",
  async (suite) => {
    const [small, large] = [await sizesOf(suite, few), await sizesOf(suite, more)];
    for (const what of ["added", "together", "takenOver"] as const) {
      const perDevice = (large[what] - small[what]) / (more - few);
      const sizeBytes = large[what] + perDevice * (suiteLimits[suite][what] - more);
      expect(sizeBytes * spare, what).toBeLessThan(maxFrameBytes);
    }
    const perDevice = (what: keyof Sizes) => (large[what] - small[what]) / (more - few);
    for (let present = 1; roomFor(suite, present) > 0; present += 1) {
      const sizeBytes = perDevice("grown") * present + perDevice("added") * roomFor(suite, present);
      expect((small.added + sizeBytes) * spare, String(present)).toBeLessThan(maxFrameBytes);
    }
  },
  60_000,
);
