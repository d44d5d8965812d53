import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseArguments } from "../../../../electron/app/arguments.ts";
import {
  dataDirectory,
  isProfileName,
  profilePaths,
  type Machine,
} from "../../../../electron/app/profile.ts";

const linux: Machine = { platform: "linux", env: {}, home: "/home/ada" };

describe("profile names", () => {
  test.each(["default", "a", "work-2", "a_b", "x".repeat(32)])("%j is one", (name) => {
    expect(isProfileName(name)).toBe(true);
  });

  test.each([
    "",
    "Work",
    "-a",
    "_a",
    ".",
    "..",
    "a/b",
    "a\\b",
    "../x",
    "a.b",
    "a b",
    "ä",
    "con",
    "com1",
    "x".repeat(33),
    "a\0",
    "a\n",
  ])("%j is none", (name) => {
    expect(isProfileName(name)).toBe(false);
    expect(() => profilePaths(linux, name)).toThrow(
      expect.objectContaining({ code: "profile-name-invalid" }),
    );
  });
});

describe("where data lies", () => {
  test("is the platform's place, on the machine and never roaming", () => {
    expect(dataDirectory(linux)).toBe("/home/ada/.local/share/sotto");
    expect(dataDirectory({ ...linux, env: { XDG_DATA_HOME: "/data" } })).toBe("/data/sotto");
    expect(dataDirectory({ ...linux, env: { XDG_DATA_HOME: "relative" } })).toBe(
      "/home/ada/.local/share/sotto",
    );
    expect(dataDirectory({ ...linux, platform: "darwin" })).toBe(
      "/home/ada/Library/Application Support/Sotto",
    );
    const env = { LOCALAPPDATA: "/C/Local", APPDATA: "/C/Roaming" };
    expect(dataDirectory({ ...linux, platform: "win32", env })).toBe(join("/C/Local", "Sotto"));
  });

  test("is SOTTO_DATA_DIR when that is set, on every platform", () => {
    for (const platform of ["linux", "darwin", "win32"] as const) {
      expect(dataDirectory({ platform, env: { SOTTO_DATA_DIR: "/d" }, home: "/h" })).toBe("/d");
    }
    expect(dataDirectory({ ...linux, env: { SOTTO_DATA_DIR: "" } })).toBe(
      "/home/ada/.local/share/sotto",
    );
  });

  test("is apart for each profile", () => {
    const paths = profilePaths({ ...linux, env: { SOTTO_DATA_DIR: "/d" } }, "work");
    expect(paths).toEqual({
      name: "work",
      root: "/d/profiles/work",
      vault: "/d/profiles/work/vault",
      relay: "/d/profiles/work/relay",
      browser: "/d/profiles/work/browser",
    });
  });
});

describe("the command line", () => {
  test("without anything is the default profile", () => {
    expect(parseArguments([])).toEqual({ profile: "default", link: null, port: 0 });
  });

  test("names profile and port in both ways of writing", () => {
    expect(parseArguments(["--profile", "bob", "--port=4000"])).toMatchObject({
      profile: "bob",
      port: 4000,
    });
    expect(parseArguments(["--profile=bob", "--port", "4000"])).toMatchObject({
      profile: "bob",
      port: 4000,
    });
  });

  test("may carry a link among words that others add", () => {
    expect(parseArguments(["--no-first-run", "sotto://join/abc", "--x"])).toMatchObject({
      link: "sotto://join/abc",
    });
    expect(parseArguments(["sotto://join/abc/"]).link).toBe("sotto://join/abc");
  });

  test("gives no option to whoever made the link", () => {
    expect(parseArguments(["--profile=work", "--", "sotto://join/abc", "--profile=evil"])).toEqual({
      profile: "work",
      link: "sotto://join/abc",
      port: 0,
    });
  });

  test.each([
    "https://example.com",
    "sottox://join/abc",
    "sotto:",
    "sotto://join/a b",
    "sotto://join/\u202e",
    `sotto://join/${"a".repeat(5000)}`,
  ])("takes %j for no link", (word) => {
    expect(parseArguments([word]).link).toBeNull();
  });

  test.each([["--profile"], ["--profile", "../x"], ["--profile="], ["--profile", "--port"]])(
    "refuses a bad profile name: %j %j",
    (...words) => {
      expect(() => parseArguments(words)).toThrow(
        expect.objectContaining({ code: "profile-name-invalid" }),
      );
    },
  );

  test.each(["-1", "70000", "x", "", "80 "])("refuses the port %j", (port) => {
    expect(() => parseArguments([`--port=${port}`])).toThrow(
      expect.objectContaining({ code: "argument-invalid" }),
    );
  });
});
