import { describe, expect, test, vi } from "vitest";
import { AppError, type BodyItem, type MessageId } from "#protocol";
import { loadPrimitives } from "../../../../crypto/primitives/index.ts";
import { createMessageKeys } from "../../../../crypto/vault/message-keys.ts";
import { unlockKeyring } from "../../../../crypto/vault/unlock.ts";
import { createVault, openVault, type Vault } from "../../../../electron/vault/index.ts";
import { createSealingWorker } from "../../../support/sealing-worker.ts";
import { optionsFor, vaultDirectory } from "../../../support/vault-disk/image-check.ts";
import { emptyDisk, type DiskImage } from "../../../support/vault-disk/operations.ts";
import {
  createRecordingDisk,
  type RecordingDisk,
} from "../../../support/vault-disk/recording-disk.ts";
import { put } from "../../../support/vault-fixture.ts";
import {
  bodyKeyOf,
  entriesOf,
  filesWith,
  keyringOf,
  tryAll,
} from "../../../support/vault-image.ts";

vi.setConfig({ testTimeout: 120_000 });

const primitives = await loadPrimitives();
const passphrase = "four unrelated words here";
const hour = 500_000;
const hourMs = 3_600_000;

function itemOf(leaf: number, at = hour): BodyItem {
  const messageId = `message${String(leaf).padStart(15, "0")}` as MessageId;
  return { messageId, expiresAtMs: at * hourMs + 1, leaf };
}

/** Clear text that is found wherever it lies. */
function plainOf(leaf: number): Uint8Array {
  return new TextEncoder().encode(`This is said once, and to nobody else: number ${leaf}.`);
}

interface Story {
  readonly disk: RecordingDisk<never>;
  readonly vault: Vault;
  readonly sealed: readonly Uint8Array[];
  /** Opens bodies in the vault as it is unlocked now; null for those that are gone. */
  open(leaves: readonly number[]): Promise<readonly (string | null)[]>;
}

/** A vault with so many messages that end in the same hour. */
async function begin(count: number, options: { passphrase?: string } = {}): Promise<Story> {
  const disk = createRecordingDisk<never>(emptyDisk("/disk"));
  const worker = createSealingWorker();
  const vault = await createVault({
    ...optionsFor(disk, worker),
    passphrase: options.passphrase ?? null,
  });
  const items = Array.from({ length: count }, (_, leaf) => itemOf(leaf));
  const { sealed } = await worker.call("body.seal", {
    items: items.map((item) => ({ ...item, plain: plainOf(item.leaf) })),
  });
  // Half in the snapshot, half in the log.
  const bodies = sealed.map((body, leaf) => put(`message ${leaf}`, body));
  await vault.transact(bodies.slice(0, Math.ceil(count / 2)));
  await vault.compact();
  await vault.transact(bodies.slice(Math.ceil(count / 2)));
  return {
    disk,
    vault,
    sealed,
    async open(leaves) {
      const { plains } = await worker.call("body.open", {
        items: leaves.map((leaf) => ({
          ...itemOf(leaf),
          sealed: sealed[leaf] ?? new Uint8Array(),
        })),
      });
      return plains.map((plain) => (plain === null ? null : new TextDecoder().decode(plain)));
    },
  };
}

/** The message's row goes, then its key. */
async function end({ vault }: Story, leaf: number): Promise<void> {
  await vault.transact([{ name: "delete", params: [`message ${leaf}`] }]);
  await vault.destroyKeys({ leaves: [{ hour, leaf }], hoursBefore: null });
}

