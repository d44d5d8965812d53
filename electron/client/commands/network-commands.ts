import { AppError, decodeRecord } from "#protocol";
import { readFact } from "../store/facts.ts";
import type { ClientCommands } from "../types.ts";
import type { Engine } from "./engine.ts";

type NetworkCommands = Pick<ClientCommands, "network.suspend">;

/** What an administrator decides about the network's people. */
export function networkCommands({ core, directory }: Engine): NetworkCommands {
  return {
    "network.suspend": async ({ userId, suspended }) => {
      core.ensureOnline();
      const { networkId, userId: me } = core.self;
      const person = core.people.get(userId);
      if (person === undefined) throw new AppError("not-found");
      const isAdministrator = core.people.get(me)?.user.role === "administrator";
      if (!isAdministrator || userId === me) throw new AppError("not-allowed");
      const sealedNetworkKey = readFact(core.vault, "networkKey");
      if (sealedNetworkKey === undefined) throw new AppError("network-key-missing");
      if (person.suspended === suspended) return null;
      const known = person.kept.suspension;
      const earlierMs = known === null ? 0 : decodeRecord("suspension", known.payload).issuedAtMs;
      // Later than the one before, even where two clocks differ.
      const issuedAtMs = Math.max(core.time.real(), earlierMs + 1);
      await core.worker.call("network.load", { sealedNetworkKey });
      const { record } = await core.worker.call("record.sign", {
        kind: "suspension",
        value: { networkId, userId, suspended, issuedAtMs },
      });
      await core.request("user.suspend", { suspension: record });
      await directory.refresh();
      return null;
    },
  };
}
