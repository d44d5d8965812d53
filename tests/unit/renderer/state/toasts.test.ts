import { expect, test } from "vitest";
import { Toasts } from "../../../../renderer/state/toasts.svelte.ts";
import { TestTimers } from "./support.ts";

function texts(toasts: Toasts): readonly string[] {
  return toasts.shown.map(({ text }) => text);
}

test("notices go by themselves", () => {
  const timers = new TestTimers();
  const toasts = new Toasts(timers);
  toasts.info("copied");
  expect(texts(toasts)).toEqual(["copied"]);
  timers.run();
  expect(texts(toasts)).toEqual([]);
});

test("the same words stand there once, and at most three notices at a time", () => {
  const toasts = new Toasts(new TestTimers());
  for (const text of ["a", "b", "a", "c", "d"]) toasts.error(text);
  expect(texts(toasts)).toEqual(["a", "c", "d"]);
});

test("one that is dismissed takes no other with it when its time is up", () => {
  const timers = new TestTimers();
  const toasts = new Toasts(timers);
  toasts.info("a");
  toasts.dismiss(toasts.shown[0]!.id);
  timers.run();
  toasts.info("b");
  expect(texts(toasts)).toEqual(["b"]);
});
