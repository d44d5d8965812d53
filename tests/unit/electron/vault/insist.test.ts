import { describe, expect, test } from "vitest";
import { insist } from "../../../../electron/vault/insist.ts";

function refusal(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A task that fails so many times. */
function failing(code: string, times: number) {
  const counts = { tries: 0, pausedMs: 0 };
  const done = insist(
    () => {
      counts.tries += 1;
      return counts.tries > times ? Promise.resolve("done") : Promise.reject(refusal(code));
    },
    (durationMs) => {
      counts.pausedMs += durationMs;
      return Promise.resolve();
    },
  );
  return { done, counts };
}

describe("insisting", () => {
  test.each(["EPERM", "EACCES", "EBUSY"])("gets past a %s that passes", async (code) => {
    const { done, counts } = failing(code, 5);
    expect(await done).toBe("done");
    expect(counts).toEqual({ tries: 6, pausedMs: 310 });
  });

  test("ends with one that stays", async () => {
    const { done, counts } = failing("EPERM", Infinity);
    await expect(done).rejects.toMatchObject({ code: "EPERM" });
    expect(counts).toEqual({ tries: 8, pausedMs: 1270 });
  });

  test("isn't done about anything else", async () => {
    const { done, counts } = failing("ENOSPC", Infinity);
    await expect(done).rejects.toMatchObject({ code: "ENOSPC" });
    expect(counts).toEqual({ tries: 1, pausedMs: 0 });
  });
});
