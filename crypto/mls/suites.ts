import type { CiphersuiteName } from "ts-mls";
import { supportedSuites, type SuiteName } from "#protocol";

export { suiteNames, supportedSuites, type SuiteName } from "#protocol";

/** Whether Sotto speaks the suite `name`. */
export function isSupportedSuite(name: string): name is SuiteName & CiphersuiteName {
  return supportedSuites.some((supported) => supported === name);
}
