import { describe, expect, test } from "vitest";
import { pageHandler } from "../../../../electron/shell/page-scheme.ts";

const files = new Map([
  ["/index.html", { mediaType: "text/html; charset=utf-8", bytes: new Uint8Array([60]) }],
  ["/assets/a.js", { mediaType: "text/javascript; charset=utf-8", bytes: new Uint8Array([59]) }],
]);
const serve = pageHandler(files);

describe("the sotto-app: scheme", () => {
  test("serves what is in the table, as what it is", async () => {
    const response = serve(new Request("sotto-app://sotto/assets/a.js?v=1#x"));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([59]));
  });

  test.each([
    "sotto-app://sotto/",
    "sotto-app://sotto/missing.js",
    "sotto-app://sotto/../../package.json",
    "sotto-app://sotto/%2e%2e/%2e%2e/package.json",
    "sotto-app://sotto/..%2f..%2fpackage.json",
    "sotto-app://sotto/assets%2fa.js",
    "sotto-app://sotto//etc/passwd",
    "sotto-app://sotto/C:/Windows/win.ini",
    "sotto-app://sotto/assets",
    "sotto-app://sotto/INDEX.html",
    "sotto-app://other/index.html",
    "sotto-app://sotto.evil/index.html",
    "sotto-app://sotto:1/index.html",
    "https://sotto/index.html",
  ])("has nothing at %s", (url) => {
    const response = serve(new Request(url));
    expect(response.status).toBe(404);
    expect(response.body).toBeNull();
  });

  test.each(["POST", "PUT", "HEAD", "OPTIONS"])("only reads: %s", (method) => {
    expect(serve(new Request("sotto-app://sotto/index.html", { method })).status).toBe(405);
  });
});
