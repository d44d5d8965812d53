import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { SqlValue, Statement, Vault } from "../../../../electron/vault/index.ts";
import { isStorable } from "../../../../electron/vault/batch.ts";
import { frameAt, frameEnd } from "../../../../electron/vault/frames.ts";
import {
  startInlineCryptoWorker,
  type InlineCryptoWorker,
} from "../../../support/inline-crypto-worker.ts";
import { createVaultFixture, itemsOf, put } from "../../../support/vault-fixture.ts";

vi.setConfig({ testTimeout: 180_000 });

let worker: InlineCryptoWorker;
const directories = mkdtempSync(join(tmpdir(), "sotto-model-"));
beforeAll(async () => {
  worker = await startInlineCryptoWorker();
});
afterAll(async () => {
  await worker.dispose();
  rmSync(directories, { recursive: true, force: true });
});

type Items = ReadonlyMap<string, SqlValue>;
interface FrameState {
  readonly items: Items;
  readonly sequence: number;
  /** Of the end that closing in good order marks. */
  readonly isMark: boolean;
}
type Transaction = readonly Statement[];

const ids = fc.constantFrom("a", "b", "c", "d", "e");
const values: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Object.is(value, -0) && isStorable(value)),
  fc.string({ unit: "binary" }).filter(isStorable),
  fc.uint8Array({ maxLength: 3_000 }),
);
const statements: fc.Arbitrary<Statement> = fc.oneof(
  fc.record({ name: fc.constant("put"), params: fc.tuple(ids, values) }),
  // Fails when the id is taken.
  fc.record({ name: fc.constant("insert"), params: fc.tuple(ids, values) }),
  fc.record({ name: fc.constant("delete"), params: fc.tuple(ids) }),
  fc.constant({ name: "clear", params: [] }),
);
const transactions = fc.array(statements, { minLength: 1, maxLength: 4 });
const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("together" as const),
      work: fc.array(transactions, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "compact" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("crash" as const), cutBytes: fc.nat(400) }),
  },
);

/** What a transaction makes of the items; null: it fails. */
function after(items: Items, transaction: Transaction): Items | null {
  const next = new Map(items);
  for (const { name, params } of transaction) {
    const [id, value] = params as readonly [string, SqlValue];
    if (name === "insert" && next.has(id)) return null;
    if (name === "put" || name === "insert") next.set(id, value);
    else if (name === "delete") next.delete(id);
    else next.clear();
  }
  return next;
}

test("a vault holds what a map would, over failures, compactions, restarts, crashes and torn tails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 14 }), async (script) => {
      const fixture = createVaultFixture(worker);
      let directory = fixture.directory;
      let vault: Vault = await fixture.create();
      let items: Items = new Map();
      let sequence = 0;
      /** What there was before the present log, and after each of its frames. */
      let history: FrameState[] = [{ items, sequence, isMark: true }];

      const check = (found: Vault) => {
        expect(found.readOnly).toBeNull();
        expect(itemsOf(found)).toEqual(new Map([...items].sort()));
        expect(found.sequence).toBe(sequence);
      };
      for (const step of script) {
        switch (step.kind) {
          case "together": {
            const outcomes = await Promise.allSettled(
              step.work.map((work) => vault.transact(work)),
            );
            for (const [index, { status }] of outcomes.entries()) {
              const next = after(items, step.work[index]!);
              expect(status).toBe(next === null ? "rejected" : "fulfilled");
              items = next ?? items;
              if (next !== null) sequence += 1;
            }
            if (sequence > history.at(-1)!.sequence) {
              history.push({ items, sequence, isMark: false });
            }
            break;
          }
          case "compact":
            await vault.compact();
            history = [{ items, sequence, isMark: true }];
            break;
          case "reopen":
            await vault.close();
            vault = await fixture.open({ directory });
            if (!history.at(-1)!.isMark) history.push({ items, sequence, isMark: true });
            break;
          case "crash": {
            // A copy of the disk at this moment, of whose log perhaps the last bytes never arrived.
            const copy = mkdtempSync(join(directories, "vault-"));
            cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith("/lock") });
            await vault.close();
            const log = join(
              copy,
              readdirSync(copy).find((name) => name.startsWith("log."))!,
            );
            const bytes = new Uint8Array(readFileSync(log));
            const ends = [40];
            for (
              let frame = frameAt(bytes, 40);
              frame !== null;
              frame = frameAt(bytes, ends.at(-1)!)
            ) {
              ends.push(frameEnd(frame));
            }
            // Only what was not synced can be missing; as if the last sync had not happened.
            const cut = Math.max(ends.at(-2) ?? 40, ends.at(-1)! - step.cutBytes);
            if (step.cutBytes > 0) truncateSync(log, cut);
            if (cut < ends.at(-1)! && history.length > 1) history.pop();
            ({ items, sequence } = history.at(-1)!);
            directory = copy;
            vault = await fixture.open({ directory });
            break;
          }
        }
        check(vault);
      }
      await vault.transact([put("z", 1)]);
      await vault.close();
      fixture.remove();
    }),
    { numRuns: 40 },
  );
});
