import { expect, test } from "vitest";
import { linkSymbol } from "../../../../renderer/features/linking/symbols.ts";
import { english, I18n } from "../../../../renderer/i18n/index.ts";

const { t } = new I18n(english, "en-GB");

test("each of the 64 numbers has a picture and a name of its own", () => {
  const symbols = Array.from({ length: 64 }, (_, number) => linkSymbol(number));
  expect(new Set(symbols.map(({ picture }) => picture)).size).toBe(64);
  expect(new Set(symbols.map(({ name }) => t(name))).size).toBe(64);
});
