import { expect, test } from "vitest";
import { AppError, ensureAppError, type ConversationId } from "#protocol";
import { until, type Person } from "../client-world.ts";
import { attacks } from "./attacks.ts";
import type { Telling } from "./tellings.ts";

type Scene = keyof typeof attacks;

/** Asserts that a person is told what the table of attacks says; what comes later is too late. */
export interface Named {
  /** By what the interface says by itself, in this conversation or outside of any. */
  (person: Person, conversationId?: ConversationId): Promise<void>;
  /** By what the test has seen itself. */
  by(telling: Telling): void;
}

/** Plays the attacks of a scene. One that doesn't assert how it is named fails, and so does the scene if it leaves any out. */
export function playing<Name extends Scene>(
  scene: Name,
): (title: keyof (typeof attacks)[Name], play: (named: Named) => Promise<void>) => void {
  const rows = Object.entries<Telling | { readonly nothing: string }>(attacks[scene]);
  const played: string[] = [];
  test("every attack of the table is played", () => {
    expect(played.toSorted()).toEqual(rows.map(([title]) => title).toSorted());
  });
  return (title, play) => {
    played.push(String(title));
    const row = rows.find(([name]) => name === title)?.[1];
    test(String(title), async () => {
      let asserted = false;
      const silent: (() => readonly Telling[])[] = [];
      const named = async (person: Person, conversationId?: ConversationId): Promise<void> => {
        asserted = true;
        const told = (): readonly Telling[] => person.told.of(conversationId);
        if (typeof row !== "string") {
          silent.push(told);
          return;
        }
        await until(`${person.name} is told: ${row}`, () => told().includes(row)).catch(
          (cause: unknown) => {
            throw new Error(`told: ${told().join(", ")}`, { cause });
          },
        );
      };
      const by = (telling: Telling): void => {
        asserted = true;
        expect(telling).toBe(row);
      };
      await play(Object.assign(named, { by }));
      expect(asserted, "how it is named").toBe(true);
      for (const told of silent) expect(told()).toEqual([]);
    });
  };
}

/** What somebody is answered whose wish can't be carried out. */
export async function answerTo(wish: Promise<unknown>): Promise<Telling> {
  const error = await wish.then(
    () => new Error("it was done"),
    (cause: unknown) => ensureAppError(cause),
  );
  if (!(error instanceof AppError)) throw error;
  return `answer: ${error.code}`;
}
