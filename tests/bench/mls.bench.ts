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
import { conversationId, createMlsWorld, groupOf, MlsDevice } from "../support/mls-device.ts";
import { somePlace } from "../support/vault-keys.ts";

/*
 * Seal and open of one 200-byte message: medians, at 2, 50 and 500 members.
 * "Library" is bare ts-mls with one provider or the other; "Sotto" is what the crypto worker does for a message: strict decoding,
 * Padmé, sender and generation, and the changed row of group state sealed for the vault.
 */

const memberCounts = [2, 50, 500];
const messageBytes = 200;
const warmUps = 40;
const rounds = 200;
const message = new Uint8Array(messageBytes).fill(0x61);

interface Row {
  readonly what: string;
  readonly members: number;
  readonly sealMs: number;
  readonly openMs: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}

/** Runs both halves in turns, so that a slow moment of the machine meets both. */
async function measure(
  seal: () => Promise<Uint8Array>,
  open: (bytes: Uint8Array) => Promise<void>,
): Promise<{ readonly sealMs: number; readonly openMs: number }> {
  const [sealMs, openMs]: [number[], number[]] = [[], []];
  for (let round = -warmUps; round < rounds; round++) {
    const begin = performance.now();
    const bytes = await seal();
    const middle = performance.now();
    await open(bytes);
    const end = performance.now();
    if (round < 0) continue;
    sealMs.push(middle - begin);
    openMs.push(end - middle);
  }
  return { sealMs: median(sealMs), openMs: median(openMs) };
}

async function measureLibrary(
  what: string,
  provider: CryptoProvider,
  suite: SuiteName,
  members: number,
): Promise<Row> {
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
  const medians = await measure(
    async () => {
      const sent = await createApplicationMessage(sender, message, impl);
      sender = sent.newState;
      const { privateMessage } = sent;
      return encodeMlsMessage({
        version: "mls10",
        wireformat: "mls_private_message",
        privateMessage,
      });
    },
    async (bytes) => {
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
  );
  return { what, members, ...medians };
}

async function measureSotto(what: string, suite: SuiteName, members: number): Promise<Row> {
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
    for (const { name, plain } of changedPieces(before, after)) {
      if (plain !== null) vault.sealPiece(id, name, plain);
    }
  };
  let sender = founder.memory(id);
  let receiver = last.memory(id);
  const medians = await measure(
    async () => {
      const sealed = await sealApplication(sender, message, new Uint8Array(0));
      sealRows(sender, sealed.memory);
      sender = sealed.memory;
      return sealed.bytes;
    },
    async (bytes) => {
      const opened = await openEntry(receiver, id, bytes);
      if (opened.kind !== "application") throw new Error(opened.kind);
      sealRows(receiver, opened.memory);
      receiver = opened.memory;
    },
  );
  return { what, members, ...medians };
}

const rows: Row[] = [];
for (const members of memberCounts) {
  const { aes128, default: xwing } = suiteNames;
  rows.push(
    await measureLibrary("library, its provider, suite 1", defaultCryptoProvider, aes128, members),
    await measureLibrary("library, our provider, suite 1", sodiumCryptoProvider, aes128, members),
    await measureLibrary("library, our provider, X-Wing", sodiumCryptoProvider, xwing, members),
    await measureSotto("Sotto, suite 1", aes128, members),
    await measureSotto("Sotto, X-Wing", xwing, members),
  );
}

console.log(`${String(messageBytes)}-byte messages, median of ${String(rounds)}, milliseconds`);
console.log(
  "members  what                              seal    open    seal+open  of its provider's",
);
for (const { what, members, sealMs, openMs } of rows) {
  const base = rows.find((row) => row.members === members);
  const ratio = base === undefined ? NaN : (sealMs + openMs) / (base.sealMs + base.openMs);
  console.log(
    [
      String(members).padStart(7),
      what.padEnd(32),
      sealMs.toFixed(3).padStart(7),
      openMs.toFixed(3).padStart(7),
      (sealMs + openMs).toFixed(3).padStart(10),
      `${(ratio * 100).toFixed(0)} %`.padStart(8),
    ].join("  "),
  );
}
