import { beforeEach, describe, expect, test } from "vitest";
import { AppError } from "#protocol";
import { Unlock } from "../../../../renderer/state/unlock.svelte.ts";
import { TestRuntime } from "./support.ts";

let runtime: TestRuntime;

beforeEach(() => {
  runtime = new TestRuntime();
});

describe("unlocking", () => {
  test("hands over the passphrase as it was typed", async () => {
    const unlock = new Unlock(runtime, () => "passphrase");
    expect(await unlock.submit(" quiet violet ")).toBe(true);
    expect(runtime.paramsOf("vault.unlock")).toEqual([{ passphrase: " quiet violet " }]);
    expect(unlock.busy).toBe(false);
  });

  test("hands over a recovery code as one", async () => {
    const unlock = new Unlock(runtime, () => "passphrase");
    unlock.use("recovery-code");
    await unlock.submit("7C2K-9QXD");
    expect(runtime.paramsOf("vault.unlockWithCode")).toEqual([{ code: "7C2K-9QXD" }]);
    expect(runtime.paramsOf("vault.unlock")).toEqual([]);
  });

  test("that fails says why, until something else is asked for", async () => {
    runtime.answer("vault.unlock", () => {
      throw new AppError("passphrase-wrong");
    });
    const unlock = new Unlock(runtime, () => "passphrase");
    expect(await unlock.submit("wrong")).toBe(false);
    expect(unlock.failure).toBe("passphrase-wrong");
    unlock.use("recovery-code");
    expect(unlock.failure).toBeNull();
  });

  test("costs no attempt when nothing was entered, and can't be done twice at once", async () => {
    const unlock = new Unlock(runtime, () => "passphrase");
    expect(await unlock.submit("  ")).toBe(false);
    await Promise.all([unlock.submit("quiet violet"), unlock.submit("quiet violet")]);
    expect(runtime.paramsOf("vault.unlock")).toHaveLength(1);
  });
});
