import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { attacks, type Row } from "../../support/hostile/attacks.ts";

const scenes = Object.keys(attacks);
const rows = Object.values(attacks).flatMap((scene) => Object.values<Row>(scene));
const silent = rows.filter((row) => typeof row !== "string" && "nothing" in row);

test("at least 40 attacks of a hostile relay are told to the person, and the others have a reason", () => {
  expect(rows.length - silent.length).toBeGreaterThanOrEqual(40);
  for (const row of silent) expect(row).not.toEqual({ nothing: "" });
});

test("each scene of the table is played", () => {
  const here = import.meta.dirname;
  const files = readdirSync(here).filter((name) => name.startsWith("hostile-"));
  const source = files.map((name) => readFileSync(`${here}/${name}`, "utf8")).join("");
  const played = [...source.matchAll(/playing\("([^"]+)"\)/gu)].map((match) => match[1]);
  expect(played.toSorted()).toEqual(scenes.toSorted());
});
