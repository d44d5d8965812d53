import { AppError, decodeRecord } from "#protocol";
import { changePolicy } from "../account/change-policy.ts";
import { isAdministrator, loadNetworkKey } from "../account/network-key.ts";
import type { ClientCommands } from "../types.ts";
import type { Engine } from "./engine.ts";

type NetworkCommands = Pick<ClientCommands, "network.suspend" | "network.setPolicy">;

/** What an administrator decides about the network and its people. */
export function networkCommands({ core, directory, policy }: Engine): NetworkCommands {
  return {
    "network.suspend": async ({ userId, suspended }) => {
      core.ensureOnline();
      const { networkId, userId: me } = core.self;
      const person = core.people.get(userId);
      if (person === undefined) throw new AppError("not-found");
      if (!isAdministrator(core) || userId === me) throw new AppError("not-allowed");
      await loadNetworkKey(core);
      if (person.suspended === suspended) return null;
      const known = person.kept.suspension;
      const earlierMs = known === null ? 0 : decodeRecord("suspension", known.payload).issuedAtMs;
      // Later than the one before, even where two clocks differ.
      const issuedAtMs = Math.max(core.time.real(), earlierMs + 1);
      const { record } = await core.worker.call("record.sign", {
        kind: "suspension",
        value: { networkId, userId, suspended, issuedAtMs },
      });
      await core.request("user.suspend", { suspension: record });
      await directory.refresh();
      return null;
    },

    "network.setPolicy": async (change) => {
      core.ensureWritable();
      core.ensureOnline();
      if (!isAdministrator(core)) throw new AppError("not-allowed");
      await changePolicy(core, policy, change);
      return null;
    },
  };
}
