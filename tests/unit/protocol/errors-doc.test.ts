import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorKinds } from "#protocol";
import { errorsDocument } from "../../support/errors-doc.ts";

const file = join(import.meta.dirname, "..", "..", "..", "docs", "errors.md");

test("docs/errors.md is equal to the table of errors (UPDATE_DOCS=1 writes it anew)", () => {
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, errorsDocument());
  expect(readFileSync(file, "utf8")).toBe(errorsDocument());
});

test("the document has every code once", () => {
  const codes = [...errorsDocument().matchAll(/^- `([a-z-]+)`: /gmu)].map((match) => match[1]);
  expect(codes.toSorted()).toEqual(Object.keys(errorKinds).toSorted());
});
