import { describe, expect, test } from "vitest";
import {
  AppError,
  defaultVaultPolicy,
  erasePhrase,
  formatInviteLink,
  type AppView,
  type KeySlotKind,
} from "#protocol";
import { AppBench, fakeVault, settle } from "../../../support/app-fakes.ts";

const minute = 60_000;
const passphrase = "correct horse battery staple";
const unlock = { passphrase };
const joinParams = {
  link: formatInviteLink({
    relayUrl: "ws://127.0.0.1:4100",
    networkKey: new Uint8Array(32).fill(7),
    networkName: "Lab",
    token: new Uint8Array(16).fill(9),
  }),
  displayName: "Bob",
  passphrase: null,
};

async function lockedBench(...slots: readonly KeySlotKind[]): Promise<AppBench> {
  const bench = new AppBench();
  bench.engine.hasVault(...(slots.length === 0 ? (["keychain", "passphrase"] as const) : slots));
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  return bench.start();
}

async function readyBench(): Promise<AppBench> {
  const bench = await lockedBench();
  expect(await bench.send("vault.unlock", unlock)).toEqual({ ok: true, result: null });
  return bench;
}

function lockedView(bench: AppBench): Extract<AppView, { readonly phase: "locked" }> {
  const { view } = bench.app;
  if (view.phase !== "locked") throw new Error(`it is ${view.phase}`);
  return view;
}

describe("a vault with a passphrase", () => {
  test("waits for it at the start, although the keychain could open it", async () => {
    const bench = await lockedBench();
    expect(lockedView(bench)).toMatchObject({ reason: "start", ways: ["passphrase"] });
    expect(bench.engine.opened).toEqual([]);
    await bench.send("vault.unlock", unlock);
    expect(bench.engine.opened).toEqual([{ kind: "passphrase", passphrase }]);
    expect(bench.app.view).toMatchObject({ phase: "ready", canLock: true });
  });

  test("is opened by its recovery code as well", async () => {
    const bench = await lockedBench("keychain", "passphrase", "recovery-code");
    expect(lockedView(bench).ways).toEqual(["passphrase", "recovery-code"]);
    await bench.send("vault.unlockWithCode", { code: "CODE" });
    expect(bench.engine.opened).toEqual([{ kind: "recovery-code", code: "CODE" }]);
  });

  test("has only the ways that are there", async () => {
    const bench = await lockedBench("passphrase");
    expect(await bench.send("vault.unlockWithCode", { code: "CODE" })).toMatchObject({
      error: { code: "not-ready" },
    });
  });

  test("without one has no lock", async () => {
    const bench = await lockedBench("keychain");
    expect(bench.app.view).toMatchObject({ phase: "ready", canLock: false });
    expect(await bench.send("vault.lock", {})).toMatchObject({ error: { code: "not-ready" } });
    bench.app.lock();
    bench.app.away("os-lock");
    await bench.clock.advance(24 * 60 * minute);
    expect(bench.app.view.phase).toBe("ready");
    expect(bench.app.canLock).toBe(false);
    expect(bench.logged).toEqual([]);
  });
});

