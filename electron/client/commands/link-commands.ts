import type { ClientCommands } from "../types.ts";
import type { DeviceLinker } from "../linking/device-linker.ts";

type LinkCommands = Pick<ClientCommands, Extract<keyof ClientCommands, `link.${string}`>>;

/** "Add a computer", at the device that is there already. */
export function linkCommands(linker: DeviceLinker): LinkCommands {
  return {
    "link.get": () => Promise.resolve(linker.view),
    "link.show": async () => {
      await linker.show();
      return null;
    },
    "link.match": async ({ history }) => {
      await linker.match(history);
      return null;
    },
    "link.differ": async () => {
      await linker.differ();
      return null;
    },
    "link.cancel": async () => {
      await linker.cancel();
      return null;
    },
  };
}
