import type { CryptoWorker, MessageId } from "#protocol";
import {
  createVault,
  openVault,
  type KeyDestruction,
  type Statement,
  type Vault,
  type VaultFiles,
} from "../../../electron/vault/index.ts";
import type { SeededRandom } from "../seeded.ts";
import { optionsFor } from "./image-check.ts";
import type { RecordingDisk } from "./recording-disk.ts";
import type {
  Expectation,
  LedgerTransaction,
  SealedBody,
  SlotSecrets,
  VaultMark,
} from "./vault-ledger.ts";

/** What can happen to a vault. */
export const lifeSteps = [
  "commit",
  "batch",
  "message",
  "compact",
  "destroy",
  "drop bucket",
  "set passphrase",
  "set recovery code",
  "remove slot",
  "renew keychain",
  "destroy, keychain denied",
  "reopen",
] as const;
export type LifeStep = (typeof lifeSteps)[number];

/** What a life is given. */
export interface LifeOptions {
  /** Left out: those of the disk. */
  readonly files?: VaultFiles;
  readonly disk: RecordingDisk<VaultMark>;
  readonly worker: CryptoWorker;
  readonly random: SeededRandom;
  /** What was there before. */
  readonly before: Expectation;
}

/** A vault that is used as its seed has it, and writes down what it is asked and what it acknowledges. */
export interface VaultLife {
  /** Opens the vault, or creates it. */
  begin(how: "create" | "open"): Promise<void>;
  run(step: LifeStep): Promise<void>;
  end(): Promise<void>;
}

const firstHour = 500_000;
const hours = 4;
const hourMs = 3_600_000;

