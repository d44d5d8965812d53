import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  idFromBytes,
  type BlobId,
  type ConversationId,
  type KeyLeaf,
  type MessageId,
} from "#protocol";
import { loadPrimitives } from "../../../crypto/primitives/index.ts";
import { bodyItem } from "../../../electron/client/core/leaves.ts";
import type { Person } from "../../support/client-world.ts";
import { until, World } from "../../support/client-world.ts";
import { isDoomed, leafOf } from "../../support/doomed.ts";
import {
  bodyKeyOf,
  entriesOf,
  filesWith,
  keyringOf,
  tryAll,
  type VaultImage,
} from "../../support/vault-image.ts";

/*
 * What a message leaves behind at whole clients when it has ended, however it ends: somebody kept the folder from before, and has the
 * keychain as it is afterwards.
 */

vi.setConfig({ testTimeout: 120_000 });

const primitives = await loadPrimitives();
const life = { expirationSeconds: 86_400, burnSeconds: null };
const others = 200;

let world: World;
let ada: Person;
let ben: Person;
let direct: ConversationId;

beforeEach(async () => {
  world = await World.start();
  ada = await world.person("Ada").host();
  await ada.online();
  ben = await world.person("Ben").join(await world.invite(ada));
  await ben.online();
  await until("Ada knows Ben", async () => {
    return (await ada.client.commands["people.list"]({})).length === 2;
  });
  direct = await ada.create("direct", [ben], { timers: life });
  await ada.look(direct);
  await ben.finds(direct);
});
afterEach(() => world.dispose());

/** What there was of a message at one person's before it ended. */
interface Kept {
  readonly person: Person;
  readonly messageId: MessageId;
  readonly image: VaultImage;
  readonly leaf: KeyLeaf;
  readonly key: Uint8Array;
  readonly revision: number;
}

async function keep(person: Person, messageId: MessageId): Promise<Kept> {
  const leaf = leafOf(person, messageId);
  const { revision } = (await person.vault.facts()).keyring;
  const image = person.vaultImage();
  // With the keychain of that moment the folder is the vault: the attack works as long as the message lives.
  expect(tryAll(primitives, keyringOf(image), entriesOf(image))).toBeGreaterThan(0);
  const key = bodyKeyOf(primitives, image, bodyItem(messageId, leaf));
  return { person, messageId, image, leaf, key, revision };
}

/** Waits until the keys of what is gone are destroyed, and tries all that somebody could. */
async function expectForgotten(kept: Kept, text: string): Promise<void> {
  const { person, messageId, image, leaf, key, revision } = kept;
  await until(`${person.name}'s keys are destroyed`, async () => {
    const gone = person.vault.read("message", [messageId]).every((row) => row["leaf"] === null);
    const facts = await person.vault.facts();
    return (
      gone &&
      facts.keyring.revision > revision &&
      !isDoomed(person, leaf) &&
      person.vault.keychainState === "in-step"
    );
  });
  const after = person.vaultImage();
  expect(tryAll(primitives, keyringOf(image), entriesOf(after))).toBe(0);
  const clear = new TextEncoder().encode(text);
  for (const each of [image, after]) {
    expect(filesWith(each, clear)).toEqual([]);
    expect(filesWith(each, Buffer.from(text, "utf16le"))).toEqual([]);
    expect(filesWith(each, key)).toEqual([]);
  }
}

test("one message among many of its hour is recalled: both forget it, and keep all others", async () => {
  const text = "this was said to the wrong person";
  const said = Array.from({ length: others }, (_, n) => `number ${String(n)}`);
  await Promise.all(said.slice(0, others / 2).map((each) => ada.say(direct, each)));
  const messageId = await ada.say(direct, text);
  await Promise.all(said.slice(others / 2).map((each) => ada.say(direct, each)));
  await until("Ben has them all", () => ben.texts(direct).length === others + 1);
  const attachment = idFromBytes<BlobId>(new Uint8Array(16).fill(7));
  await attach(ben, messageId, attachment);
  const kept = [await keep(ada, messageId), await keep(ben, messageId)];

  await ada.client.commands["message.recall"]({ conversationId: direct, messageId });
  await until("it is gone for Ben", () => !ben.texts(direct).includes(text));
  for (const each of kept) await expectForgotten(each, text);
  await until("its attachment is off Ben's disk", () => {
    const names = [...ben.vaultImage().files.keys()];
    return !names.some((name) => name.includes(attachment));
  });

  for (const person of [ada, ben]) {
    await person.restart();
    const found = await allTexts(person);
    expect(found).toEqual([...said].sort());
  }
});

/** Puts an encrypted attachment of a message beside the log, as it would have come from the relay. */
async function attach({ vault }: Person, messageId: MessageId, blobId: BlobId): Promise<void> {
  await vault.transact([{ name: "blob.put", params: [blobId, messageId] }]);
  const file = await vault.blobs.create(blobId);
  await file.write(new Uint8Array(5000).fill(9), 0);
  await file.sync();
  await file.close();
}

/** Every text of the conversation, page by page. */
async function allTexts(person: Person): Promise<readonly string[]> {
  const { commands } = person.client;
  let { page } = await commands["conversation.open"]({ conversationId: direct });
  const messages = [...page.messages];
  while (page.hasEarlier) {
    const beforeOrder = Math.min(...messages.map(({ order }) => order));
    page = await commands["conversation.loadEarlier"]({
      conversationId: direct,
      beforeOrder,
      limit: 100,
    });
    messages.push(...page.messages);
  }
  return messages.flatMap((each) => (each.kind === "text" ? [each.text] : [])).sort();
}

test("what burned after reading is forgotten by who read it and who wrote it", async () => {
  const text = "burn this when you have read it";
  const timers = { ...life, burnSeconds: 5 };
  const messageId = await ada.say(direct, text, { timers });
  await until("Ben has it", () => ben.shown.get(direct)?.has(messageId) === true);
  const kept = [await keep(ada, messageId), await keep(ben, messageId)];
  await ben.client.commands["message.reveal"]({ conversationId: direct, messageId });
  for (const each of kept) await expectForgotten(each, text);
});

test("what has expired is forgotten by both, also with what was said of it", async () => {
  const text = "this holds for a few seconds";
  const timers = { expirationSeconds: 8, burnSeconds: null };
  const messageId = await ada.say(direct, text, { timers });
  await ben.sees(direct, text);
  const edited = "this holds for a few seconds more";
  await ada.client.commands["message.edit"]({ conversationId: direct, messageId, text: edited });
  await ben.sees(direct, edited);
  const emoji = "👍";
  await ben.client.commands["message.react"]({
    conversationId: direct,
    messageId,
    emoji,
    on: true,
  });
  await until("Ada sees the reaction", () => {
    const message = ada.shown.get(direct)?.get(messageId);
    return message?.kind === "text" && message.reactions.length === 1;
  });
  const kept = [await keep(ada, messageId), await keep(ben, messageId)];
  for (const each of kept) {
    await expectForgotten(each, text);
    await expectForgotten(each, edited);
  }
});

test("what one has deleted for themselves, they alone have forgotten", async () => {
  const text = "Ben doesn't want to keep this";
  const messageId = await ada.say(direct, text);
  await ben.sees(direct, text);
  const kept = await keep(ben, messageId);
  await ben.client.commands["message.deleteForMe"]({ conversationId: direct, messageId });
  await expectForgotten(kept, text);
  await ada.restart();
  expect(await allTexts(ada)).toEqual([text]);
});
