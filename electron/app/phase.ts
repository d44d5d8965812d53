import type { AppView, ErrorCode, ProblemView, StartStep } from "#protocol";
import type { Client } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";

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

/** The phase as a window sees it. @param link - the invite that Sotto was started with */
export function phaseView(phase: Phase, profile: string, link: string | null): AppView {
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
      const { me, network, connection, settings } = phase.client.view;
      const readOnly = phase.vault.readOnly;
      return { phase: "ready", profile, me, network, connection, readOnly, settings };
    }
  }
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