/** The image that somebody kept, beside the keychain as it is now. */
async function openOld(image: DiskImage, keychain: DiskImage): Promise<string> {
  const disk = createRecordingDisk<never>({ ...image, entries: keychain.entries });
  try {
    const vault = await openVault(optionsFor(disk, createSealingWorker()));
    await vault.close();
    return "opened";
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** The directory without its lock, which belongs to a process. */
function imageOf({ disk }: Story): DiskImage {
  const image = disk.image();
  const files = new Map(image.files);
  files.delete(`${vaultDirectory}/lock`);
  return { ...image, files };
}

describe("a message that has ended", () => {
  test("can't be opened from an image of the directory with the keychain as it is afterwards", async () => {
    const story = await begin(10);
    const before = imageOf(story);
    // Before its end that image and that keychain are the vault.
    expect(await openOld(before, before)).toBe("opened");
    expect(tryAll(primitives, keyringOf(before), entriesOf(before))).toBeGreaterThan(0);

    await end(story, 7);
    const after = imageOf(story);
    expect(await openOld(before, after)).toBe("vault-rolled-back");
    expect(tryAll(primitives, keyringOf(before), entriesOf(after))).toBe(0);
    // Nor with what the running vault has in memory.
    expect(await story.open([7])).toEqual([null]);
    expect(await openOld(after, after)).toBe("opened");
    await story.vault.close();
  });

  test("can't be opened by a keychain that was kept, with the directory as it is afterwards", async () => {
    const story = await begin(3);
    const before = imageOf(story);
    await end(story, 1);
    const after = imageOf(story);
    // The key that was prepared opens what came next, as an exchange that is cut short needs it: but the message's key isn't in there.
    expect(await openOld(after, before)).toBe("opened");
    expect(() => bodyKeyOf(primitives, after, itemOf(1))).toThrow("no such leaf");
    await end(story, 2);
    expect(await openOld(imageOf(story), before)).toBe("vault-key-wrong");
    await story.vault.close();
  });

  test("leaves no clear text and no key in any file, before or after", async () => {
    const story = await begin(4);
    const images = [imageOf(story)];
    const needles = [2, 3].flatMap((leaf) => [
      plainOf(leaf),
      bodyKeyOf(primitives, imageOf(story), itemOf(leaf)),
    ]);
    for (const key of entriesOf(imageOf(story))) if (key !== null) needles.push(key);
    await end(story, 2);
    images.push(imageOf(story));
    await story.vault.destroyKeys({ leaves: [], hoursBefore: hour + 1 });
    images.push(imageOf(story));
    await story.vault.compact();
    images.push(imageOf(story));
    await story.vault.close();
    images.push(imageOf(story));
    for (const image of images) {
      for (const needle of needles) expect(filesWith(image, needle)).toEqual([]);
    }
    // What is looked for can be found: the scan sees a file that holds it.
    const [needle = new Uint8Array()] = needles;
    const leak = { ...images[0]!, files: new Map([["leak", needle]]) };
    expect(filesWith(leak, needle)).toEqual(["leak"]);
    // The sealed body itself is gone from the files once they were written anew.
    const sealed = story.sealed[2] ?? new Uint8Array();
    expect(filesWith(images.at(-1)!, sealed.subarray(-40))).toEqual([]);
  });

  test("among a thousand that end in the same hour takes none of the others along", async () => {
    const story = await begin(1000);
    const before = imageOf(story);
    await end(story, 437);
    const all = Array.from({ length: 1000 }, (_, leaf) => leaf);
    const expected = all.map((leaf) =>
      leaf === 437 ? null : new TextDecoder().decode(plainOf(leaf)),
    );
    expect(await story.open(all)).toEqual(expected);
    const after = imageOf(story);
    expect(tryAll(primitives, keyringOf(before), entriesOf(after))).toBe(0);
    await story.vault.close();

    // And so it is after a start.
    const worker = createSealingWorker();
    const disk = createRecordingDisk<never>(imageOf(story));
    const vault = await openVault(optionsFor(disk, worker));
    const { plains } = await worker.call("body.open", {
      items: all.map((leaf) => ({ ...itemOf(leaf), sealed: story.sealed[leaf]! })),
    });
    expect(
      plains.map((plain) => (plain === null ? null : new TextDecoder().decode(plain))),
    ).toEqual(expected);
    await vault.close();
  });

  test("is gone with its bucket, and the buckets behind it stay", async () => {
    const story = await begin(5);
    const worker = createSealingWorker();
    const before = imageOf(story);
    await story.vault.destroyKeys({ leaves: [], hoursBefore: hour });
    expect(await story.open([0, 4])).toEqual(
      [0, 4].map((leaf) => new TextDecoder().decode(plainOf(leaf))),
    );
    await story.vault.destroyKeys({ leaves: [], hoursBefore: hour + 1 });
    expect(await story.open([0, 1, 2, 3, 4])).toEqual([null, null, null, null, null]);
    expect(tryAll(primitives, keyringOf(before), entriesOf(imageOf(story)))).toBe(0);
    await story.vault.close();
    await worker.dispose();
  });

  test("can be opened from an image only by who has a passphrase that was set then, as the interface says", async () => {
    const story = await begin(3, { passphrase });
    const before = imageOf(story);
    await end(story, 1);
    const after = imageOf(story);
    expect(await openOld(before, after)).toBe("vault-rolled-back");
    expect(tryAll(primitives, keyringOf(before), entriesOf(after))).toBe(0);
    const record = keyringOf(before);
    const { keys } = unlockKeyring(primitives, record, { kind: "passphrase", passphrase });
    expect(createMessageKeys(keys.tree).withKey(itemOf(1), () => true)).toBe(true);
    expect(() =>
      unlockKeyring(primitives, record, { kind: "passphrase", passphrase: `${passphrase}!` }),
    ).toThrow(AppError);
    // Nor does the passphrase help with the directory as it is now.
    const now = unlockKeyring(primitives, keyringOf(after), { kind: "passphrase", passphrase });
    expect(createMessageKeys(now.keys.tree).withKey(itemOf(1), () => true)).toBeUndefined();
    await story.vault.close();
  });
});
