import { expect, test } from "vitest";
import { idFromBytes, type ConversationId } from "#protocol";
import { forgetConversation } from "../../../../electron/client/conversations/group-change.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { createCoreFixture } from "../../../support/client-core.ts";
import type { MemoryVault } from "../../../support/memory-vault.ts";

/** A Welcome that is kept is newer than a conversation that is over: it may bring this person back. */
const spared = ["welcomes"];
/** What names a conversation by its messages alone. */
const byMessage = ["receipts", "blobs"];

const names = (vault: MemoryVault, sql: string): readonly string[] =>
  vault.look(sql).map((row) => String(row["name"]));

/** A row for a conversation, with a value of its kind in every column. */
function put(vault: MemoryVault, table: string, conversationId: string): void {
  const columns = vault.look(`PRAGMA table_info(${table})`);
  const values = columns.map(({ name, type }, index) => {
    if (name === "conversation_id") return `'${conversationId}'`;
    if (name === "message_id") return `'message of ${conversationId}'`;
    if (type === "TEXT") return `'${table} ${conversationId}'`;
    const number = String(vault.look(`SELECT 1 FROM ${table}`).length + index);
    return type === "BLOB" ? `x'0${number.slice(-1)}'` : number;
  });
  vault.look(`INSERT INTO ${table} VALUES (${values.join(", ")})`);
}

const count = (vault: MemoryVault, table: string, like: string): number => {
  const text = names(vault, `SELECT name FROM pragma_table_info('${table}') WHERE type = 'TEXT'`);
  const where = text.map((column) => `${column} LIKE '%${like}%'`).join(" OR ");
  return vault.look(`SELECT 1 FROM ${table} WHERE ${where}`).length;
};

test("no table keeps anything of a conversation that is forgotten, and of others everything stays", async () => {
  const { core, vault } = await createCoreFixture();
  const [gone, stays] = [1, 2].map((fill) =>
    idFromBytes<ConversationId>(new Uint8Array(16).fill(fill)),
  ) as [ConversationId, ConversationId];
  const tables = [
    ...names(
      vault,
      `SELECT tables.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
       WHERE tables.type = 'table' AND columns.name = 'conversation_id'`,
    ),
    ...byMessage,
  ];
  expect(tables).toContain("messages");
  for (const table of tables) for (const id of [gone, stays]) put(vault, table, id);

  const changes = new Changes();
  forgetConversation(core, changes, gone);
  await core.commit(changes);

  const left = tables.filter((table) => table !== "blobs" && count(vault, table, gone) > 0);
  expect(left).toEqual(spared);
  // An attachment without a message is on its way out.
  expect(vault.look(`SELECT 1 FROM blobs WHERE message_id IS NULL`)).toHaveLength(1);
  for (const table of tables) expect([table, count(vault, table, stays)]).toEqual([table, 1]);
});
