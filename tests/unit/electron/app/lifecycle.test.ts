import { describe, expect, test } from "vitest";
import {
  AppError,
  erasePhrase,
  formatInviteLink,
  type ErrorCode,
  type KeySlotKind,
} from "#protocol";
import { AppBench, fakeVault, healthyRelay, settle } from "../../../support/app-fakes.ts";

const invite = {
  relayUrl: "ws://127.0.0.1:4100",
  networkKey: new Uint8Array(32).fill(7),
  networkName: "Lab",
  token: new Uint8Array(16).fill(9),
};
const link = formatInviteLink(invite);
const hostParams = { networkName: "Lab", displayName: "Ada", passphrase: null };
const joinParams = { link, displayName: "Bob", passphrase: null };
const goodPassphrase = "correct horse battery staple";

function benchWithVault(slots: readonly KeySlotKind[]): AppBench {
  const bench = new AppBench();
  bench.engine.hasVault(...slots);
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  return bench;
}

describe("a profile without a vault", () => {
  test("asks, with the link it was started with, whether the keychain works", async () => {
    const bench = await new AppBench().start(link);
    expect(bench.app.view).toEqual({
      phase: "first-run",
      profile: "default",
      link,
      keychain: "available",
      keychainProblem: null,
    });
    expect(bench.engine.created).toEqual([]);
  });

  test("hosts a network: keys, relay, account, sweep, in this order", async () => {
    const bench = await new AppBench().start();
    bench.events.length = 0;
    expect(await bench.send("profile.host", hostParams)).toEqual({ ok: true, result: null });
    expect(bench.phases).toEqual(["making-keys", "starting-relay", "joining", "sweeping", "ready"]);
    expect(bench.engine.created).toEqual([{ keychain: true, passphrase: null }]);
    expect(bench.engine.accounts).toEqual([
      {
        claim: { claimCode: "code-1", networkName: "Lab" },
        invite: { relayUrl: "ws://127.0.0.1:4100" },
        displayName: "Ada",
        hosted: true,
      },
    ]);
    expect(bench.relays).toHaveLength(1);
  });

  test("joins with an invite, without a relay of its own", async () => {
    const bench = await new AppBench().start();
    expect(await bench.send("profile.join", joinParams)).toEqual({ ok: true, result: null });
    expect(bench.engine.accounts).toEqual([
      { claim: null, invite, displayName: "Bob", hosted: false },
    ]);
    expect(bench.relays).toEqual([]);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("makes nothing for a link that is no whole invite", async () => {
    const bench = await new AppBench().start();
    const answer = await bench.send("profile.join", { ...joinParams, link: link.slice(0, -4) });
    expect(answer).toEqual({ ok: false, error: { code: "invite-malformed" } });
    expect(bench.engine.steps).not.toContain("createVault");
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("keeps the vault of a failed join and uses it for the next try", async () => {
    const bench = await new AppBench().start();
    bench.engine.failures.set("createAccount", new AppError("relay-unreachable"));
    const failed = await bench.send("profile.join", joinParams);
    expect(failed).toEqual({ ok: false, error: { code: "relay-unreachable" } });
    expect(bench.app.view.phase).toBe("first-run");
    bench.engine.failures.clear();
    expect((await bench.send("profile.join", joinParams)).ok).toBe(true);
    expect(bench.engine.created).toHaveLength(1);
    expect(bench.engine.vault.closed).toBe(false);
  });

  test("refuses to host on a relay that serves another vault's network", async () => {
    const bench = new AppBench();
    bench.relayAnswer = (request) =>
      request.kind === "start"
        ? { kind: "started", relayUrl: "ws://127.0.0.1:4100", claimCode: null }
        : { kind: "stopped" };
    await bench.start();
    expect(await bench.send("profile.host", hostParams)).toEqual({
      ok: false,
      error: { code: "network-claimed" },
    });
    expect(bench.app.view.phase).toBe("first-run");
    expect(bench.relays.at(-1)?.requests.at(-1)).toEqual({ kind: "stop" });
  });

  test("says why the relay did not start, and lets the person try again", async () => {
    const bench = new AppBench();
    bench.relayAnswer = () => ({ kind: "failed", error: { code: "relay-start-failed" } });
    await bench.start();
    const failed = await bench.send("profile.host", hostParams);
    expect(failed).toEqual({ ok: false, error: { code: "relay-start-failed" } });
    bench.relayAnswer = (request) =>
      request.kind === "start"
        ? { kind: "started", relayUrl: "ws://127.0.0.1:4100", claimCode: "code-2" }
        : { kind: "stopped" };
    expect((await bench.send("profile.host", hostParams)).ok).toBe(true);
  });
});

describe("a keychain that is absent or hangs", () => {
  test.each<ErrorCode>(["keychain-absent", "keychain-timeout", "keychain-weak"])(
    "%s asks for a passphrase and makes no vault without one",
    async (code) => {
      const bench = new AppBench();
      bench.engine.keychainProblem = code;
      await bench.start();
      expect(bench.app.view).toMatchObject({ keychain: "unavailable", keychainProblem: code });
      expect(await bench.send("profile.host", hostParams)).toEqual({
        ok: false,
        error: { code: "passphrase-weak" },
      });
      expect(bench.engine.created).toEqual([]);
      const params = { ...hostParams, passphrase: goodPassphrase };
      expect((await bench.send("profile.host", params)).ok).toBe(true);
      expect(bench.engine.created).toEqual([{ keychain: false, passphrase: goodPassphrase }]);
    },
  );

  test("is looked at again when the person says so", async () => {
    const bench = new AppBench();
    bench.engine.keychainProblem = "keychain-timeout";
    await bench.start();
    bench.engine.keychainProblem = null;
    expect((await bench.send("app.retry", {})).ok).toBe(true);
    expect(bench.app.view).toMatchObject({ phase: "first-run", keychain: "available" });
  });

  test("that fails only when the key is stored leaves the first run with the passphrase choice", async () => {
    const bench = await new AppBench().start();
    bench.engine.failures.set("createVault", new AppError("keychain-denied"));
    expect((await bench.send("profile.host", hostParams)).ok).toBe(false);
    expect(bench.app.view).toMatchObject({
      phase: "first-run",
      keychain: "unavailable",
      keychainProblem: "keychain-denied",
    });
  });

  test("at a vault that is there is a problem with ways out, and never a new vault", async () => {
    const bench = benchWithVault(["keychain", "recovery-code"]);
    const changed = { backendThen: "KWallet", backendNow: "Secret Service", userNow: "ada" };
    bench.engine.failures.set("openVault", new AppError("keychain-timeout", { data: changed }));
    await bench.start();
    expect(bench.app.view).toMatchObject({
      phase: "problem",
      problem: {
        code: "keychain-timeout",
        actions: ["retry", "use-recovery-code", "quit", "erase"],
        changed: [{ what: "backend", before: "KWallet", now: "Secret Service" }],
      },
    });
    expect(bench.logged.map(({ data }) => data)).toEqual([{}]);
    expect(await bench.send("profile.host", hostParams)).toEqual({
      ok: false,
      error: { code: "vault-exists" },
    });
    expect(await bench.send("profile.join", joinParams)).toEqual({
      ok: false,
      error: { code: "vault-exists" },
    });
    expect(bench.engine.steps).not.toContain("createVault");
    bench.engine.failures.clear();
    expect(await bench.send("vault.unlock", { passphrase: goodPassphrase })).toMatchObject({
      error: { code: "not-ready" },
    });
    expect((await bench.send("vault.unlockWithCode", { code: "CODE" })).ok).toBe(true);
    expect(bench.engine.opened).toEqual([{ kind: "recovery-code", code: "CODE" }]);
    expect(bench.app.view.phase).toBe("ready");
  });
});

describe("a profile with a vault", () => {
  test("opens by itself with the keychain", async () => {
    const bench = await benchWithVault(["keychain"]).start();
    expect(bench.phases).toEqual(["unlocking", "sweeping", "ready"]);
    expect(bench.engine.opened).toEqual([{ kind: "keychain" }]);
  });

  test("that hosts is ready without its relay, which is tried again and then used at once", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.progress = { kind: "ready", hosted: true, relayUrl: "ws://127.0.0.1:4100" };
    bench.relayAnswer = () => ({ kind: "failed", error: { code: "relay-start-failed" } });
    await bench.start();
    bench.engine.client.hosted = true;
    bench.engine.client.connection = { kind: "offline", code: "relay-unreachable", retryAtMs: 1 };
    expect(bench.app.view).toMatchObject({
      phase: "ready",
      connection: { kind: "offline", code: "relay-start-failed" },
    });
    expect(bench.engine.client.retries).toBe(0);
    bench.relayAnswer = () => "silence";
    await bench.clock.advance(2_000);
    expect(bench.app.view).toMatchObject({ connection: { kind: "connecting" } });
    bench.relays.at(-1)?.say(null);
    bench.relayAnswer = healthyRelay(null);
    await settle();
    await bench.clock.advance(4_000);
    expect(bench.relays).toHaveLength(3);
    expect(bench.engine.client.retries).toBe(1);
  });

  test("without a keychain slot stays locked until the passphrase is right", async () => {
    const bench = await benchWithVault(["passphrase"]).start();
    expect(bench.app.view).toEqual({
      phase: "locked",
      profile: "default",
      reason: "start",
      ways: ["passphrase"],
      waitUntilMs: null,
      attemptsLeft: null,
      newMessages: 0,
    });
    bench.engine.failures.set("openVault", new AppError("passphrase-wrong"));
    expect(await bench.send("vault.unlock", { passphrase: "wrong" })).toEqual({
      ok: false,
      error: { code: "passphrase-wrong" },
    });
    expect(bench.app.view.phase).toBe("locked");
    bench.engine.failures.clear();
    expect((await bench.send("vault.unlock", { passphrase: goodPassphrase })).ok).toBe(true);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("that has no passphrase can't be unlocked with one", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.failures.set("openVault", new AppError("vault-key-missing"));
    await bench.start();
    expect(bench.app.view).toMatchObject({ problem: { actions: ["retry", "quit", "erase"] } });
    expect(await bench.send("vault.unlock", { passphrase: "x" })).toEqual({
      ok: false,
      error: { code: "not-ready" },
    });
  });

  test("offers other slots, and to erase it, only where the key is the trouble", async () => {
    const bench = benchWithVault(["keychain", "recovery-code"]);
    for (const code of ["vault-in-use", "disk-full", "internal"] as const) {
      bench.engine.failures.set("openVault", new AppError(code));
      if (code === "vault-in-use") await bench.start();
      else await bench.send("app.retry", {});
      expect(bench.app.view).toMatchObject({ problem: { code, actions: ["retry", "quit"] } });
      for (const [name, params] of [
        ["vault.unlockWithCode", { code: "CODE" }],
        ["vault.erase", { phrase: erasePhrase }],
      ] as const) {
        expect(await bench.send(name, params)).toMatchObject({ error: { code: "not-ready" } });
      }
    }
    expect(bench.engine.steps).not.toContain("destroyVault");
  });

  test("that a newer Sotto wrote offers nothing but to quit", async () => {
    const bench = new AppBench();
    bench.engine.inspection = { kind: "unreadable", code: "vault-newer-format" };
    await bench.start();
    expect(bench.app.view).toMatchObject({
      phase: "problem",
      problem: { code: "vault-newer-format", actions: ["quit"] },
    });
  });

  test("that is damaged opens for reading only when the person says so", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.vault = fakeVault("vault-damaged");
    await bench.start();
    expect(bench.app.view).toMatchObject({
      phase: "problem",
      problem: { code: "vault-damaged", actions: ["open-read-only", "retry", "quit", "erase"] },
    });
    expect((await bench.send("app.openReadOnly", {})).ok).toBe(true);
    expect(bench.app.view).toMatchObject({ phase: "ready", readOnly: "vault-damaged" });
  });

  test("can't be opened for reading only when there is nothing to open", async () => {
    const bench = await new AppBench().start();
    expect(await bench.send("app.openReadOnly", {})).toEqual({
      ok: false,
      error: { code: "not-ready" },
    });
  });

  test("retry closes what was half open and begins anew", async () => {
    const bench = benchWithVault(["keychain"]);
    const damaged = fakeVault("vault-damaged");
    bench.engine.vault = damaged;
    await bench.start();
    bench.engine.vault = fakeVault();
    expect((await bench.send("app.retry", {})).ok).toBe(true);
    expect(damaged.closed).toBe(true);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("whose client can't be opened is closed and shown as a problem", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.failures.set("openClient", new Error("boom"));
    await bench.start();
    expect(bench.app.view).toMatchObject({ problem: { code: "internal" } });
    expect(bench.engine.vault.closed).toBe(true);
    expect(bench.logged).toHaveLength(1);
  });

  test("does not start when the self-test of its cryptography fails", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.failures.set("selfTest", new AppError("crypto-self-test-failed"));
    await bench.start();
    expect(bench.app.view).toMatchObject({ problem: { code: "crypto-self-test-failed" } });
    expect(bench.engine.steps).toEqual(["selfTest"]);
  });
});

describe("a first run that stopped halfway", () => {
  test("between vault and account shows the first run again, without asking for slots", async () => {
    const bench = benchWithVault(["passphrase"]);
    bench.engine.progress = { kind: "none" };
    bench.engine.keychainProblem = "keychain-absent";
    await bench.start();
    await bench.send("vault.unlock", { passphrase: goodPassphrase });
    expect(bench.app.view).toMatchObject({ phase: "first-run", keychain: "available" });
    expect((await bench.send("profile.join", joinParams)).ok).toBe(true);
    expect(bench.engine.created).toEqual([]);
  });

  test("of a join goes on by itself", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.progress = unfinished({ claim: null, invite });
    await bench.start();
    expect(bench.engine.accounts).toEqual([
      { claim: null, invite, displayName: "Bob", hosted: false },
    ]);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("of a join that still fails shows the form with the invite filled in", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.progress = unfinished({ claim: null, invite });
    bench.engine.failures.set("createAccount", new AppError("relay-unreachable"));
    await bench.start();
    expect(bench.app.view).toMatchObject({ phase: "first-run", link });
  });

  test("of a host starts the relay again and uses the claim that was begun", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.relayAnswer = (request) =>
      request.kind === "start"
        ? { kind: "started", relayUrl: "ws://127.0.0.1:4200", claimCode: null }
        : { kind: "stopped" };
    const claim = { claimCode: "code-1", networkName: "Lab" };
    bench.engine.progress = unfinished({ claim, invite: { relayUrl: "ws://127.0.0.1:4100" } });
    await bench.start();
    expect(bench.engine.accounts).toEqual([
      { claim, invite: { relayUrl: "ws://127.0.0.1:4200" }, displayName: "Bob", hosted: true },
    ]);
    expect(bench.app.view.phase).toBe("ready");
  });

  function unfinished(origin: object): never {
    const device = { deviceName: "bench", platform: "linux", hosted: false };
    return { kind: "unfinished", origin, displayName: "Bob", ...device } as never;
  }
});

describe("one thing at a time", () => {
  test("a second command meanwhile is refused, not queued", async () => {
    const bench = await new AppBench().start();
    let open = (): void => undefined;
    bench.engine.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = bench.send("profile.host", hostParams);
    await settle();
    expect(await bench.send("profile.join", joinParams)).toMatchObject({
      error: { code: "not-ready" },
    });
    open();
    expect((await first).ok).toBe(true);
    expect(bench.engine.accounts).toHaveLength(1);
  });

  test("stop waits for what is under way and ends everything in order", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.progress = { kind: "ready", hosted: true, relayUrl: "ws://127.0.0.1:1" };
    bench.begin();
    await bench.app.stop();
    expect(bench.engine.client.closed).toBe(true);
    expect(bench.engine.client.listenerCount).toBe(0);
    expect(bench.engine.vault.closed).toBe(true);
    expect(bench.engine.disposed).toBe(true);
    expect(bench.relays[0]?.requests.at(-1)).toEqual({ kind: "stop" });
    expect(await bench.send("app.retry", {})).toMatchObject({ error: { code: "not-ready" } });
  });
});

describe("something that hangs", () => {
  test("does not keep the app from ending", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.gate = new Promise(() => undefined);
    bench.begin();
    const stopping = bench.app.stop();
    await bench.clock.advance(10_000);
    await stopping;
    expect(bench.engine.disposed).toBe(true);
  });
});