describe("locking", () => {
  test("closes the client and the vault, drops the keys, and then nothing is told any more", async () => {
    const bench = await readyBench();
    const { client, vault } = bench.engine;
    expect(bench.app.canLock).toBe(true);
    expect(await bench.send("vault.lock", {})).toEqual({ ok: true, result: null });
    expect(lockedView(bench).reason).toBe("person");
    expect([client.rests, client.closed, vault.closed]).toEqual([1, true, true]);
    expect(client.listenerCount).toBe(0);
    expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    expect(bench.app.canLock).toBe(false);
    expect(await bench.send("conversations.list", {})).toMatchObject({
      error: { code: "not-ready" },
    });
  });

  test("shows the locked page at once, before anything is closed", async () => {
    const bench = await readyBench();
    bench.engine.client.gate = new Promise(() => undefined);
    const locking = bench.send("vault.lock", {});
    await settle();
    expect(bench.app.view.phase).toBe("locked");
    expect(bench.engine.client.listenerCount).toBe(0);
    void locking;
  });

  test("drops the keys within half a second, whatever is under way", async () => {
    const bench = await readyBench();
    const held = Promise.withResolvers<undefined>();
    bench.engine.client.gate = held.promise;
    const locking = bench.send("vault.lock", {});
    await settle();
    expect(bench.engine.steps).not.toContain("dropKeys");
    await bench.clock.advance(400);
    expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    held.resolve(undefined);
    expect((await locking).ok).toBe(true);
    expect(bench.engine.vault.closed).toBe(true);
  });

  test("drops the database with the keys, also while the disk hangs", async () => {
    const bench = await readyBench();
    bench.engine.vault.gate = new Promise(() => undefined);
    void bench.send("vault.lock", {});
    await settle();
    expect(bench.engine.vault.forgotten).toBe(false);
    await bench.clock.advance(400);
    expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    expect(bench.engine.vault).toMatchObject({ forgotten: true, closed: false });
  });

  test("waits with an unlock until it is done", async () => {
    const bench = await readyBench();
    const held = Promise.withResolvers<undefined>();
    bench.engine.vault.gate = held.promise;
    void bench.send("vault.lock", {});
    await settle();
    const unlocking = bench.send("vault.unlock", unlock);
    await settle();
    expect(bench.engine.opened).toHaveLength(1);
    await bench.clock.advance(400);
    held.resolve(undefined);
    expect((await unlocking).ok).toBe(true);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("twice is once", async () => {
    const bench = await readyBench();
    const answers = await Promise.all([bench.send("vault.lock", {}), bench.send("vault.lock", {})]);
    expect(answers.map(({ ok }) => ok)).toContain(true);
    expect(bench.engine.client.rests).toBe(1);
    expect(lockedView(bench).reason).toBe("person");
  });

  test("while the vault is being opened ends that", async () => {
    const bench = await lockedBench();
    const held = Promise.withResolvers<undefined>();
    bench.engine.gate = held.promise;
    const unlocking = bench.send("vault.unlock", unlock);
    await settle();
    bench.app.away("os-lock");
    await settle();
    expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    held.resolve(undefined);
    expect(await unlocking).toMatchObject({ ok: false, error: { code: "not-ready" } });
    expect(bench.app.view.phase).toBe("locked");
    expect(bench.engine.vault.closed).toBe(true);
    expect(bench.engine.steps).not.toContain("openClient");
  });

  test("while the account is being opened ends that too, and shows no problem", async () => {
    const bench = await lockedBench();
    const held = Promise.withResolvers<undefined>();
    const original = bench.engine.openClient.bind(bench.engine);
    bench.engine.openClient = async () => {
      await held.promise;
      return original();
    };
    const unlocking = bench.send("vault.unlock", unlock);
    await settle();
    expect(bench.app.view).toMatchObject({ phase: "starting", step: "sweeping" });
    bench.app.away("suspend");
    await settle();
    held.resolve(undefined);
    await unlocking;
    expect(lockedView(bench).reason).toBe("suspend");
    expect(bench.engine.client.closed).toBe(true);
    expect(bench.engine.vault.closed).toBe(true);
  });

  test("while a first run goes on ends that, and leaves no form over a vault without keys", async () => {
    const bench = await lockedBench();
    const held = Promise.withResolvers<undefined>();
    bench.engine.progress = { kind: "none" };
    bench.engine.createAccount = async () => {
      await held.promise;
      throw new AppError("worker-stopped");
    };
    await bench.send("vault.unlock", unlock);
    expect(bench.app.view.phase).toBe("first-run");
    const joining = bench.send("profile.join", joinParams);
    await settle();
    bench.app.away("os-lock");
    await settle();
    expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    held.resolve(undefined);
    expect((await joining).ok).toBe(false);
    expect(lockedView(bench).reason).toBe("os-lock");
    expect(bench.engine.vault.closed).toBe(true);
  });

  describe("while a vault is being made", () => {
    async function making(own: string | null): Promise<{
      readonly bench: AppBench;
      readonly joined: () => Promise<boolean>;
    }> {
      const bench = await new AppBench().start();
      const held = Promise.withResolvers<undefined>();
      bench.engine.gate = held.promise;
      const joining = bench.send("profile.join", { ...joinParams, passphrase: own });
      await settle();
      expect(bench.app.view).toMatchObject({ phase: "starting", step: "making-keys" });
      bench.app.away("os-lock");
      await settle();
      expect(bench.engine.steps, "it is not cut short").not.toContain("dropKeys");
      const joined = async (): Promise<boolean> => {
        held.resolve(undefined);
        return (await joining).ok;
      };
      return { bench, joined };
    }

    test("waits until it is there, and goes no further", async () => {
      const { bench, joined } = await making(passphrase);
      expect(await joined()).toBe(false);
      expect(lockedView(bench)).toMatchObject({ reason: "os-lock", ways: ["passphrase"] });
      expect(bench.engine.steps.at(-1)).toBe("dropKeys");
      expect(bench.engine.vault.closed).toBe(true);
      expect(bench.engine.accounts).toEqual([]);
      expect((await bench.send("vault.unlock", unlock)).ok).toBe(true);
      expect(bench.app.view.phase).toBe("first-run");
    });

    test("is nothing without a passphrase", async () => {
      const { bench, joined } = await making(null);
      expect(await joined()).toBe(true);
      expect(bench.app.view).toMatchObject({ phase: "ready", canLock: false });
      bench.app.away("os-lock");
      await settle();
      expect(bench.app.view.phase).toBe("ready");
    });

    test("shows the form again where none was made", async () => {
      const { bench, joined } = await making(passphrase);
      bench.engine.failures.set("createVault", new AppError("keychain-denied"));
      expect(await joined()).toBe(false);
      expect(bench.app.view).toMatchObject({
        phase: "first-run",
        keychainProblem: "keychain-denied",
      });
    });
  });

  test("closes a vault that waits for its person too: to make an account, or to be read only", async () => {
    const unmade = await lockedBench();
    unmade.engine.progress = { kind: "none" };
    const damaged = await lockedBench();
    damaged.engine.vault = fakeVault("vault-damaged");
    for (const [bench, phase] of [
      [unmade, "first-run"],
      [damaged, "problem"],
    ] as const) {
      await bench.send("vault.unlock", unlock);
      expect(bench.app.view.phase).toBe(phase);
      bench.app.away("suspend");
      await settle();
      expect(lockedView(bench).reason).toBe("suspend");
      expect(bench.engine.vault.closed).toBe(true);
      expect(bench.engine.steps.at(-1)).toBe("dropKeys");
    }
  });

  test("keeps the settings, which are no secret, and nobody's conversation open", async () => {
    const bench = await readyBench();
    const conversationId = "AAAAAAAAAAAAAAAAAAAAAA";
    await bench.send("conversation.open", { conversationId }, 1);
    bench.engine.client.settings = { ...bench.engine.client.settings, closeToTray: true };
    await bench.send("vault.lock", {});
    expect(bench.app.settings?.closeToTray).toBe(true);
    await bench.send("vault.unlock", unlock);
    bench.engine.client.calls.length = 0;
    bench.app.sourceGone(1);
    await settle();
    expect(bench.engine.client.calls).toEqual([]);
  });
});

describe("while it is locked", () => {
  test("what arrives is counted, and told without a word of what it is", async () => {
    const bench = await readyBench();
    await bench.send("vault.lock", {});
    bench.engine.client.arrive?.();
    bench.engine.client.arrive?.();
    expect(lockedView(bench).newMessages).toBe(2);
    expect(bench.app.unreadCount).toBe(2);
    expect(bench.notified.map(({ body }) => body)).toEqual(["Something new has arrived"]);
    bench.notified[0]?.click();
    expect(bench.raised).toBe(1);
    expect(bench.events.map(({ name }) => name)).not.toContain("app.show");
  });

  test("nobody is disturbed who doesn't want to be", async () => {
    const bench = await readyBench();
    bench.engine.client.settings = { ...bench.engine.client.settings, notifications: false };
    await bench.send("vault.lock", {});
    bench.engine.client.arrive?.();
    expect(bench.notified).toEqual([]);
    expect(lockedView(bench).newMessages).toBe(1);
  });

  test("the connection ends when another one begins, or Sotto does", async () => {
    const bench = await readyBench();
    await bench.send("vault.lock", {});
    expect(bench.engine.client.arrive).not.toBeNull();
    await bench.send("vault.unlock", unlock);
    expect(bench.engine.client.arrive).toBeNull();
    await bench.send("vault.lock", {});
    await bench.app.stop();
    expect(bench.engine.client.arrive).toBeNull();
  });

  test("a dead worker is nothing to reopen for", async () => {
    const bench = await readyBench();
    await bench.send("vault.lock", {});
    bench.events.length = 0;
    bench.engine.restartWorker();
    await settle();
    expect(bench.events).toEqual([]);
    expect((await bench.send("vault.unlock", unlock)).ok).toBe(true);
    expect(bench.engine.steps.filter((step) => step === "selfTest").length).toBeGreaterThan(1);
  });
});

describe("wrong tries", () => {
  async function fail(bench: AppBench, times: number): Promise<void> {
    bench.engine.failures.set("openVault", new AppError("passphrase-wrong"));
    for (let time = 0; time < times; time += 1) await bench.send("vault.unlock", unlock);
    bench.engine.failures.clear();
  }

  test("lead to a wait that is shown, and shown to be over", async () => {
    const bench = await lockedBench();
    await fail(bench, 5);
    const waitUntilMs = bench.clock.now() + minute;
    expect(lockedView(bench).waitUntilMs).toBe(waitUntilMs);
    expect(await bench.send("vault.unlock", unlock)).toEqual({
      ok: false,
      error: { code: "unlock-delayed", data: { waitUntilMs } },
    });
    bench.events.length = 0;
    await bench.clock.advance(minute);
    expect(lockedView(bench).waitUntilMs).toBeNull();
    expect(bench.phases).toEqual(["locked"]);
    expect((await bench.send("vault.unlock", unlock)).ok).toBe(true);
    expect(bench.engine.attempts.tries).toBe(0);
  });

  test("are no tries when something else went wrong", async () => {
    const bench = await lockedBench();
    bench.engine.failures.set("openVault", new AppError("vault-in-use"));
    for (let time = 0; time < 9; time += 1) await bench.send("vault.unlock", unlock);
    expect(bench.engine.attempts.tries).toBe(0);
    expect(lockedView(bench).waitUntilMs).toBeNull();
  });

  test("use up what the policy allows, and then the vault is destroyed", async () => {
    const bench = await readyBench();
    bench.engine.client.vaultPolicy = { ...defaultVaultPolicy, maxAttempts: 3 };
    bench.engine.client.emit("view", undefined);
    await settle();
    await bench.send("vault.lock", {});
    expect(lockedView(bench).attemptsLeft).toBe(3);
    await fail(bench, 2);
    expect(lockedView(bench).attemptsLeft).toBe(1);
    expect(bench.engine.steps).not.toContain("destroyVault");
    bench.engine.failures.set("openVault", new AppError("passphrase-wrong"));
    expect(await bench.send("vault.unlock", unlock)).toMatchObject({
      error: { code: "vault-erased" },
    });
    expect(bench.engine.steps.at(-1)).toBe("destroyVault");
    expect(bench.app.view).toMatchObject({
      phase: "problem",
      problem: { code: "vault-erased", actions: ["retry", "quit"] },
    });
    await bench.send("app.retry", {});
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("that were used up before a crash count as such: the vault is destroyed at the start", async () => {
    const bench = new AppBench();
    bench.engine.hasVault("keychain", "passphrase");
    bench.engine.attempts.limit = 5;
    bench.engine.attempts.tries = 5;
    await bench.start();
    expect(bench.engine.steps).toContain("destroyVault");
    expect(bench.engine.opened).toEqual([]);
    expect(bench.app.view).toMatchObject({ problem: { code: "vault-erased" } });
  });

  test("whose vault can't be destroyed leave a problem, and are destroyed at the next look", async () => {
    const bench = await lockedBench();
    bench.engine.attempts.limit = 1;
    bench.engine.failures.set("openVault", new AppError("passphrase-wrong"));
    bench.engine.failures.set("destroyVault", new AppError("vault-write-failed"));
    await bench.send("vault.unlock", unlock);
    expect(bench.app.view).toMatchObject({ problem: { code: "vault-write-failed" } });
    bench.engine.failures.clear();
    await bench.send("app.retry", {});
    expect(bench.app.view).toMatchObject({ problem: { code: "vault-erased" } });
  });
});

describe("locking by itself", () => {
  test("follows the operating system's lock and sleep, as its person wants", async () => {
    for (const [reason, setting] of [
      ["os-lock", "onOsLock"],
      ["suspend", "onSuspend"],
    ] as const) {
      const bench = await readyBench();
      const { lockSettings } = bench.engine.client;
      bench.engine.client.lockSettings = { ...lockSettings, [setting]: false };
      bench.app.away(reason);
      await settle();
      expect(bench.app.view.phase).toBe("ready");
      bench.engine.client.lockSettings = { ...lockSettings, [setting]: true };
      bench.app.away(reason);
      await settle();
      expect(lockedView(bench).reason).toBe(reason);
    }
  });

  test("comes after a time without a touch", async () => {
    const bench = await readyBench();
    await bench.clock.advance(14 * minute);
    await bench.send("conversation.saveDraft", {
      conversationId: "AAAAAAAAAAAAAAAAAAAAAA",
      text: "x",
    });
    await bench.clock.advance(14 * minute);
    expect(bench.app.view.phase).toBe("ready");
    await bench.clock.advance(minute);
    expect(lockedView(bench).reason).toBe("idle");
  });

  test("isn't put off by what pages ask for by themselves", async () => {
    const bench = await readyBench();
    await bench.clock.advance(14 * minute);
    await bench.send("conversation.markRead", {
      conversationId: "AAAAAAAAAAAAAAAAAAAAAA",
      order: 1,
    });
    await bench.send("storage.get", {});
    await bench.send("search.find", { query: "x", conversationId: null, before: null, limit: 1 });
    await bench.clock.advance(minute);
    expect(bench.app.view.phase).toBe("locked");
  });

  test("goes by the system's idle time where there is one", async () => {
    const bench = await readyBench();
    bench.systemIdleMs = 0;
    for (let time = 0; time < 16; time += 1) await bench.clock.advance(minute);
    expect(bench.app.view.phase).toBe("ready");
    bench.systemIdleMs = 14 * minute;
    for (let time = 0; time < 16; time += 1) await bench.clock.advance(minute);
    expect(bench.app.view.phase).toBe("ready");
    bench.systemIdleMs = 15 * minute;
    await bench.clock.advance(minute);
    expect(lockedView(bench).reason).toBe("idle");
  });

  test("comes as well when the computer slept so long, although whoever woke it has just touched it", async () => {
    const bench = await readyBench();
    bench.systemIdleMs = 0;
    bench.clock.sleep(14 * minute);
    bench.app.wake();
    await settle();
    expect(bench.app.view.phase).toBe("ready");
    bench.clock.sleep(15 * minute);
    bench.app.wake();
    await settle();
    expect(lockedView(bench).reason).toBe("idle");
    await bench.clock.advance(60 * minute);
    await bench.send("vault.unlock", unlock);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("never comes when nobody wants it, and comes when the policy does", async () => {
    const bench = await readyBench();
    const settings = { idleMinutes: null, onOsLock: true, onSuspend: true };
    expect((await bench.send("protection.configureLock", settings)).ok).toBe(true);
    await bench.clock.advance(24 * 60 * minute);
    expect(bench.app.view.phase).toBe("ready");
    await bench.send("app.retry", {});
    bench.engine.client.vaultPolicy = { ...defaultVaultPolicy, maxIdleMinutes: 2 };
    bench.engine.client.emit("view", undefined);
    await bench.clock.advance(2 * minute);
    expect(lockedView(bench).reason).toBe("idle");
  });
});

describe("erasing", () => {
  test("from the locked page destroys the vault and begins anew", async () => {
    const bench = await lockedBench();
    expect(await bench.send("vault.erase", { phrase: "erase" })).toMatchObject({
      error: { code: "argument-invalid" },
    });
    expect((await bench.send("vault.erase", { phrase: erasePhrase })).ok).toBe(true);
    expect(bench.engine.steps).toContain("destroyVault");
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("from a problem closes what is open first", async () => {
    const bench = new AppBench();
    bench.engine.hasVault("keychain");
    bench.engine.failures.set("openVault", new AppError("vault-key-missing"));
    await bench.start();
    expect((await bench.send("vault.erase", { phrase: erasePhrase })).ok).toBe(true);
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("that fails says so, and leaves a problem", async () => {
    const bench = await lockedBench();
    bench.engine.failures.set("destroyVault", new AppError("vault-in-use"));
    expect(await bench.send("vault.erase", { phrase: erasePhrase })).toMatchObject({
      error: { code: "vault-in-use" },
    });
    expect(bench.app.view).toMatchObject({ problem: { code: "vault-in-use" } });
  });

  test("that was cut short is finished at the next start", async () => {
    const bench = new AppBench();
    bench.engine.inspection = { kind: "unreadable", code: "vault-erased" };
    await bench.start();
    expect(bench.engine.steps).toContain("destroyVault");
    await bench.send("app.retry", {});
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("is not to be had while the vault is open", async () => {
    const bench = await readyBench();
    expect(await bench.send("vault.erase", { phrase: erasePhrase })).toMatchObject({
      error: { code: "not-ready" },
    });
    expect(bench.app.view.phase).toBe("ready");
  });
});
