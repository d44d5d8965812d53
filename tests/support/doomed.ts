import type { KeyLeaf, MessageId } from "#protocol";
import type { Person } from "./client-world.ts";

/** Under which leaf of the key tree a message's body is sealed at somebody's. @throws Error when there is no such message, or it says nothing any more */
export function leafOf({ vault }: Person, messageId: MessageId): KeyLeaf {
  const [row] = vault.read("message", [messageId]);
  if (typeof row?.["hour"] !== "number" || typeof row["leaf"] !== "number") {
    throw new Error("no such message");
  }
  return { hour: row["hour"], leaf: row["leaf"] };
}

/** Whether a leaf still waits for the destruction of its key. Those of receipts that were sent wait for a minute: that nothing waits says more than is meant. */
export function isDoomed({ vault }: Person, { hour, leaf }: KeyLeaf): boolean {
  return vault.read("doomed").some((row) => row["hour"] === hour && row["leaf"] === leaf);
}
