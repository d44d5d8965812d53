import { errorKinds, type ErrorCode } from "#protocol";
import { common } from "./common.ts";
import { composer } from "./composer.ts";
import { conversation } from "./conversation.ts";
import { details } from "./details.ts";
import { firstRun } from "./first-run.ts";
import { linking } from "./linking.ts";
import { list } from "./list.ts";
import { rules } from "./rules.ts";
import { search } from "./search.ts";
import { settings } from "./settings.ts";
import { suspension } from "./suspension.ts";
import { trust } from "./trust.ts";
import { vault } from "./vault.ts";

/** English: the catalogue that every other one is measured against. */
export const englishMessages = {
  ...common,
  ...firstRun,
  ...list,
  ...conversation,
  ...composer,
  ...details,
  ...linking,
  ...rules,
  ...search,
  ...settings,
  ...suspension,
  ...trust,
  ...vault,
} as const;

/** The words of every error code; in English they stand beside the codes. */
export const englishErrors = Object.fromEntries(
  Object.entries(errorKinds).map(([code, kind]) => [code, kind.text]),
) as Readonly<Record<ErrorCode, string>>;
