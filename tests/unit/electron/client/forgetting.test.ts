import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#protocol";
import { Forgetting } from "../../../../electron/client/ephemerality/forgetting.ts";
import type { Vault } from "../../../../electron/vault/index.ts";
import { createFakeClock } from "../../../support/fake-clock.ts";

function forgetting(readOnly: ErrorCode | null = null) {
  const clock = createFakeClock();
  const compactions: number[] = [];
  const vault = {
    readOnly,
    compact: () => {
      compactions.push(clock.now());
      return Promise.resolve();
    },
  } as unknown as Vault;
  const startMs = clock.now();
  return {
    clock,
    forgetting: new Forgetting({ clock, vault }),
    atSeconds: () => compactions.map((atMs) => (atMs - startMs) / 1000),
  };
}

describe("after content has ended", () => {
  test("the vault is written anew once, for all that ended together", () => {
    const { clock, forgetting: subject, atSeconds } = forgetting();
    for (let second = 0; second < 10; second += 1) {
      subject.wanted();
      clock.advance(1000);
    }
    clock.advance(60_000);
    expect(atSeconds()).toEqual([20]);
  });

  test("and not again within five minutes, however much ends", () => {
    const { clock, forgetting: subject, atSeconds } = forgetting();
    for (let second = 0; second < 1000; second += 1) {
      subject.wanted();
      clock.advance(1000);
    }
    expect(atSeconds()).toEqual([20, 320, 620, 920]);
  });

  test("nothing is written while nothing ends, to a vault that takes no writes, or after closing", async () => {
    const idle = forgetting();
    idle.clock.advance(3_600_000);
    expect(idle.atSeconds()).toEqual([]);
    const readOnly = forgetting("disk-full");
    readOnly.forgetting.wanted();
    readOnly.clock.advance(3_600_000);
    expect(readOnly.atSeconds()).toEqual([]);
    const closed = forgetting();
    closed.forgetting.wanted();
    await closed.forgetting.close();
    closed.clock.advance(3_600_000);
    expect(closed.atSeconds()).toEqual([]);
    expect(closed.clock.waiting).toBe(0);
  });
});
