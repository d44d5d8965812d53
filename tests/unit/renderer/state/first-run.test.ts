import { beforeEach, describe, expect, test } from "vitest";
import { AppError } from "#protocol";
import { FirstRun, isName } from "../../../../renderer/state/first-run.svelte.ts";
import { settle, TestRuntime, TestTimers } from "./support.ts";

let runtime: TestRuntime;
let timers: TestTimers;
let form: FirstRun;

beforeEach(() => {
  runtime = new TestRuntime();
  timers = new TestTimers();
  runtime.answer("invite.inspect", ({ link }) => {
    if (link !== "sotto://join/good") throw new AppError("invite-malformed");
    return { networkName: "Halden", relayUrl: "wss://relay.example/" };
  });
  form = new FirstRun(runtime, timers.later);
});

describe("an invite link", () => {
  test("is read after a pause in typing, without the space around it", async () => {
    form.setLink("  sotto://join/go");
    form.setLink("  sotto://join/good ");
    expect(timers.waiting).toBe(1);
    timers.run();
    await settle();
    expect(form.preview?.networkName).toBe("Halden");
    expect(runtime.paramsOf("invite.inspect")).toEqual([{ link: "sotto://join/good" }]);
  });

  test("that is none says so, and is forgotten when it changes", async () => {
    form.setLink("https://example.org");
    timers.run();
    await settle();
    expect(form.linkProblem).toBe("invite-malformed");
    form.setLink("sotto://join/good");
    expect(form.linkProblem).toBeNull();
  });

  test("shows the answer for the link that stands there now, not for an earlier one", async () => {
    form.setLink("sotto://join/good");
    timers.run();
    form.setLink("sotto://join/other");
    await settle();
    expect(form.preview).toBeNull();
  });

  test("of an empty field isn't asked about", () => {
    form.setLink("  ");
    expect(timers.waiting).toBe(0);
  });
});

describe("joining", () => {
  beforeEach(async () => {
    form.open("join");
    form.setLink("sotto://join/good");
    timers.run();
    await settle();
  });

  test("needs a name, and shows that only after trying", async () => {
    expect(form.attempted).toBe(false);
    await form.submit();
    expect(form.attempted).toBe(true);
    expect(form.problems.name).toBe(true);
    expect(runtime.paramsOf("profile.join")).toEqual([]);
  });

  test("hands over link, name and no passphrase where there is a keychain", async () => {
    form.name = " Nora ";
    await form.submit();
    expect(runtime.paramsOf("profile.join")).toEqual([
      { link: "sotto://join/good", displayName: "Nora", passphrase: null },
    ]);
  });

  test("that fails says why and keeps what was entered", async () => {
    runtime.answer("profile.join", () => {
      throw new AppError("invite-used");
    });
    form.name = "Nora";
    await form.submit();
    expect(form.failure).toBe("invite-used");
    expect(form.busy).toBe(false);
    expect(form.name).toBe("Nora");
    expect(form.link).toBe("sotto://join/good");
  });

  test("can't be done twice at once", async () => {
    form.name = "Nora";
    await Promise.all([form.submit(), form.submit()]);
    expect(runtime.paramsOf("profile.join")).toHaveLength(1);
  });
});

describe("hosting without a keychain", () => {
  beforeEach(() => {
    form.open("host");
    form.needsPassphrase = true;
    form.name = "Nora";
    form.networkName = "Halden";
  });

  test("needs a passphrase of 12 characters, twice the same", async () => {
    form.passphrase = "short";
    expect(form.problems.passphrase).toBe("too-short");
    form.passphrase = "quiet violet lantern";
    form.repeated = "quiet violet lanterm";
    expect(form.problems.passphrase).toBe("differs");
    await form.submit();
    expect(runtime.paramsOf("profile.host")).toEqual([]);
  });

  test("hands it over, then forgets it", async () => {
    form.passphrase = "quiet violet lantern";
    form.repeated = "quiet violet lantern";
    await form.submit();
    expect(runtime.paramsOf("profile.host")).toEqual([
      { networkName: "Halden", displayName: "Nora", passphrase: "quiet violet lantern" },
    ]);
    expect(form.passphrase).toBe("");
    expect(form.repeated).toBe("");
  });

  test("keeps it when it failed, so that it needn't be typed again", async () => {
    runtime.answer("profile.host", () => {
      throw new AppError("relay-start-failed");
    });
    form.passphrase = "quiet violet lantern";
    form.repeated = "quiet violet lantern";
    await form.submit();
    expect(form.passphrase).toBe("quiet violet lantern");
  });
});

describe("a name", () => {
  test.each(["Nora", "نور", "N".repeat(80)])("%s is one", (name) => {
    expect(isName(name)).toBe(true);
  });

  test.each(["", "   ", "N".repeat(81), "a\u202eb", "a\nb"])("%j is none", (name) => {
    expect(isName(name)).toBe(false);
  });
});

describe("the code of another computer", () => {
  const code = "sotto://link/7KQ4-MW2P-9D3H-XT5B-0RVE-J8NC-4ZGY@wss://relay.example";

  test("opens its own door when Sotto was started with it, and asks for no name", async () => {
    form.receive(code);
    expect(form.door).toBe("link");
    expect(form.complete).toBe(true);
    runtime.answer("profile.link", () => null);
    await form.submit();
    expect(runtime.paramsOf("profile.link")).toEqual([{ link: code, passphrase: null }]);
    expect(form.code).toBe("");
  });

  test("stays in its field when it was refused", async () => {
    form.open("link");
    await form.submit();
    expect(form.attempted).toBe(true);
    expect(runtime.paramsOf("profile.link")).toEqual([]);
    runtime.answer("profile.link", () => {
      throw new AppError("link-code-used");
    });
    form.code = code;
    await form.submit();
    expect(form.failure).toBe("link-code-used");
    expect(form.code).toBe(code);
  });

  test("of an invite opens the other door", () => {
    form.receive("sotto://join/good");
    expect(form.door).toBe("join");
    expect(form.link).toBe("sotto://join/good");
  });
});
