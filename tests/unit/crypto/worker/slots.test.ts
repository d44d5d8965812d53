import { describe, expect, test } from "vitest";
import { toHex, type KeyringChange, type KeyringRecord, type VaultSecret } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { measurePassphraseCost } from "../../../../crypto/vault/slots/passphrase-cost.ts";
import { ensure } from "../../../support/ensure.ts";
import { somePlace, VaultKeys } from "../../../support/vault-keys.ts";
import { sealFrame } from "../../../support/seal-frame.ts";

const primitives = await loadPrimitives();
const passphrase = "correct horse battery staple";
const administrator = primitives.random(32);
const organisationKey = primitives.xwing.publicKeyOf(administrator);

function kindsOf({ slots }: KeyringRecord): readonly string[] {
  return slots.map(({ kind }) => kind);
}

function organisation(): VaultSecret {
  return { kind: "organisation", privateKey: administrator.slice() };
}

async function refusal(keys: VaultKeys, changes: readonly KeyringChange[]): Promise<unknown> {
  const { record } = keys;
  const error: unknown = await keys.exchange(changes).catch((caught: unknown) => caught);
  expect(keys.record).toBe(record);
  return error;
}

describe("a passphrase slot", () => {
  test("opens, however the characters of the passphrase are composed", async () => {
    const keys = await VaultKeys.create({
      keychain: null,
      passphrase: "caf\u00e9 au lait und mehr",
    });
    expect(kindsOf(keys.record)).toEqual(["passphrase"]);
    await keys.reopen(keys.record, {
      kind: "passphrase",
      passphrase: "cafe\u0301 au lait und mehr",
    });
    expect(await keys.worker.call("vault.compareKeychain", { entries: [null, null] })).toEqual({
      state: "none",
    });
    const check = async (typed: string) =>
      (await keys.worker.call("vault.checkPassphrase", { passphrase: typed })).isRight;
    expect(await check("cafe\u0301 au lait und mehr")).toBe(true);
    expect(await check("cafe au lait und mehr")).toBe(false);
  });

  test("opens for nothing else, and not when it was tampered with", async () => {
    const keys = await VaultKeys.create({ keychain: null, passphrase });
    const { record } = keys;
    const [slot] = record.slots;
    if (slot?.kind !== "passphrase") throw new Error("no such slot");
    const flip = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte));
    const attempts: readonly (readonly [Partial<typeof slot>, string, string])[] = [
      [{}, `${passphrase} `, "passphrase-wrong"],
      [{}, "", "passphrase-wrong"],
      [{ passes: slot.passes + 1 }, passphrase, "passphrase-wrong"],
      [{ sealedPrivateKey: flip(slot.sealedPrivateKey) }, passphrase, "passphrase-wrong"],
      [{ passes: 1_000_000 }, passphrase, "vault-damaged"],
      [{ memoryBytes: 2 ** 40 }, passphrase, "vault-damaged"],
      [{ salt: new Uint8Array(3) }, passphrase, "vault-damaged"],
      [{ ciphertext: flip(slot.ciphertext) }, passphrase, "vault-damaged"],
      [{ kemOutput: flip(slot.kemOutput) }, passphrase, "vault-damaged"],
      [{ kemOutput: new Uint8Array(4) }, passphrase, "vault-damaged"],
      [{ publicKey: organisationKey }, passphrase, "vault-damaged"],
      [{ createdAtMs: 0 }, passphrase, "vault-damaged"],
    ];
    for (const [changed, typed, code] of attempts) {
      const damaged = { ...record, slots: [{ ...slot, ...changed }] };
      const outcome = keys.unlock({ kind: "passphrase", passphrase: typed }, damaged);
      await expect(outcome, JSON.stringify(Object.keys(changed))).rejects.toMatchObject({ code });
    }
  });

  test.each(["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababababab"])(
    "isn't made for the weak passphrase %j",
    async (weak) => {
      await expect(VaultKeys.create({ passphrase: weak })).rejects.toMatchObject({
        code: "passphrase-weak",
      });
      const keys = await VaultKeys.create();
      const slot = { kind: "passphrase", passphrase: weak } as const;
      expect(await refusal(keys, [{ kind: "set-slot", slot }])).toMatchObject({
        code: "passphrase-weak",
      });
      await keys.exchange([]);
    },
  );

  test("is replaced by another passphrase, and opens later keyrings without being asked", async () => {
    const keys = await VaultKeys.create({ passphrase });
    await keys.exchange([]);
    await keys.reopen(keys.record, { kind: "passphrase", passphrase });
    await keys.worker.call("vault.compareKeychain", { entries: keys.entries });
    const other = "another one, longer still";
    await keys.exchange([{ kind: "set-slot", slot: { kind: "passphrase", passphrase: other } }]);
    expect(kindsOf(keys.record)).toEqual(["keychain", "passphrase"]);
    await keys.reopen(keys.record, { kind: "passphrase", passphrase: other });
    await expect(keys.unlock({ kind: "passphrase", passphrase })).rejects.toMatchObject({
      code: "passphrase-wrong",
    });
  });

  test("costs 128 MiB and as many passes as make about a second", () => {
    const costAt = (msPerPass: number, firstMs = msPerPass) => {
      let nowMs = 0;
      let next = firstMs;
      const stretch = () => {
        nowMs += next;
        next = msPerPass;
        return new Uint8Array(32);
      };
      return measurePassphraseCost(stretch, () => nowMs);
    };
    const memoryBytes = 128 * 1024 * 1024;
    expect(costAt(250)).toEqual({ passes: 4, memoryBytes });
    expect(costAt(250, 1100)).toEqual({ passes: 4, memoryBytes });
    expect(costAt(20)).toEqual({ passes: 12, memoryBytes });
    expect(costAt(3000)).toEqual({ passes: 2, memoryBytes });
    expect(costAt(0)).toEqual({ passes: 2, memoryBytes });
  });
});

