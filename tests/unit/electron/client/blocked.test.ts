import { expect, test } from "vitest";
import type { BlockingCode } from "#protocol";
import { forgetBlocked, noteBlocked } from "../../../../electron/client/conversations/blocked.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

async function blockable() {
  const { core, vault, conversationId } = await createCoreFixture();
  return {
    block: async (code: BlockingCode) => {
      const changes = new Changes();
      const conversation = core.store.ensureConversation(conversationId);
      await noteBlocked(core, changes, conversation, code);
      if (changes.statements.length > 0) await core.commit(changes);
    },
    unblock: async () => {
      const changes = new Changes();
      forgetBlocked(core, changes, conversationId);
      await core.commit(changes);
    },
    deleteLines: async () => {
      const changes = new Changes();
      changes.write("message.deleteAll", conversationId);
      await core.commit(changes);
    },
    codes: () =>
      vault.look("SELECT code FROM messages WHERE kind = 'unopenable'").map(({ code }) => code),
    blocked: () => core.store.ensureConversation(conversationId).blocked,
  };
}

test("one line says why a log can't be read on, and goes with that", async () => {
  const { block, unblock, codes, blocked } = await blockable();
  await block("conversation-stuck");
  await block("conversation-stuck");
  expect(codes()).toEqual(["conversation-stuck"]);
  await block("members-unvouched");
  expect(codes()).toEqual(["members-unvouched"]);
  expect(blocked()).toBe("members-unvouched");
  await unblock();
  expect(codes()).toEqual([]);
});

test("what is tried in between doesn't hide that somebody must vouch", async () => {
  const { block, codes, blocked } = await blockable();
  await block("members-unvouched");
  await block("conversation-stuck");
  await block("device-unknown");
  expect(codes()).toEqual(["members-unvouched"]);
  expect(blocked()).toBe("members-unvouched");
});

test("a line that has ended comes again for as long as it holds", async () => {
  const { block, deleteLines, codes } = await blockable();
  await block("members-unvouched");
  await deleteLines();
  await block("members-unvouched");
  expect(codes()).toEqual(["members-unvouched"]);
});
