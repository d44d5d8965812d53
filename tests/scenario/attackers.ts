import { readMessages } from "./readings.ts";
import { removeMembers } from "./removals.ts";

/** How many members are removed in each way, and how many messages are read. */
export interface Figures {
  readonly removals: number;
  readonly messages: number;
}

/**
 * The attackers' part of `npm run test:scenario`.
 *
 * @param say - gets a line for each way of removing somebody, and one for what was read
 * @returns whether nothing was opened that mustn't be
 */
export async function runAttackers(
  { removals, messages }: Figures,
  say: (text: string) => void,
): Promise<boolean> {
  let total = 0;
  for (const outcome of await removeMembers(removals, 1)) {
    const { kind, removed, tries, opened, openedByMembers } = outcome;
    total += opened;
    say(
      `removed (${kind}): ${String(removed)}; of what came after, their seats opened ${String(opened)} in ${String(tries)} tries, ` +
        `members' seats all ${String(openedByMembers)}`,
    );
  }
  const read = await readMessages(messages, 1);
  say(
    `read: ${String(read.messages)} messages; of what was read or jumped over, copies opened ${String(read.opened)} in ${String(read.tries)} tries`,
  );
  return total + read.opened === 0;
}
