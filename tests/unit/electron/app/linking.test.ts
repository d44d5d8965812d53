import { describe, expect, test } from "vitest";
import { AppError } from "#protocol";
import { AppBench, settle } from "../../../support/app-fakes.ts";

const code = "7KQ4-MW2P-9D3H-XT5B-0RVE-J8NC-4ZGY";
const params = { link: `sotto://link/${code}@wss://relay.halden.example`, passphrase: null };

describe("adding this computer to an account", () => {
  test("shows the symbols, and goes on when the person says that they match", async () => {
    const bench = await new AppBench().start();
    const linking = bench.send("profile.link", params);
    await settle();
    expect(bench.app.view).toEqual({
      phase: "linking",
      profile: "default",
      step: { kind: "compare", symbols: [1, 2, 3, 4, 5, 6] },
    });
    expect(await bench.send("profile.linkCompared", { match: true })).toMatchObject({ ok: true });
    expect(await linking).toEqual({ ok: true, result: null });
    expect(bench.engine.links).toEqual([code]);
    expect(bench.app.view.phase).toBe("ready");
  });

  test.each([
    ["profile.linkCompared", { match: false }, "link-symbols-differ"],
    ["profile.linkCancel", {}, "link-ended"],
  ] as const)(
    "%s %o leaves the form, with the vault for the next try",
    async (name, answer, why) => {
      const bench = await new AppBench().start();
      const linking = bench.send("profile.link", params);
      await settle();
      await bench.send(name, answer);
      expect(await linking).toEqual({ ok: false, error: { code: why } });
      expect(bench.app.view.phase).toBe("first-run");
      const again = bench.send("profile.link", params);
      await settle();
      await bench.send("profile.linkCompared", { match: true });
      expect((await again).ok).toBe(true);
      expect(bench.engine.created).toHaveLength(1);
    },
  );

  test("makes nothing for what is no code", async () => {
    const bench = await new AppBench().start();
    const answer = await bench.send("profile.link", { ...params, link: code });
    expect(answer).toEqual({ ok: false, error: { code: "link-code-malformed" } });
    expect(bench.engine.steps).not.toContain("createVault");
  });

  test("what goes wrong stands at the form", async () => {
    const bench = await new AppBench().start();
    bench.engine.failures.set("linkAccount", new AppError("link-code-used"));
    const answer = await bench.send("profile.link", params);
    expect(answer).toEqual({ ok: false, error: { code: "link-code-used" } });
    expect(bench.app.view.phase).toBe("first-run");
  });

  test("nobody is asked when nothing is shown", async () => {
    const bench = await new AppBench().start();
    const answer = await bench.send("profile.linkCompared", { match: true });
    expect(answer).toEqual({ ok: false, error: { code: "not-ready" } });
  });

  test("a lock while the symbols are shown ends it, and what was made is locked", async () => {
    const bench = await new AppBench().start();
    const passphrase = "correct horse battery staple";
    const linking = bench.send("profile.link", { ...params, passphrase });
    await settle();
    expect(await bench.send("vault.lock", {})).toMatchObject({ ok: true });
    expect((await linking).ok).toBe(false);
    expect(bench.app.view.phase).toBe("locked");
    expect(bench.engine.links).toEqual([]);
  });
});

test("a computer that was removed from the account keeps nothing open, and says what can be done", async () => {
  const bench = new AppBench();
  bench.engine.hasVault("keychain");
  bench.engine.progress = { kind: "ready", hosted: false, relayUrl: "ws://127.0.0.1:1" };
  await bench.start();
  const { client } = bench.engine;
  client.connection = { kind: "offline", code: "device-revoked", retryAtMs: 1 };
  client.emit("view", null);
  await settle();
  expect(bench.app.view).toMatchObject({
    phase: "problem",
    problem: { code: "device-revoked", actions: ["retry", "quit", "erase"] },
  });
  expect(client.closed).toBe(true);
  expect(bench.engine.vault.closed).toBe(true);
  expect(bench.engine.steps).toContain("dropKeys");
});
