import { expect, test } from "vitest";
import { AppError, ensureAppError, type ConversationId } from "#protocol";
import { until, type Person } from "../client-world.ts";
import { attacks, type Row } from "./attacks.ts";
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
  const rows = Object.entries<Row>(attacks[scene]);
  const played: string[] = [];
  test("every attack of the table is played", () => {
    expect(played.toSorted()).toEqual(rows.map(([title]) => title).toSorted());
  });
  return (title, play) => {
    played.push(String(title));
    const names = namesIn(rows.find(([name]) => name === title)?.[1]);
    test(String(title), async () => {
      let asserted = false;
      const silent: (() => readonly Telling[])[] = [];
      const named = async (person: Person, conversationId?: ConversationId): Promise<void> => {
        asserted = true;
        const told = (): readonly Telling[] => person.told.of(conversationId);
        if (names.length === 0) {
          silent.push(told);
          return;
        }
        const isNamed = () => names.some((name) => told().includes(name));
        await until(`${person.name} is told: ${names.join(" or ")}`, isNamed).catch(
          (cause: unknown) => {
            throw new Error(`told: ${told().join(", ")}`, { cause });
          },
        );
      };
      const by = (telling: Telling): void => {
        asserted = true;
        expect(names).toEqual([telling]);
      };
      await play(Object.assign(named, { by }));
      expect(asserted, "how it is named").toBe(true);
      for (const told of silent) expect(told()).toEqual([]);
    });
  };
}

/** @returns none: it is said to nobody */
function namesIn(row: Row | undefined): readonly Telling[] {
  if (typeof row === "string") return [row];
  return row !== undefined && "either" in row ? row.either : [];
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
