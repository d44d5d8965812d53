import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  contentSecurityPolicy,
  pageHeaders,
  readPageFiles,
} from "../../../../electron/app/page-files.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sotto-page-"));
  await mkdir(join(directory, "assets"));
  await writeFile(join(directory, "index.html"), "<!doctype html>");
  await writeFile(join(directory, "assets/main-1.js"), "export {};");
  await writeFile(join(directory, "assets/main-1.js.map"), "{}");
  await writeFile(join(directory, "licenses.md"), "#");
});
afterEach(() => rm(directory, { recursive: true }));

describe("the table of page files", () => {
  test("holds the kinds a page needs, by path, and nothing else of the directory", async () => {
    const files = await readPageFiles(directory);
    expect([...files.keys()].sort()).toEqual(["/assets/main-1.js", "/index.html"]);
    expect(files.get("/index.html")?.mediaType).toBe("text/html; charset=utf-8");
    expect(new TextDecoder().decode(files.get("/assets/main-1.js")?.bytes)).toBe("export {};");
  });

  test("does not follow the disk after it was read", async () => {
    const files = await readPageFiles(directory);
    await writeFile(join(directory, "late.js"), "1");
    expect(files.has("/late.js")).toBe(false);
  });
});

describe("the content security policy", () => {
  const directives = new Map(
    contentSecurityPolicy.split("; ").map((text) => {
      const [name, ...values] = text.split(" ");
      return [name, values.join(" ")] as const;
    }),
  );

  test("forbids everything that it does not name", () => {
    expect(directives.get("default-src")).toBe("'none'");
    for (const name of ["base-uri", "form-action", "frame-ancestors"]) {
      expect(directives.get(name)).toBe("'none'");
    }
  });

  test("names only the page's own origin, and no inline, eval, data or network source", () => {
    for (const name of ["script-src", "style-src", "img-src", "font-src", "connect-src"]) {
      expect(directives.get(name)).toBe("'self'");
    }
    expect(contentSecurityPolicy).not.toMatch(/unsafe|data:|blob:|https?:|\*/u);
  });

  test("lets text become script only through Svelte's own policy", () => {
    expect(directives.get("require-trusted-types-for")).toBe("'script'");
    expect(directives.get("trusted-types")).toBe("svelte-trusted-html");
  });

  test("goes with every file, and with it the headers that keep it to itself", () => {
    expect(pageHeaders("image/png")).toMatchObject({
      "Content-Type": "image/png",
      "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
    });
  });
});
