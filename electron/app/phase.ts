import type {
  AppError,
  AppView,
  ConnectionView,
  ErrorCode,
  KeySlotKind,
  LinkStepView,
  LockedView,
  ProblemView,
  SafeData,
  SettingsView,
  StartStep,
  VaultNotice,
} from "#protocol";
import type { Client } from "../client/index.ts";
import type { Vault } from "../vault/index.ts";
import type { RelayStatus } from "./relay-host.ts";
import type { TriesView } from "./tries.ts";

/** Where the app is, with what it holds open there. */
export type Phase =
  | { readonly kind: "starting"; readonly step: StartStep }
  | {
      readonly kind: "first-run";
      readonly keychainProblem: ErrorCode | null;
      /** Set when a first run stopped between making the vault and having the account. */
      readonly vault: Vault | null;
    }
  | { readonly kind: "linking"; readonly step: LinkStepView }
  | {
      readonly kind: "locked";
      readonly reason: LockedView["reason"];
      readonly newMessages: number;
      /** As they were when it was locked; null: it has not been open. */
      readonly settings: SettingsView | null;
    }
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
  /** What opens the vault. */
  readonly slots: readonly KeySlotKind[];
  readonly tries: TriesView;
  /** The keychain's name, when it protects nothing and is used all the same. */
  readonly weakKeychain: string | null;
}

/** The phase as a window sees it. */
export function phaseView(phase: Phase, surroundings: Surroundings): AppView {
  const { profile, link, relay, slots } = surroundings;
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
    case "linking":
      return { phase: "linking", profile, step: phase.step };
    case "locked":
      return {
        phase: "locked",
        profile,
        reason: phase.reason,
        ways: (["passphrase", "recovery-code"] as const).filter((way) => slots.includes(way)),
        ...surroundings.tries,
        newMessages: phase.newMessages,
      };
    case "problem":
      return { phase: "problem", profile, problem: phase.problem };
    case "ready": {
      const { me, network, settings, history } = phase.client.view;
      const connection = connectionView(phase.client.view, relay);
      const readOnly = phase.vault.readOnly;
      const canLock = slots.includes("passphrase");
      const vaultNotices = noticesOf(phase, surroundings);
      return {
        phase: "ready",
        profile,
        me,
        network,
        connection,
        readOnly,
        settings,
        history,
        canLock,
        vaultNotices,
      };
    }
  }
}

/** What the person should know of the vault's keys and their account's, the gravest first. */
function noticesOf(
  { vault, client }: Extract<Phase, { readonly kind: "ready" }>,
  { slots, weakKeychain }: Surroundings,
): readonly VaultNotice[] {
  const notices: VaultNotice[] = client.ownNotices.filter(({ kind }) => kind !== "own-device");
  const { rejoining, vaultPolicy } = client;
  const { rolledBack, keychainState, keychainProblem } = vault;
  if (rolledBack || rejoining !== null) {
    notices.push({ kind: "rolled-back", rejoining: rejoining ?? 0 });
  }
  if (keychainState === "behind" || keychainState === "unavailable") {
    notices.push({ kind: "keychain-behind", code: keychainProblem });
  }
  if (weakKeychain !== null && slots.includes("keychain")) {
    notices.push({ kind: "keychain-weak", backend: weakKeychain });
  }
  if (vaultPolicy.lockRequired && !slots.includes("passphrase")) {
    notices.push({ kind: "lock-required" });
  }
  notices.push(...client.ownNotices.filter(({ kind }) => kind === "own-device"));
  return notices;
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

/** Whether another slot may open what this failure keeps shut. */
export function isKeyProblem(code: ErrorCode): boolean {
  return (
    code.startsWith("keychain-") || code.startsWith("vault-key-") || code === "vault-rolled-back"
  );
}

/** Damage for good: what can be read is offered first, and nothing repairs it. */
const lost: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["vault-damaged", "vault-older-format"]);
/** What lies here is of no more use to its person, who may want it gone. */
const orphaned: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["device-revoked"]);
/** Trying again changes nothing. */
const final: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "vault-newer-format",
  "vault-older-format",
]);

/**
 * The ways out of a failed start. Erasing is offered last, and only where the vault itself can't be opened: not when it is in use, or
 * when it waits for a newer Sotto.
 */
export function problemView(
  { code, data }: Pick<AppError, "code" | "data">,
  ways: { readonly slots: readonly KeySlotKind[]; readonly readOnly: boolean },
): ProblemView {
  const hasKeyProblem = !ways.readOnly && isKeyProblem(code);
  return {
    code,
    actions: [
      ...(ways.readOnly ? (["open-read-only"] as const) : []),
      ...(final.has(code) ? [] : (["retry"] as const)),
      ...(hasKeyProblem && ways.slots.includes("passphrase") ? (["use-passphrase"] as const) : []),
      ...(hasKeyProblem && ways.slots.includes("recovery-code")
        ? (["use-recovery-code"] as const)
        : []),
      "quit",
      ...(hasKeyProblem || lost.has(code) || orphaned.has(code) ? (["erase"] as const) : []),
    ],
    changed: changedSince(data),
  };
}

/** What a vault says of its keychain slot when it could not be used: `<what>Then` and `<what>Now`. */
function changedSince(data: SafeData): ProblemView["changed"] {
  return (["backend", "application", "user", "path"] as const).flatMap((what) => {
    const before = data[`${what}Then`];
    const now = data[`${what}Now`];
    return typeof before === "string" && typeof now === "string" ? [{ what, before, now }] : [];
  });
}
