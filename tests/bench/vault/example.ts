import { randomBytes } from "node:crypto";
import { createCryptoWorker, threadSpawner } from "../../../electron/worker/index.ts";
import type { CryptoWorker } from "#protocol";
import type { Statement, VaultCatalogue } from "../../../electron/vault/index.ts";
import { systemClock } from "../../support/fake-clock.ts";

/** What taking a message writes: its row with a sealed body, a piece of group state, the cursor. */
export const catalogue: VaultCatalogue = {
  schemaVersion: 1,
  migrations: [
    `CREATE TABLE messages (id TEXT PRIMARY KEY, conversation TEXT, ord INTEGER, sent_ms INTEGER, body BLOB) STRICT, WITHOUT ROWID;
     CREATE UNIQUE INDEX messages_by_order ON messages (conversation, ord);
     CREATE TABLE pieces (conversation TEXT, name TEXT, sealed BLOB, PRIMARY KEY (conversation, name)) STRICT, WITHOUT ROWID;
     CREATE TABLE cursors (conversation TEXT PRIMARY KEY, cursor INTEGER) STRICT, WITHOUT ROWID;`,
  ],
  statements: {
    message: `INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5)`,
    piece: `INSERT INTO pieces VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET sealed = ?3`,
    cursor: `INSERT INTO cursors VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cursor = ?2`,
  },
  queries: {},
};

const conversation = randomBytes(16).toString("base64url");
let number = 0;

/** The next message. */
export function message(): Statement[] {
  number += 1;
  return [
    {
      name: "message",
      params: [
        `${"m".repeat(35)}${String(number).padStart(8, "0")}`,
        conversation,
        number,
        1_750_000_000_000 + number,
        new Uint8Array(300).fill(number),
      ],
    },
    { name: "piece", params: [conversation, "ratchet", new Uint8Array(400).fill(number)] },
    { name: "cursor", params: [conversation, number] },
  ];
}

/** The crypto worker in a thread of its own, as the preview and headless clients have it. */
export async function startThreadWorker(): Promise<CryptoWorker> {
  const worker = createCryptoWorker({
    clock: systemClock,
    spawn: threadSpawner(new URL("../../../crypto/worker.ts", import.meta.url)),
  });
  await worker.call("start", {});
  return worker;
}
