import {
  createApplicationMessage,
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultCryptoProvider,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  processPrivateMessage,
  type CryptoProvider,
} from "ts-mls";
import { idFromBytes, type VaultId } from "#protocol";
import { capabilities } from "../../crypto/mls/client-config.ts";
import { openEntry, sealApplication } from "../../crypto/mls/group-messages.ts";
import type { GroupMemory } from "../../crypto/mls/memory.ts";
import { changedPieces } from "../../crypto/mls/pieces.ts";
import { sodiumCryptoProvider } from "../../crypto/mls/provider.ts";
import { suiteNames, type SuiteName } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { createKeyring } from "../../crypto/vault/exchange.ts";
import { createVaultSession } from "../../crypto/vault/vault-session.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  someTimers,
} from "../support/mls-device.ts";
import { somePlace } from "../support/vault-keys.ts";
import { createStoryNetwork, WorkerDevice } from "../support/worker-device.ts";
import { createSignalPair, type SignalPair } from "./signal-pair.ts";

/*
 * Seal and open of one 200-byte message: medians, by the size of the group. All are measured in turns in one run, so that a slow
 * moment of the machine meets them all; the ratios are what counts.
 *
 * - libsignal: encrypt and decrypt of Signal's own library between two devices; alternating, as two people talk (every message takes
 *   a new Diffie-Hellman step), and all one way (none does). Its sessions go to a store in memory as bytes.
 * - library: bare ts-mls, with its provider or ours.
 * - group functions: strict decoding, Padmé, sender and generation.
 * - with rows: that, and the changed rows of group state sealed for the vault.
 * - in its worker: through the worker's own dispatch, with every parameter and result cloned as a port would.
 */

const memberCounts = [2, 50, 500];
const messageBytes = 200;
const warmUps = 60;
const rounds = 300;
const message = new Uint8Array(messageBytes).fill(0x61);

interface Subject {
  readonly what: string;
  readonly members: number;
  readonly seal: () => Promise<Uint8Array>;
  readonly open: (bytes: Uint8Array) => Promise<unknown>;
}

interface Row {
  readonly subject: Subject;
  readonly sealMs: number[];
  readonly openMs: number[];
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

async function measureAll(subjects: readonly Subject[]): Promise<readonly Row[]> {
  const rows = subjects.map((subject): Row => ({ subject, sealMs: [], openMs: [] }));
  for (let round = -warmUps; round < rounds; round++) {
    for (const { subject, sealMs, openMs } of rows) {
      const begin = performance.now();
      const bytes = await subject.seal();
      const middle = performance.now();
      await subject.open(bytes);
      const end = performance.now();
      if (round < 0) continue;
      sealMs.push(middle - begin);
      openMs.push(end - middle);
    }
  }
  return rows;
}

function signalSubject(pair: SignalPair, what: string, alternates: boolean): Subject {
  let turn = 0;
  const sender = () => (alternates && turn % 2 === 1 ? "bob" : "alice");
  return {
    what,
    members: 2,
    seal: () => pair.encrypt(sender(), message),
    open: async (bytes) => {
      const receiver = sender() === "alice" ? "bob" : "alice";
      turn += 1;
      await pair.decrypt(receiver, bytes);
    },
  };
}

async function signalSubjects(): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const alternates of [true, false]) {
    const pair = await createSignalPair();
    if ("unavailable" in pair) {
      console.log(`libsignal is left out: it can't be loaded here. ${pair.unavailable}`);
      return [];
    }
    const what = `libsignal, ${alternates ? "alternating" : "one way"}`;
    subjects.push(signalSubject(pair, what, alternates));
  }
  return subjects;
}

async function librarySubject(
  what: string,
  provider: CryptoProvider,
  suite: SuiteName,
  members: number,
): Promise<Subject> {
  const impl = await getCiphersuiteImpl(getCiphersuiteFromName(suite), provider);
  const credential = (index: number) =>
    ({ credentialType: "basic", identity: new Uint8Array([index >> 8, index & 255]) }) as const;
  const create = (index: number) =>
    generateKeyPackage(credential(index), capabilities, defaultLifetime, [], impl);
  const founder = await create(0);
  const others = await Promise.all(
    Array.from({ length: members - 1 }, (_, index) => create(index + 1)),
  );
  const group = await createGroup(
    new Uint8Array(16),
    founder.publicPackage,
    founder.privatePackage,
    [],
    impl,
  );
  const { newState, welcome } = await createCommit(
    { state: group, cipherSuite: impl },
    {
      ratchetTreeExtension: true,
      extraProposals: others.map(({ publicPackage }) => ({
        proposalType: "add",
        add: { keyPackage: publicPackage },
      })),
    },
  );
  const last = others.at(-1);
  if (welcome === undefined || last === undefined) throw new Error("nobody was added");
  let sender = newState;
  let receiver = await joinGroup(
    welcome,
    last.publicPackage,
    last.privatePackage,
    emptyPskIndex,
    impl,
  );
  return {
    what,
    members,
    seal: async () => {
      const sent = await createApplicationMessage(sender, message, impl);
      sender = sent.newState;
      const { privateMessage } = sent;
      return encodeMlsMessage({
        version: "mls10",
        wireformat: "mls_private_message",
        privateMessage,
      });
    },
    open: async (bytes) => {
      const decoded = decodeMlsMessage(bytes, 0)?.[0];
      if (decoded?.wireformat !== "mls_private_message") throw new Error("not a private message");
      const opened = await processPrivateMessage(
        receiver,
        decoded.privateMessage,
        emptyPskIndex,
        impl,
      );
      receiver = opened.newState;
    },
  };
}