export function createLife({ disk, worker, random, before, ...rest }: LifeOptions): VaultLife {
  const options = { ...optionsFor(disk, worker), ...rest };
  const bodies: SealedBody[] = before.bodies.map(({ body }) => body);
  const slots = new Map(before.slots);
  let opened: Vault | null = null;
  let droppedBefore = Math.max(firstHour, before.droppedBefore);

  const vault = (): Vault => {
    if (opened === null) throw new Error("the vault is not open");
    return opened;
  };
  const open = async (): Promise<void> => {
    opened = await openVault(options);
    const { readOnly, sequence } = opened;
    if (readOnly === null) disk.mark({ kind: "found", sequence });
  };
  /** What a vault has done is never done by one that says it can't write. */
  const acknowledge = (wasReadOnly: boolean, mark: VaultMark): void => {
    if (wasReadOnly) throw new Error("acknowledged by a read-only vault");
    disk.mark(mark);
  };
  const transact = async (puts: ReadonlyMap<string, string | Uint8Array>): Promise<void> => {
    const transaction: LedgerTransaction = { puts };
    const statements: Statement[] = Array.from(puts, ([id, value]) => ({
      name: "put",
      params: [id, value],
    }));
    const wasReadOnly = vault().readOnly !== null;
    disk.mark({ kind: "transaction", transaction });
    await vault().transact(statements);
    acknowledge(wasReadOnly, { kind: "acknowledged", count: 1 });
  };
  const somePuts = () => {
    const id = `item ${random.below(6)}`;
    // Some larger than a sector, or than a page.
    const sizeBytes = random.pick([0, 10, 100, 100, 700, 5_000]);
    return new Map<string, string | Uint8Array>([
      [id, random.bytes(sizeBytes)],
      ["last", `${id} ${random.below(2 ** 31)}`],
    ]);
  };
  const commit = () => transact(somePuts());

  const message = async (): Promise<void> => {
    const hour = droppedBefore + random.below(hours);
    const leaf = bodies.filter(({ item }) => hourOf(item.expiresAtMs) === hour).length;
    const item = {
      messageId: `message${hour}-${leaf}-${random.below(1_000_000)}` as MessageId,
      expiresAtMs: hour * hourMs + random.below(hourMs),
      leaf,
    };
    const plain = `body of ${item.messageId}`;
    const { sealed } = await worker.call("body.seal", {
      items: [{ ...item, plain: new TextEncoder().encode(plain) }],
    });
    const [first] = sealed;
    if (first === undefined) throw new Error("nothing was sealed");
    const body = { item, sealed: first, plain };
    bodies.push(body);
    disk.mark({ kind: "body", body });
    await transact(new Map([[`message ${random.below(8)}`, first]]));
  };
  const destroy = async (request: KeyDestruction): Promise<void> => {
    const wasReadOnly = vault().readOnly !== null;
    disk.mark({ kind: "destruction", request, isDone: false });
    await vault().destroyKeys(request);
    acknowledge(wasReadOnly, { kind: "destruction", request, isDone: true });
  };
  const destroySome = async (): Promise<void> => {
    if (bodies.length === 0) await message();
    const ending = Array.from({ length: 1 + random.below(3) }, () => random.pick(bodies).item);
    const leaves = ending.map(({ expiresAtMs, leaf }) => ({ hour: hourOf(expiresAtMs), leaf }));
    await destroy({ leaves, hoursBefore: null });
  };
  const dropBucket = async (): Promise<void> => {
    droppedBefore += 1;
    await destroy({ leaves: [], hoursBefore: droppedBefore });
  };
  /** `next`: what will open it, or as far as it is known before. */
  const changeSlot = async (
    kind: "passphrase" | "recovery-code",
    next: SlotSecrets[number],
    change: () => Promise<SlotSecrets[number]>,
  ): Promise<void> => {
    const mark = (secrets: SlotSecrets) => {
      disk.mark({ kind: "slot", slot: kind, secrets });
      slots.set(kind, secrets);
    };
    mark([...(slots.get(kind) ?? [null]), next]);
    mark([await change()]);
  };

  const steps: Readonly<Record<LifeStep, () => Promise<void>>> = {
    commit,
    async batch() {
      await together(Array.from({ length: 2 + random.below(4) }, () => commit));
    },
    message,
    async compact() {
      const meanwhile = Array.from({ length: random.below(3) }, () => commit);
      await together([() => vault().compact(), ...meanwhile]);
    },
    async destroy() {
      const meanwhile = Array.from({ length: random.below(2) }, () => commit);
      await together([destroySome, ...meanwhile]);
    },
    "drop bucket": dropBucket,
    async "set passphrase"() {
      const passphrase = `four unrelated words ${random.below(2 ** 31)}`;
      const slot = { kind: "passphrase", passphrase } as const;
      await changeSlot("passphrase", slot, async () => {
        await vault().setSlot(slot);
        return slot;
      });
    },
    async "set recovery code"() {
      await changeSlot("recovery-code", "unknown", async () => {
        const { recoveryCode } = await vault().setSlot({ kind: "recovery-code" });
        return { kind: "recovery-code", code: recoveryCode ?? "" };
      });
    },
    async "remove slot"() {
      const kind = random.pick(["passphrase", "recovery-code"] as const);
      const { slots: present } = await vault().facts();
      if (!present.some((slot) => slot.kind === kind)) return;
      await changeSlot(kind, null, async () => {
        await vault().removeSlot(kind);
        return null;
      });
    },
    async "renew keychain"() {
      await vault().renewKeychain();
    },
    async "destroy, keychain denied"() {
      // Twice in a row, and only the passphrase would open what is there: that is meant.
      if (vault().keychainState === "behind") await vault().renewKeychain();
      disk.isKeychainDenied = true;
      // Either it is done, and the keychain is behind, or it is refused.
      await destroySome().catch(() => undefined);
      disk.isKeychainDenied = false;
    },
    async reopen() {
      await opened?.close();
      opened = null;
      await open();
    },
  };

  return {
    async begin(how) {
      if (how === "create") {
        disk.mark({ kind: "creation", isDone: false });
        opened = await createVault(options);
        disk.mark({ kind: "creation", isDone: true });
      } else {
        await open();
      }
    },
    run: (step) => steps[step](),
    async end() {
      await opened?.close();
      opened = null;
    },
  };
}

/** All at once; fails when all have come to an end, if one of them failed. */
async function together(works: readonly (() => Promise<void>)[]): Promise<void> {
  const outcomes = await Promise.allSettled(works.map(async (work) => work()));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

function hourOf(expiresAtMs: number): number {
  return Math.floor(expiresAtMs / hourMs);
}