describe("a recovery slot", () => {
  const set: KeyringChange = { kind: "set-slot", slot: { kind: "recovery-code" } };

  test("opens with its code as it is typed, and nothing else", async () => {
    const keys = await VaultKeys.create();
    const code = ensure(await keys.exchange([set]));
    expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/u);
    const unlock = (typed: string) =>
      keys.reopen(keys.record, { kind: "recovery-code", code: typed });
    await unlock(code);
    await unlock(` ${code.toLowerCase().replaceAll("-", " ")}\n`);
    await unlock(code.replaceAll("0", "O").replaceAll("1", "l"));
    const other = ensure(await (await VaultKeys.create()).exchange([set]));
    for (const wrong of ["", code.slice(0, -1), `${code}0`, code.replace(/.$/u, "U"), other]) {
      await expect(unlock(wrong)).rejects.toMatchObject({ code: "recovery-code-wrong" });
    }
  });

  test("notices one mistyped character, wherever it stands", async () => {
    const keys = await VaultKeys.create();
    const code = ensure(await keys.exchange([set]));
    for (let at = 0; at < code.length; at++) {
      if (code[at] === "-") continue;
      const wrong = code.slice(0, at) + (code[at] === "7" ? "8" : "7") + code.slice(at + 1);
      await expect(keys.unlock({ kind: "recovery-code", code: wrong })).rejects.toMatchObject({
        code: "recovery-code-wrong",
      });
    }
  });

  test("opens later keyrings, until another code takes its place", async () => {
    const keys = await VaultKeys.create();
    const first = ensure(await keys.exchange([set]));
    await keys.exchange([]);
    await keys.unlock({ kind: "recovery-code", code: first });
    await keys.worker.call("vault.compareKeychain", { entries: keys.entries });
    const second = ensure(await keys.exchange([set]));
    expect(second).not.toBe(first);
    await keys.unlock({ kind: "recovery-code", code: second });
    await expect(keys.unlock({ kind: "recovery-code", code: first })).rejects.toMatchObject({
      code: "recovery-code-wrong",
    });
  });
});