async function sottoSubject(what: string, suite: SuiteName, members: number): Promise<Subject> {
  const primitives = await loadPrimitives();
  const world = createMlsWorld(primitives, { suite });
  const id = conversationId(1);
  const founder = new MlsDevice(world);
  const others = Array.from({ length: members - 1 }, () => new MlsDevice(world));
  const last = others.at(-1);
  if (last === undefined) throw new Error("nobody to talk to");
  await groupOf(id, founder, others, { joining: [last] });
  const making = { primitives, passphraseCost: () => ({ passes: 1, memoryBytes: 8192 }), nowMs: 0 };
  const slot = { kind: "keychain", ...somePlace } as const;
  const vaultId = idFromBytes<VaultId>(primitives.random(16));
  const vault = createVaultSession(primitives, createKeyring(making, vaultId, [slot]));
  const sealRows = (before: GroupMemory, after: GroupMemory): void => {
    if (!what.includes("rows")) return;
    for (const { name, plain } of changedPieces(before, after)) {
      if (plain !== null) vault.sealPiece(id, name, plain);
    }
  };
  let sender = founder.memory(id);
  let receiver = last.memory(id);
  return {
    what,
    members,
    seal: async () => {
      const sealed = await sealApplication(sender, message, new Uint8Array(0));
      sealRows(sender, sealed.memory);
      sender = sealed.memory;
      return sealed.bytes;
    },
    open: async (bytes) => {
      const opened = await openEntry(receiver, id, bytes);
      if (opened.kind !== "application") throw new Error(opened.kind);
      sealRows(receiver, opened.memory);
      receiver = opened.memory;
    },
  };
}

async function workerSubject(): Promise<Subject> {
  const primitives = await loadPrimitives();
  const id = conversationId(1);
  const [alice, bob] = [await WorkerDevice.create(), await WorkerDevice.create()];
  const network = await createStoryNetwork(primitives, alice.worker);
  for (const device of [alice, bob]) await device.enter(network);
  for (const device of [alice, bob]) await device.meet(network, [alice, bob]);
  const suite = suiteNames.default;
  const roomState = {
    kind: "group",
    name: "Bench",
    administrators: [alice.userId],
    timers: someTimers,
  } as const;
  const params = { suite, conversationId: id, roomState };
  alice.store(await alice.worker.call("group.create", params));
  const prepared = await alice.worker.call("group.prepareCommit", {
    conversationId: id,
    addKeyPackages: [await bob.keyPackage()],
    removeDevices: [],
    roomState: null,
  });
  await alice.worker.call("group.settleCommit", { conversationId: id, accepted: true });
  await bob.join(id, prepared.welcome ?? new Uint8Array(0));
  const authenticatedData = new Uint8Array(0);
  return {
    what: "Sotto in its worker, X-Wing",
    members: 2,
    seal: async () => {
      const call = { conversationId: id, content: message, authenticatedData };
      return (await alice.worker.call("group.seal", call)).bytes;
    },
    open: async (bytes) => {
      const opened = await bob.worker.call("group.open", { conversationId: id, bytes });
      if (opened.kind !== "application") throw new Error(opened.kind);
    },
  };
}

const subjects: Subject[] = [...(await signalSubjects())];
for (const members of memberCounts) {
  const { aes128, default: xwing } = suiteNames;
  subjects.push(
    await librarySubject("library, its provider, suite 1", defaultCryptoProvider, aes128, members),
    await librarySubject("library, our provider, suite 1", sodiumCryptoProvider, aes128, members),
    await librarySubject("library, our provider, X-Wing", sodiumCryptoProvider, xwing, members),
    await sottoSubject("Sotto's group functions, suite 1", aes128, members),
    await sottoSubject("Sotto's group functions, X-Wing", xwing, members),
    await sottoSubject("Sotto with rows, X-Wing", xwing, members),
  );
  if (members === 2) subjects.push(await workerSubject());
}
const rows = await measureAll(subjects);

function totalOf({ sealMs, openMs }: Row): number {
  return median(sealMs) + median(openMs);
}

function ratio(row: Row, base: Row | undefined): string {
  return (base === undefined ? "-" : (totalOf(row) / totalOf(base)).toFixed(2)).padStart(8);
}

console.log(
  `${String(messageBytes)}-byte messages, median of ${String(rounds)}, milliseconds; then ratios`,
);
console.log(
  "members  what                                 seal    open    both  to libsignal alternating, one way, to its provider's, to itself at 2",
);
for (const row of rows) {
  const { what, members } = row.subject;
  console.log(
    [
      String(members).padStart(7),
      what.padEnd(34),
      median(row.sealMs).toFixed(3).padStart(6),
      median(row.openMs).toFixed(3).padStart(6),
      totalOf(row).toFixed(3).padStart(6),
      ...["libsignal, alternating", "libsignal, one way"].map((name) =>
        ratio(
          row,
          rows.find(({ subject }) => subject.what === name),
        ),
      ),
      ratio(
        row,
        rows.find(
          ({ subject }) => subject.what.includes("its provider") && subject.members === members,
        ),
      ),
      ratio(
        row,
        rows.find(({ subject }) => subject.what === what && subject.members === 2),
      ),
    ].join("  "),
  );
}
