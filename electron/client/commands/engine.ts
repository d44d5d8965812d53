import type { ConnectionView, SettingsView } from "#protocol";
import type { Directory } from "../account/directory.ts";
import type { PolicyKeeper } from "../account/policy-keeper.ts";
import type { Commits } from "../conversations/commits.ts";
import type { Core } from "../core/core.ts";
import type { StoredAccount } from "../store/facts.ts";
import type { Sync } from "../sync.ts";
import type { ViewHub } from "../views/view-hub.ts";

/** The parts of the engine that commands use. */
export interface Engine {
  readonly core: Core;
  readonly hub: ViewHub;
  readonly commits: Commits;
  readonly sync: Sync;
  readonly directory: Directory;
  readonly policy: PolicyKeeper;
  readonly account: StoredAccount;
  /** Where the relay is now. */
  readonly relayUrl: string;
  settings: SettingsView;
  connection: ConnectionView;
  /** Something outside conversations has changed. */
  readonly viewChanged: () => void;
}
