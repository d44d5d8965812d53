import { expect, test } from "vitest";
import { maxNameCharacters } from "#protocol";
import { freeName } from "../../../../electron/client/linking/free-name.ts";

test("a name that nothing has stays, and another one gets the first number that is free", () => {
  expect(freeName("Mac", [])).toBe("Mac");
  expect(freeName("Mac", ["Linux computer"])).toBe("Mac");
  expect(freeName("Mac", ["Mac"])).toBe("Mac 2");
  expect(freeName("Mac", ["Mac", "Mac 2", "Mac 4"])).toBe("Mac 3");
});

test("with its number it is no longer than names may be, and no character is cut in two", () => {
  const name = "🖥".repeat(maxNameCharacters);
  expect(freeName(name, [name])).toBe(`${"🖥".repeat(maxNameCharacters - 2)} 2`);
});
