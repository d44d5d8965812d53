import type { AppView, ConnectionView, ErrorCode, ProblemView, StartStep } from "#protocol";
import type { Client } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import type { RelayStatus } from "./relay-host.ts";

/** Where the app is, with what it holds open there. */
export type Phase =
  | { readonly kind: "starting"; readonly step: StartStep }
  | {
      readonly kind: "first-run";
      readonly keychainProblem: ErrorCode | null;
      /** Set when a first run stopped between making the vault and having the account. */
      readonly vault: Vault | null;
    }
  | { readonly kind: "locked" }
  | {
      readonly kind: "problem";
      readonly problem: ProblemView;
      /** A vault that opened for reading only. */
      readonly vault: Vault | null;
    }
  | { readonly kind: "ready"; readonly vault: Vault; readonly client: Client };

/** What stands around the phase. */
export interface Surroundings {
  readonly profile: string;
  /** The invite that Sotto was started with. */
  readonly link: string | null;
  /** The relay in this app. */
  readonly relay: RelayStatus;
}

/** The phase as a window sees it. */
export function phaseView(phase: Phase, { profile, link, relay }: Surroundings): AppView {
  switch (phase.kind) {
    case "starting":
      return { phase: "starting", profile, step: phase.step };
    case "first-run":
      return {
        phase: "first-run",
        profile,
        link,
        // With a vault there already, nothing is asked about its slots again.
        keychain:
          phase.vault === null && phase.keychainProblem !== null ? "unavailable" : "available",
        keychainProblem: phase.vault === null ? phase.keychainProblem : null,
      };
    case "locked":
      return { phase: "locked", profile };
    case "problem":
      return { phase: "problem", profile, problem: phase.problem };
    case "ready": {
      const { me, network, settings } = phase.client.view;
      const connection = connectionView(phase.client.view, relay);
      const readOnly = phase.vault.readOnly;
      return { phase: "ready", profile, me, network, connection, readOnly, settings };
    }
  }
}

/** Who hosts the network and has no connection is told why by the relay itself: it is on its way, or it can't start. */
function connectionView(
  { connection, network }: Client["view"],
  relay: RelayStatus,
): ConnectionView {
  if (!network.hosted || connection.kind !== "offline") return connection;
  if (relay.kind === "starting") return { kind: "connecting" };
  if (relay.kind !== "failed") return connection;
  return { kind: "offline", code: "relay-start-failed", retryAtMs: relay.retryAtMs };
}

/** The ways out of a failed start. Deleting is none of them. */
export function problemView(
  code: ErrorCode,
  ways: { readonly passphrase: boolean; readonly readOnly: boolean },
): ProblemView {
  return {
    code,
    actions: [
      ...(ways.readOnly ? (["open-read-only"] as const) : []),
      ...(code === "vault-newer-format" ? [] : (["retry"] as const)),
      ...(ways.passphrase ? (["use-passphrase"] as const) : []),
      "quit",
    ],
  };
}
