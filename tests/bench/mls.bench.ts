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
import type { GroupWrites } from "#protocol";
import { capabilities } from "../../crypto/mls/client-config.ts";
import { openEntry, sealApplication } from "../../crypto/mls/group-messages.ts";
import type { GroupMemory } from "../../crypto/mls/memory.ts";
import { sodiumCryptoProvider } from "../../crypto/mls/provider.ts";
import { suiteNames, type SuiteName } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import { conversationId, createMlsWorld, groupOf, MlsDevice } from "../support/mls-device.ts";
import { judge, type Bound } from "./bounds.ts";
import { createSignalPair, type SignalPair } from "./signal-pair.ts";
import { median } from "./vault/measure.ts";
import { createRowSealer, openVaultLog } from "./vault-log.ts";
import { createWorkerPair } from "./worker-pair.ts";

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
 *
 * With what a message writes: the sealed rows of group state, and by how much a vault's log on the disk grows when they are committed
 * there alone. It fails where a bound isn't held.
 */

const memberCounts = [2, 50, 500];
const messageBytes = 200;
const warmUps = 60;
const rounds = 300;
const message = new Uint8Array(messageBytes).fill(0x61);
const id = conversationId(1);
/** A message of ours takes at most so many times what libsignal's does, when two people alternate. */
const atMostOfSignal = 1;
/** And in the largest group so many times what it takes between two. */
const atMostOfTwo = 1.2;

interface Subject {
  readonly what: string;
  readonly members: number;
  readonly seal: () => Promise<Uint8Array>;
  readonly open: (bytes: Uint8Array) => Promise<unknown>;
  /** What the last step of it stores. */
  readonly writes?: () => GroupWrites;
}

interface Row {
  readonly subject: Subject;
  readonly sealMs: number[];
  readonly openMs: number[];
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
  const founder = new MlsDevice(world);
  const others = Array.from({ length: members - 1 }, () => new MlsDevice(world));
  const last = others.at(-1);
  if (last === undefined) throw new Error("nobody to talk to");
  await groupOf(id, founder, others, { joining: [last] });
  const sealRows = createRowSealer(primitives);
  let writes: GroupWrites = { conversationId: id, pieces: [] };
  const store = (before: GroupMemory, after: GroupMemory): void => {
    if (what.includes("rows")) writes = { ...writes, pieces: sealRows(id, before, after) };
  };
  let sender = founder.memory(id);
  let receiver = last.memory(id);
  return {
    what,
    members,
    seal: async () => {
      const sealed = await sealApplication(sender, message, new Uint8Array(0));
      store(sender, sealed.memory);
      sender = sealed.memory;
      return sealed.bytes;
    },
    open: async (bytes) => {
      const opened = await openEntry(receiver, id, bytes);
      if (opened.kind !== "application") throw new Error(opened.kind);
      store(receiver, opened.memory);
      receiver = opened.memory;
    },
    ...(what.includes("rows") ? { writes: () => writes } : {}),
  };
}

async function workerSubject(members: number): Promise<Subject> {
  const pair = await createWorkerPair(id, members);
  let writes: GroupWrites = { conversationId: id, pieces: [] };
  return {
    what: "Sotto in its worker, X-Wing",
    members,
    seal: async () => {
      const sealed = await pair.seal(message);
      writes = sealed.writes;
      return sealed.bytes;
    },
    open: async (bytes) => {
      writes = await pair.open(bytes);
    },
    writes: () => writes,
  };
}

/** What a message writes in all, at both ends: bytes of sealed rows, and of the vault's log; medians. */
async function writtenBy({ seal, open, writes }: Subject): Promise<readonly number[]> {
  if (writes === undefined) return [];
  const log = await openVaultLog();
  const [rowBytes, logBytes]: [number[], number[]] = [[], []];
  for (let round = 0; round < 9; round++) {
    const bytes = await seal();
    const steps = [writes()];
    await open(bytes);
    steps.push(writes());
    const pieces = steps.flatMap((step) => step.pieces);
    rowBytes.push(pieces.reduce((sum, { sealed }) => sum + (sealed?.length ?? 0), 0));
    let grown = 0;
    for (const step of steps) grown += await log.write(step);
    logBytes.push(grown);
  }
  await log.close();
  return [median(rowBytes), median(logBytes)];
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
  if (members !== 50) subjects.push(await workerSubject(members));
}
const rows = await measureAll(subjects);

function totalOf({ sealMs, openMs }: Row): number {
  return median(sealMs) + median(openMs);
}

function ratio(row: Row, base: Row | undefined): number {
  return base === undefined ? NaN : totalOf(row) / totalOf(base);
}

function rowOf(what: string, members = 2): Row | undefined {
  return rows.find(({ subject }) => subject.what === what && subject.members === members);
}

function shown(value: number | undefined, digits: number, width: number): string {
  const known = value !== undefined && !Number.isNaN(value);
  return (known ? value.toFixed(digits) : "-").padStart(width);
}

const alternating = rowOf("libsignal, alternating");
console.log(
  `${String(messageBytes)}-byte messages, median of ${String(rounds)}, milliseconds; then ratios; then bytes that a message writes, at both ends together: sealed rows, and the vault's log for these rows`,
);
console.log(
  `members  ${"what".padEnd(34)}    seal    open    both  /signal  one way  /theirs  /at two    rows     log`,
);
for (const row of rows) {
  const { what, members } = row.subject;
  const [rowBytes, logBytes] = await writtenBy(row.subject);
  console.log(
    [
      String(members).padStart(7),
      what.padEnd(34),
      ...[median(row.sealMs), median(row.openMs), totalOf(row)].map((ms) => shown(ms, 3, 6)),
      ...[
        ratio(row, alternating),
        ratio(row, rowOf("libsignal, one way")),
        ratio(row, rowOf("library, its provider, suite 1", members)),
        ratio(row, rowOf(what)),
      ].map((value) => shown(value, 2, 7)),
      shown(rowBytes, 0, 6),
      shown(logBytes, 0, 6),
    ].join("  "),
  );
}
console.log(
  "/signal: to libsignal when two alternate; one way: to libsignal when one alone speaks; /theirs: to ts-mls with its own provider; /at two: to itself between two",
);

judge(
  rows.flatMap((row): readonly Bound[] => {
    const { what, members } = row.subject;
    if (!what.startsWith("Sotto")) return [];
    const name = `${what}, ${String(members)} members`;
    if (members === 2) {
      const signal = { ratio: ratio(row, alternating), atMost: atMostOfSignal };
      return [{ what: `${name}, to libsignal alternating`, ...signal }];
    }
    if (members !== Math.max(...memberCounts)) return [];
    return [
      { what: `${name}, to itself at 2`, ratio: ratio(row, rowOf(what)), atMost: atMostOfTwo },
    ];
  }),
);
