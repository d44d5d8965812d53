import { beforeEach, describe, expect, test } from "vitest";
import { AppError, type CodeVerdict, type UserId, type VerificationView } from "#protocol";
import { Verification } from "../../../../renderer/state/verification.svelte.ts";
import { TestRuntime } from "./support.ts";

const userId = "AAAAAAAAAAAAAAAAAAAAAg" as UserId;
const view: VerificationView = {
  userId,
  displayName: "Ben",
  state: "unverified",
  verifiedAtMs: null,
  how: null,
  digits: "01234".repeat(12),
  code: "sotto-verify:own",
  devices: [],
};

let runtime: TestRuntime;
let verification: Verification;
let read: () => Promise<string | null>;
let verdict: CodeVerdict;

beforeEach(async () => {
  runtime = new TestRuntime();
  runtime.answer("verification.get", () => view);
  runtime.answer("verification.compare", () => ({ verdict }));
  read = () => Promise.resolve("sotto-verify:theirs");
  verdict = "matches";
  const codes = { fromPicture: () => read(), fromScreen: () => read() };
  verification = new Verification({ runtime, codes }, userId);
  await verification.load();
});

const picture = new Blob();

describe("scanning", () => {
  test("tells a code's verdict, and that there is no code, no picture, no screen", async () => {
    await verification.scanPicture(picture);
    expect(verification.result).toEqual({ kind: "verdict", verdict: "matches" });
    read = () => Promise.resolve(null);
    await verification.scanPicture(picture);
    expect(verification.result).toEqual({ kind: "no-code" });
    read = () => Promise.reject(new Error("no picture"));
    await verification.scanPicture(picture);
    expect(verification.result).toEqual({ kind: "not-picture" });
    await verification.scanScreen();
    expect(verification.result).toEqual({ kind: "no-screen" });
  });

  test("counts for nothing once the number is another", async () => {
    await verification.scanPicture(picture);
    runtime.answer("verification.get", () => ({ ...view, digits: "56789".repeat(12) }));
    await verification.load();
    expect(verification.result).toBeNull();
  });
});

describe("deciding", () => {
  test("says which number was seen, and how it was compared", async () => {
    await verification.accept(true);
    await verification.scanPicture(picture);
    await verification.accept(true);
    await verification.accept(false);
    expect(runtime.paramsOf("verification.accept")).toEqual(
      ["digits", "code", null].map((how) => ({ userId, digits: view.digits, how })),
    );
  });

  test("doesn't verify after a code that is for other keys", async () => {
    verdict = "differs";
    await verification.scanPicture(picture);
    expect(verification.differs).toBe(true);
    expect(await verification.accept(true)).toBe(false);
    expect(runtime.paramsOf("verification.accept")).toEqual([]);
  });

  test("that fails says why", async () => {
    runtime.answer("verification.accept", () => {
      throw new AppError("safety-number-changed");
    });
    expect(await verification.accept(true)).toBe(false);
    expect(verification.failure).toBe("safety-number-changed");
    expect(verification.busy).toBe(false);
  });
});
