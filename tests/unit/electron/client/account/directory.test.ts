import { describe, expect, test } from "vitest";
import { AppError, encodeCbor } from "#protocol";
import { Directory } from "../../../../../electron/client/account/directory.ts";
import { KeyChanges } from "../../../../../electron/client/account/key-changes.ts";
import { Notices } from "../../../../../electron/client/account/notices.ts";
import { Objections } from "../../../../../electron/client/account/objections.ts";
import type { Changes } from "../../../../../electron/client/core/changes.ts";
import type { Core } from "../../../../../electron/client/core/core.ts";

/** A relay whose directory grows, and answers when the test says so. */
class SlowRelay {
  version = 0;
  readonly #answers: (() => void)[] = [];
  failing = false;

  get asked(): number {
    return this.#answers.length;
  }

  /** What it knows now is what a request of now is answered with, however late. */
  readonly list = (): Promise<{ entries: readonly []; version: number }> => {
    const { version } = this;
    return new Promise((resolve, reject) => {
      this.#answers.push(() => {
        if (this.failing) reject(new AppError("relay-unreachable"));
        else resolve({ entries: [], version });
      });
    });
  };

  answer(index: number): void {
    this.#answers[index]?.();
  }
}

/** A directory over that relay, and a vault that keeps the version it has come to. */
function directoryOver(relay: SlowRelay): Directory {
  let stored = 0;
  const core = {
    vault: {
      read: (_statement: string, [name]: readonly string[]) =>
        name === "directoryVersion" ? [{ value: encodeCbor(stored) }] : [],
    },
    request: relay.list,
    worker: { call: async () => ({ people: [], otherKeys: [] }) },
    commit: async (_changes: Changes) => {
      stored = relay.version;
    },
    people: { put: () => undefined },
  };
  const nothing = (): void => undefined;
  const real = core as unknown as Core;
  const notices = new Notices(real);
  const objections = new Objections(real, notices);
  const keyChanges = new KeyChanges(real, { notices, objections, onTaken: nothing });
  return new Directory(real, { keyChanges, notices, objections, onChanged: nothing });
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("refreshing the directory", () => {
  test("somebody who joins while a fetch is under way is fetched after it", async () => {
    const relay = new SlowRelay();
    const directory = directoryOver(relay);
    relay.version = 1;
    const first = directory.refresh();
    relay.version = 2;
    const second = directory.refresh();
    const third = directory.refresh();
    relay.answer(0);
    await first;
    await soon();
    expect(relay.asked, "one more, for both").toBe(2);
    relay.answer(1);
    await Promise.all([second, third]);
    expect(relay.asked).toBe(2);
  });

  test("a fetch that fails doesn't take the next one with it", async () => {
    const relay = new SlowRelay();
    const directory = directoryOver(relay);
    const first = directory.refresh();
    const second = directory.refresh();
    relay.failing = true;
    relay.answer(0);
    await expect(first).rejects.toMatchObject({ code: "relay-unreachable" });
    await soon();
    relay.failing = false;
    relay.answer(1);
    await second;
  });
});
