import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AppError,
  encodeCbor,
  idFromBytes,
  type KeyringRecord,
  type KeySlot,
  type VaultId,
} from "#protocol";
import {
  decodeBatch,
  encodeBatch,
  isStorable,
  type Batch,
} from "../../../../electron/vault/batch.ts";
import { encodeFrame, frameAt } from "../../../../electron/vault/frames.ts";
import {
  checkGenerationHeader,
  encodeGenerationHeader,
} from "../../../../electron/vault/headers.ts";
import { decodeKeyring, encodeKeyring, slotFacts } from "../../../../electron/vault/keyring.ts";
import { sortNames } from "../../../../electron/vault/names.ts";

const bytes = (maxLength = 100) => fc.uint8Array({ maxLength });
const vaultIds = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => idFromBytes<VaultId>(id));

describe("frames", () => {
  test("come back as they were written, wherever they begin", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 300 }),
        fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        bytes(),
        bytes(),
        (sealed, number, before, after) => {
          const log = new Uint8Array([...before, ...encodeFrame(number, sealed), ...after]);
          expect(frameAt(log, before.length)).toEqual({ number, at: before.length, sealed });
        },
      ),
    );
  });

  test("of impossible lengths are none", () => {
    fc.assert(
      fc.property(bytes(40), fc.nat(45), (log, at) => {
        const frame = frameAt(log, at);
        if (frame !== null) {
          expect(frame.at + 8 + frame.sealed.length).toBeLessThanOrEqual(log.length);
        }
      }),
    );
    expect(frameAt(new Uint8Array(8), 0)).toBeNull();
    expect(() => encodeFrame(1, new Uint8Array(15))).toThrow(AppError);
  });
});

describe("batches", () => {
  const values = fc.oneof(
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isStorable),
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme" }).filter(isStorable),
    bytes(),
  );
  const batches = fc.record({
    snapshotTag: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 })),
    sequence: fc.maxSafeInteger().map(Math.abs),
    newTexts: fc.array(fc.string()),
    transactions: fc.array(
      fc.array(
        fc.tuple(fc.nat(), fc.array(values)).map(([sql, params]) => [sql, ...params] as const),
      ),
    ),
  });

  test("come back as they were, and the same batch always gives the same bytes", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const plain = encodeBatch(batch);
        const back = decodeBatch(plain);
        // -0 is stored as 0, as SQLite does.
        expect(back.newTexts).toEqual(batch.newTexts);
        expect(encodeBatch(back)).toEqual(plain);
        expect(back.transactions.flat(2).map((value) => (value === 0 ? 0 : value))).toEqual(
          batch.transactions.flat(2).map((value) => (value === 0 ? 0 : value)),
        );
      }),
    );
  });

  test("are the CBOR that is used everywhere else, whatever room was guessed", () => {
    fc.assert(
      fc.property(batches, fc.nat(2000), (batch, sizeBytes) => {
        const { snapshotTag, sequence, newTexts, transactions } = batch;
        const items = [snapshotTag, sequence, newTexts, transactions];
        expect(encodeBatch(batch, sizeBytes)).toEqual(encodeCbor(items));
      }),
    );
    const numbers = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
    const signed = numbers.flatMap((value) => [value, -value, -1 - value, value + 0.5]);
    for (const value of signed.filter((each) => isStorable(each))) {
      const transactions: Batch["transactions"] = [[[0, value]]];
      const batch = { snapshotTag: null, sequence: 0, newTexts: [], transactions };
      expect(encodeBatch(batch)).toEqual(encodeCbor([null, 0, [], [[[0, value]]]]));
    }
    const broken = { snapshotTag: null, sequence: 0, newTexts: ["\ud800"], transactions: [] };
    expect(() => encodeBatch(broken)).toThrow(AppError);
  });

  test("that are malformed are refused with a code", () => {
    fc.assert(
      fc.property(bytes(200), (plain) => {
        try {
          decodeBatch(plain);
        } catch (error) {
          expect(error).toMatchObject({ code: "frame-malformed" });
        }
      }),
    );
  });
});

