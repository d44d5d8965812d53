import {
  encodeRoomState,
  equalBytes,
  idFromBytes,
  idToBytes,
  suiteNames,
  type ConversationId,
  type CryptoWorker,
  type DeviceId,
  type NetworkId,
  type Policy,
  type UserId,
  type WorkerMethodName,
  type WorkerParams,
} from "#protocol";
import { Changes } from "../../electron/client/core/changes.ts";
import { Core } from "../../electron/client/core/core.ts";
import { encodeMembers } from "../../electron/client/store/rows.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { MemoryVault } from "./memory-vault.ts";

const daySeconds = 86_400;

/** A core over a {@link MemoryVault}, its clock in the test's hand, and a worker that seals nothing: bodies stay as they are. */
export interface CoreFixture {
  readonly core: Core;
  readonly vault: MemoryVault;
  readonly clock: FakeClock;
  /** A direct conversation with {@link peer}. */
  readonly conversationId: ConversationId;
  readonly peer: UserId;
}

const idOf = (fill: number) => new Uint8Array(16).fill(fill);

function plainWorker(): CryptoWorker {
  const answers: Partial<Record<WorkerMethodName, (params: never) => unknown>> = {
    "body.seal": ({ items }: { items: readonly { plain: Uint8Array }[] }) => ({
      sealed: items.map(({ plain }) => plain),
    }),
    "body.open": ({ items }: { items: readonly { sealed: Uint8Array }[] }) => ({
      plains: items.map(({ sealed }) => sealed),
    }),
    "missing.makeKey": ({ conversationId }: { conversationId: ConversationId }) => ({
      publicKey: idToBytes(conversationId),
      sealedPrivate: idToBytes(conversationId),
    }),
    // Whose key it is stands in place of its being sealed.
    "missing.sealAnswer": ({ publicKey, plain }: WorkerParams<"missing.sealAnswer">) => ({
      sealed: publicKey.length === 0 ? null : { kemOutput: publicKey, ciphertext: plain },
    }),
    "missing.openAnswer": (params: WorkerParams<"missing.openAnswer">) => ({
      plain: equalBytes(params.kemOutput, params.sealedPrivate) ? params.ciphertext : null,
    }),
    "sweep.begin": () => ({ due: [], nowMs: 0 }),
  };
  return {
    call: (method: WorkerMethodName, params: never) =>
      Promise.resolve(answers[method]?.(params) ?? {}),
    on: () => () => undefined,
    onRestart: () => () => undefined,
    dispose: () => Promise.resolve(),
    // Each answer is of its method's shape.
  } as unknown as CryptoWorker;
}

export async function createCoreFixture(): Promise<CoreFixture> {
  const vault = await MemoryVault.open();
  const clock = createFakeClock();
  let salt = 0;
  const self = {
    networkId: idFromBytes<NetworkId>(idOf(1)),
    userId: idFromBytes<UserId>(idOf(2)),
    deviceId: idFromBytes<DeviceId>(idOf(3)),
  };
  const policy: Policy = {
    networkId: self.networkId,
    networkName: "Harbour",
    version: 1,
    issuedAtMs: 0,
    maxExpirationSeconds: 365 * daySeconds,
    defaultExpirationSeconds: 7 * daySeconds,
    membersMayInvite: false,
  };
  const core = new Core({
    vault,
    worker: plainWorker(),
    clock,
    random: (sizeBytes) => {
      const bytes = new Uint8Array(sizeBytes);
      // As message ids begin.
      bytes[0] = 1;
      new DataView(bytes.buffer).setUint32(1, ++salt);
      return bytes;
    },
    self,
    policy,
    keptTime: { floorMs: 0, certainMs: null },
  });
  const conversationId = idFromBytes<ConversationId>(idOf(4));
  const peer = idFromBytes<UserId>(idOf(5));
  const changes = new Changes();
  changes.write(
    "conversation.create",
    conversationId,
    "active",
    "direct",
    peer,
    encodeRoomState({
      kind: "direct",
      name: "",
      administrators: [self.userId, peer],
      timers: { expirationSeconds: daySeconds, burnSeconds: null },
    }),
    encodeMembers([
      { userId: self.userId, deviceId: self.deviceId },
      { userId: peer, deviceId: idFromBytes<DeviceId>(idOf(6)) },
    ]),
    1,
    suiteNames.default,
    "",
    0,
    clock.now(),
  );
  await core.commit(changes);
  return { core, vault, clock, conversationId, peer };
}
