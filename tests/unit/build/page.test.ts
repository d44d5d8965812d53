import { describe, expect, test } from "vitest";

import { inlineFaults } from "../../../build/bundle/renderer.ts";

describe("the page that is bundled", () => {
  test("passes with scripts and styles in files", () => {
    const page = `<!doctype html><html lang="en"><head><title>Sotto</title>
      <script type="module" crossorigin src="./assets/main-1.js"></script>
      <link rel="stylesheet" href="./assets/main-1.css"></head><body><div id="app"></div></body>`;
    expect(inlineFaults(page)).toEqual([]);
  });

  test.each([
    ["<script>alert(1)</script>", "a script without src"],
    ['<script type="module">import "x"</script>', "a script without src"],
    ["<style>p { color: red }</style>", "a style element"],
    ['<p style="color: red">', "a style attribute"],
    ['<body onload="go()">', "an event handler attribute"],
    ['<script src="https://example.org/x.js"></script>', "an address on the network"],
    ['<link href="//example.org/x.css">', "an address on the network"],
    ['<img src="data:image/png;base64,AAAA">', "a javascript: or data: address"],
    ['<a href="javascript:go()">', "a javascript: or data: address"],
  ])("fails with %s", (html, words) => {
    expect(inlineFaults(html)).toEqual([words]);
  });
});