describe("headers", () => {
  test("name kind, vault and generation, and nothing else passes for them", () => {
    fc.assert(
      fc.property(
        vaultIds,
        fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        fc.nat(39),
        fc.nat(7),
        (vaultId, generation, at, bit) => {
          const header = encodeGenerationHeader("log", vaultId, generation);
          expect(checkGenerationHeader(header, { kind: "log", vaultId, generation })).toBe(true);
          expect(checkGenerationHeader(header, { kind: "snapshot", vaultId, generation })).toBe(
            false,
          );
          expect(
            checkGenerationHeader(header, { kind: "log", vaultId, generation: generation - 1 }),
          ).toBe(false);
          header[at]! ^= 1 << bit;
          expect(checkGenerationHeader(header, { kind: "log", vaultId, generation })).toBe(false);
        },
      ),
    );
  });
});

describe("the keyring", () => {
  const sized = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const text = fc.string({ maxLength: 50 });
  const sealedVaultKey = {
    publicKey: sized(1216),
    kemOutput: sized(1120),
    ciphertext: bytes(64),
  };
  const keychain = fc.record({
    kind: fc.constant("keychain" as const),
    account: text,
    backend: text,
    application: text,
    user: text,
    path: text,
    keyCheck: bytes(64),
  });
  const passphrase = fc.record({
    kind: fc.constant("passphrase" as const),
    createdAtMs: fc.nat(),
    salt: bytes(64),
    passes: fc.nat(),
    memoryBytes: fc.nat(),
    sealedPrivateKey: bytes(),
    ...sealedVaultKey,
  });
  const recoveryCode = fc.record({
    kind: fc.constant("recovery-code" as const),
    createdAtMs: fc.nat(),
    salt: bytes(64),
    ...sealedVaultKey,
  });
  const organisation = fc.record({
    kind: fc.constant("organisation" as const),
    createdAtMs: fc.nat(),
    ...sealedVaultKey,
  });
  const slots: fc.Arbitrary<KeySlot[]> = fc
    .tuple(
      fc.option(keychain),
      fc.option(passphrase),
      fc.option(recoveryCode),
      fc.option(organisation),
    )
    .map((made) => made.filter((slot) => slot !== null))
    .filter((made) => made.length > 0);
  const records: fc.Arbitrary<KeyringRecord> = fc.record({
    vaultId: vaultIds,
    revision: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
    slots,
    sealedKeyring: bytes(),
  });

  test("comes back as it was, and is canonical", () => {
    fc.assert(
      fc.property(records, (record) => {
        const file = encodeKeyring(record);
        expect(decodeKeyring(file)).toEqual(record);
        expect(encodeKeyring(decodeKeyring(file))).toEqual(file);
      }),
      { numRuns: 50 },
    );
  });

  test("with two slots of a kind, no slot or no revision is none", () => {
    fc.assert(
      fc.property(records, ({ slots: [first], ...rest }) => {
        for (const wrong of [
          { ...rest, slots: [first!, first!] },
          { ...rest, slots: [] },
          { ...rest, slots: [first!], revision: 0 },
          { ...rest, slots: [first!], revision: 2 ** 48 },
        ]) {
          expect(() => decodeKeyring(encodeKeyring(wrong))).toThrow("vault-damaged");
        }
      }),
      { numRuns: 20 },
    );
  });

  test("says nothing secret of its slots", () => {
    fc.assert(
      fc.property(slots, (made) => {
        for (const slot of made) {
          const names = Object.keys(slotFacts(slot));
          for (const secret of [
            "keyCheck",
            "salt",
            "kemOutput",
            "ciphertext",
            "sealedPrivateKey",
          ]) {
            expect(names).not.toContain(secret);
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});

test("names of other files are passed over, whatever they resemble", () => {
  const foreign = [
    "log",
    "log.",
    "log.0",
    "log.01",
    "log.-1",
    "log.1x",
    "xlog.1",
    "snapshot.1.bak",
    "blobs",
    "keyring~",
  ];
  expect(sortNames(foreign)).toEqual({
    hasKeyring: false,
    isBeingCreated: false,
    isBeingErased: false,
    logs: [],
    snapshots: [],
    temporary: [],
  });
  expect(sortNames(["log.10", "log.9", "snapshot.2", "keyring", "log.3.new", "creating"])).toEqual({
    hasKeyring: true,
    isBeingCreated: true,
    isBeingErased: false,
    logs: [9, 10],
    snapshots: [2],
    temporary: ["log.3.new"],
  });
});
