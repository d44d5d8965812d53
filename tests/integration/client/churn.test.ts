import { expect, test } from "vitest";
import { ensureAppError, type ConversationId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { seededRandom } from "../../support/seeded.ts";

/*
 * Ordinary life, shuffled: people talk, edit, react, change the room, add and remove each other, lose their network, restart and
 * are cut off from power. In the end everybody who was there all along has said and read the same, and nothing was unopenable.
 */

const steps = 40;

async function view(person: Person, conversationId: ConversationId) {
  return (await person.client.commands["conversation.open"]({ conversationId })).conversation;
}

test.each([1, 2, 3])(
  "whatever happens in between, everybody ends up with the same (seed %i)",
  async (seed) => {
    const { below, pick } = seededRandom(seed);
    const world = await World.start();
    try {
      const everybody = await world.people("Ada", "Ben", "Cem", "Dee");
      const [ada, ben, cem, dee] = everybody as [Person, Person, Person, Person];
      const group = await ada.create("group", [ben, cem]);
      for (const person of [ada, ben, cem]) await person.finds(group);
      const stable = [ada, ben, cem];
      const said: string[] = [];
      let inside = false;

      for (let step = 0; step < steps; step += 1) {
        const person = pick(stable);
        switch (below(9)) {
          case 0:
            await person.reconnect();
            break;
          case 1:
            await person.restart();
            await person.look(group);
            break;
          case 2:
            await person.kill();
            await person.open();
            await person.look(group);
            break;
          case 3: {
            await person.online();
            const name = `Crew ${String(step)}`;
            await person.client.commands["conversation.rename"]({
              conversationId: group,
              name,
            }).catch(ignoreUnreachable);
            break;
          }
          case 4: {
            await ada.online();
            const change: Promise<null> = inside
              ? ada.client.commands["conversation.removeMember"]({
                  conversationId: group,
                  userId: dee.userId,
                })
              : ada.client.commands["conversation.addMembers"]({
                  conversationId: group,
                  people: [dee.userId],
                });
            inside = await change.then(
              () => !inside,
              () => inside,
            );
            break;
          }
          default: {
            const text = `${person.name} ${String(step)}`;
            said.push(text);
            await person.say(group, text);
          }
        }
      }

      for (const person of stable) await person.online();
      for (const person of stable) {
        await until(`${person.name} has all that was said`, () => {
          const texts = new Set(person.texts(group));
          return said.every((text) => texts.has(text));
        });
        expect(person.texts(group).toSorted()).toEqual(said.toSorted());
      }
      await until("they agree", async () => {
        const views = await Promise.all(stable.map((person) => view(person, group)));
        return new Set(views.map(({ encryption }) => encryption.epochAuthenticator)).size === 1;
      });
      for (const person of stable) {
        const { encryption } = await view(person, group);
        expect(encryption.unopenableCount, person.name).toBe(0);
        await until("nothing waits any more", () =>
          person
            .messages(group)
            .every((message) => message.kind !== "text" || message.delivery?.kind !== "waiting"),
        );
      }
    } finally {
      await world.dispose();
    }
  },
  180_000,
);

function ignoreUnreachable(error: unknown): null {
  const { code } = ensureAppError(error);
  expect(["relay-unreachable", "not-ready"]).toContain(code);
  return null;
}
