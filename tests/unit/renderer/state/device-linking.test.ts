import { beforeEach, expect, test } from "vitest";
import { AppError } from "#protocol";
import { DeviceLinking } from "../../../../renderer/state/device-linking.svelte.ts";
import { TestRuntime } from "./support.ts";

let runtime: TestRuntime;
let linking: DeviceLinking;
let errors: unknown[];

beforeEach(() => {
  runtime = new TestRuntime();
  errors = [];
  linking = new DeviceLinking(runtime, (error) => errors.push(error));
  for (const name of ["link.show", "link.match", "link.differ", "link.cancel"] as const) {
    runtime.answer(name, () => null);
  }
});

test("shows what the engine says, from the code to the end", async () => {
  const stop = linking.start();
  expect(runtime.paramsOf("link.show")).toHaveLength(1);
  runtime.emit("link.changed", { kind: "compare", symbols: [1], historyAllowed: true });
  expect(linking.view.kind).toBe("compare");
  linking.history = false;
  await linking.match();
  expect(runtime.paramsOf("link.match")).toEqual([{ history: false }]);
  stop();
  runtime.emit("link.changed", { kind: "waiting" });
  expect(linking.view.kind).toBe("compare");
});

test("says why nothing could be shown", async () => {
  const failure = new AppError("relay-unreachable");
  runtime.answer("link.show", () => {
    throw failure;
  });
  await linking.show();
  expect(errors).toEqual([failure]);
  expect(linking.busy).toBe(false);
});
