import { ensureAppError } from "#protocol";
import type { ClientCommands } from "../types.ts";

/** Commands that never throw: what is wrong at once is a rejection too, and always an AppError. */
export function rejecting(commands: ClientCommands): ClientCommands {
  const wrapped = Object.entries(commands).map(([name, run]) => [
    name,
    (params: never) =>
      Promise.try<unknown, [never]>(run as (params: never) => unknown, params).catch(
        (error: unknown) => {
          throw ensureAppError(error);
        },
      ),
  ]);
  // The same names, parameters and results as before.
  return Object.fromEntries(wrapped) as ClientCommands;
}