describe("a crypto worker that died", () => {
  test("takes the vault's keys with it: the vault is closed and opened again", async () => {
    const bench = await benchWithVault(["keychain"]).start();
    const first = bench.engine.vault;
    bench.engine.vault = fakeVault();
    bench.engine.restartWorker();
    await settle();
    await settle();
    expect(first.closed).toBe(true);
    expect(bench.engine.vault.closed).toBe(false);
    expect(bench.app.view.phase).toBe("ready");
  });

  test("leaves a vault with a passphrase locked", async () => {
    const bench = await benchWithVault(["keychain", "passphrase"]).start();
    await bench.send("vault.unlock", { passphrase: goodPassphrase });
    bench.engine.restartWorker();
    await settle();
    await settle();
    expect(bench.app.view.phase).toBe("locked");
  });

  test("while the app starts, or right after, is no reason to stay with a problem", async () => {
    const bench = benchWithVault(["keychain"]);
    bench.engine.failures.set("selfTest", new AppError("worker-stopped"));
    await bench.start();
    expect(bench.app.view).toMatchObject({ problem: { code: "worker-stopped" } });
    bench.engine.failures.clear();
    bench.engine.restartWorker();
    await settle();
    await settle();
    expect(bench.app.view.phase).toBe("ready");
  });

  test("with no vault open changes nothing", async () => {
    const bench = await new AppBench().start();
    bench.events.length = 0;
    bench.engine.restartWorker();
    await settle();
    expect(bench.events).toEqual([]);
  });
});