describe("an organisation slot", () => {
  const set: KeyringChange = {
    kind: "set-slot",
    slot: { kind: "organisation", publicKey: organisationKey },
  };

  test("opens with the administrator's private key alone", async () => {
    const keys = await VaultKeys.create();
    await keys.exchange([set]);
    await keys.exchange([]);
    await keys.reopen(keys.record, organisation());
    const wrong: VaultSecret = { kind: "organisation", privateKey: primitives.random(32) };
    await expect(keys.unlock(wrong)).rejects.toMatchObject({ code: "vault-key-wrong" });
  });

  test("isn't made for what isn't a public key", async () => {
    const keys = await VaultKeys.create();
    const slot = { kind: "organisation", publicKey: new Uint8Array(1215) } as const;
    expect(await refusal(keys, [{ kind: "set-slot", slot }])).toMatchObject({
      code: "argument-invalid",
    });
    await keys.exchange([]);
  });
});

describe("slots", () => {
  test("stand beside each other, at most one of a kind, and each opens the same vault", async () => {
    const keys = await VaultKeys.create({ passphrase });
    const code = await keys.exchange([
      { kind: "set-slot", slot: { kind: "organisation", publicKey: organisationKey } },
      { kind: "set-slot", slot: { kind: "recovery-code" } },
    ]);
    expect(kindsOf(keys.record)).toEqual([
      "keychain",
      "passphrase",
      "recovery-code",
      "organisation",
    ]);
    const purpose = { generation: 1, sequence: 1, previousTag: new Uint8Array(0) };
    const plain = Uint8Array.of(1, 2, 3);
    const sealed = await sealFrame(keys.worker, purpose, plain);
    for (const secret of [
      { kind: "keychain", entries: keys.entries },
      { kind: "passphrase", passphrase },
      { kind: "recovery-code", code: ensure(code) },
      organisation(),
    ] as const) {
      await keys.reopen(keys.record, secret);
      expect(
        await keys.worker.call("vault.openFrames", {
          generation: 1,
          firstSequence: 1,
          previousTag: new Uint8Array(0),
          frames: [sealed],
        }),
      ).toEqual({ plains: [plain], damagedAt: null });
    }
  });

  test("are taken away, but never the last one, and never one that isn't there", async () => {
    const keys = await VaultKeys.create({ passphrase });
    await keys.exchange([{ kind: "remove-slot", slot: "passphrase" }]);
    expect(kindsOf(keys.record)).toEqual(["keychain"]);
    await expect(keys.unlock({ kind: "passphrase", passphrase })).rejects.toMatchObject({
      code: "argument-invalid",
    });
    await keys.reopen();
    await expect(keys.worker.call("vault.checkPassphrase", { passphrase })).rejects.toMatchObject({
      code: "argument-invalid",
    });
    for (const slot of ["passphrase", "keychain"] as const) {
      expect(await refusal(keys, [{ kind: "remove-slot", slot }])).toMatchObject({
        code: "argument-invalid",
      });
    }
    await keys.exchange([]);
  });

  test("of a keychain come to a vault that had none, its entries written first", async () => {
    const keys = await VaultKeys.create({ keychain: null, passphrase });
    const { keychainKeys } = await keys.worker.call("vault.keychainKeys", {});
    keys.entries = keychainKeys;
    await keys.exchange([{ kind: "set-slot", slot: { kind: "keychain", ...somePlace } }]);
    expect(kindsOf(keys.record)).toEqual(["keychain", "passphrase"]);
    await keys.reopen();
    const moved = { ...somePlace, path: "/moved", backend: "another" };
    await keys.exchange([{ kind: "set-slot", slot: { kind: "keychain", ...moved } }]);
    expect(keys.record.slots[0]).toMatchObject(moved);
    await keys.reopen();
  });

  test("of a keychain that is left: what it still holds is no key of the vault", async () => {
    const keys = await VaultKeys.create({ passphrase });
    const { entries } = keys;
    await keys.exchange([{ kind: "remove-slot", slot: "keychain" }]);
    const { keychainKeys } = await keys.worker.call("vault.keychainKeys", {});
    const left = entries.map((entry) => toHex(ensure(entry)));
    for (const key of keychainKeys) expect(left).not.toContain(toHex(key));
  });

  test("hold another wrap after each exchange", async () => {
    const keys = await VaultKeys.create({ passphrase });
    const wraps = () =>
      keys.record.slots.map((slot) =>
        toHex(slot.kind === "keychain" ? slot.keyCheck : slot.ciphertext),
      );
    const before = wraps();
    await keys.exchange([]);
    for (const [at, wrap] of wraps().entries()) expect(wrap).not.toBe(before[at]);
  });
});
