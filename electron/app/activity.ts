import type { CommandName } from "#protocol";

/** What pages ask for by themselves: when they load, when something arrives, while something goes on. */
const ofPages: ReadonlySet<CommandName> = new Set<CommandName>([
  "app.get",
  "about.get",
  "protection.get",
  "storage.get",
  "conversations.list",
  "conversation.open",
  "conversation.close",
  "conversation.markRead",
  "message.info",
  "search.find",
  "people.list",
  "invites.list",
  "devices.list",
]);

/** Whether a command says that a person is there. */
export function isTouch(name: CommandName): boolean {
  return !ofPages.has(name);
}
