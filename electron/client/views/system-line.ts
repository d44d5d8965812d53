import {
  decodeCbor,
  encodeCbor,
  type GroupChange,
  type ObjectionKind,
  type SystemLine,
  type Timers,
  type UserId,
} from "#protocol";
import { peopleOf } from "../store/store.ts";
import type { People } from "./people.ts";

/** A system line as it is kept: ids in place of names, which may change. */
export type StoredLine =
  | {
      readonly kind:
        | "created"
        | "joined"
        | "left"
        | "suspended"
        | "revoked"
        | "reopened"
        | "rejoined"
        | "forked";
      readonly by: UserId;
    }
  | {
      readonly kind: "added" | "removed" | "came-meanwhile" | "went-meanwhile" | "restored";
      readonly by: UserId;
      readonly people: readonly UserId[];
    }
  | { readonly kind: "renamed"; readonly by: UserId; readonly name: string }
  | { readonly kind: "suite"; readonly by: UserId; readonly suite: string }
  | { readonly kind: "timers"; readonly by: UserId; readonly timers: Timers }
  | { readonly kind: "roles"; readonly by: UserId; readonly administrators: readonly UserId[] }
  | { readonly kind: "key-changed"; readonly by: UserId; readonly stopped: boolean }
  | { readonly kind: "key-taken"; readonly by: UserId; readonly verified: boolean }
  | {
      readonly kind: "device-added" | "device-removed";
      readonly by: UserId;
      readonly deviceName: string;
    }
  | { readonly kind: "relay-objection"; readonly by: UserId; readonly what: ObjectionKind };

const maxLineBytes = 256 * 1024;

export function encodeLine(line: StoredLine): Uint8Array {
  return encodeCbor(line);
}

/** @param plain - what {@link encodeLine} gave, come back from the vault */
export function decodeLine(plain: Uint8Array): StoredLine {
  return decodeCbor(plain, maxLineBytes) as StoredLine;
}

/** A line with people's present names. */
export function lineView(line: StoredLine, people: People): SystemLine {
  const by = people.view(line.by);
  const views = (ids: readonly UserId[]) => ids.map((id) => people.view(id));
  switch (line.kind) {
    case "created":
    case "joined":
    case "left":
    case "suspended":
    case "revoked":
    case "reopened":
    case "rejoined":
    case "forked":
      return { kind: line.kind, by };
    case "added":
    case "removed":
    case "came-meanwhile":
    case "went-meanwhile":
    case "restored":
      return { kind: line.kind, by, people: views(line.people) };
    case "renamed":
      return { kind: line.kind, by, name: line.name };
    case "suite":
      return { kind: line.kind, by, suite: line.suite };
    case "timers":
      return { kind: line.kind, by, timers: line.timers };
    case "roles":
      return { kind: line.kind, by, administrators: views(line.administrators) };
    case "key-changed":
      return { kind: line.kind, by, stopped: line.stopped };
    case "key-taken":
      return { kind: line.kind, by, verified: line.verified };
    case "device-added":
    case "device-removed":
      return { kind: line.kind, by, deviceName: line.deviceName };
    case "relay-objection":
      return { kind: line.kind, by, what: line.what };
  }
}

/** What is needed to tell a change in words. */
export interface ChangeContext {
  /** The people of the conversation before and after it. */
  readonly before: ReadonlySet<UserId>;
  readonly after: ReadonlySet<UserId>;
  /** Who had asked to be taken out. */
  readonly leavers: ReadonlySet<UserId>;
  /** Who may not be in it any more, and why; left out: nobody. */
  readonly excluded?: ReadonlyMap<UserId, "suspended" | "revoked">;
  /** Whether it is the first commit, by which a conversation gets its first people. */
  readonly first: boolean;
  /** The suite that it has taken the conversation over to; null, or left out: it keeps its own. */
  readonly suite?: string | null;
}

function sameSet(left: readonly UserId[], right: readonly UserId[]): boolean {
  return left.length === right.length && left.every((id) => right.includes(id));
}

/** The lines that a commit leaves in the conversation, in order. A further device of somebody who is there leaves none. */
export function linesOfChange(change: GroupChange, context: ChangeContext): readonly StoredLine[] {
  const by = change.committer.userId;
  if (context.first) return [{ kind: "created", by }];
  const added = peopleOf(change.added).filter((id) => !context.before.has(id));
  const gone = peopleOf(change.removed).filter((id) => !context.after.has(id));
  const left = gone.filter((id) => context.leavers.has(id));
  const excluded = gone.flatMap((id) => {
    const kind = context.leavers.has(id) ? undefined : context.excluded?.get(id);
    return kind === undefined ? [] : [{ kind, by: id } as const];
  });
  const removed = gone.filter(
    (id) => !context.leavers.has(id) && context.excluded?.has(id) !== true,
  );
  const { before, after } = change;
  const lines: StoredLine[] = [
    ...left.map((id) => ({ kind: "left", by: id }) as const),
    ...excluded,
  ];
  if (removed.length > 0) lines.push({ kind: "removed", by, people: removed });
  if (added.length > 0) lines.push({ kind: "added", by, people: added });
  const { suite = null } = context;
  if (suite !== null) lines.push({ kind: "suite", by, suite });
  if (before.name !== after.name) lines.push({ kind: "renamed", by, name: after.name });
  if (
    before.timers.expirationSeconds !== after.timers.expirationSeconds ||
    before.timers.burnSeconds !== after.timers.burnSeconds
  ) {
    lines.push({ kind: "timers", by, timers: after.timers });
  }
  const staying = before.administrators.filter((id) => !gone.includes(id));
  if (!sameSet(staying, after.administrators)) {
    lines.push({ kind: "roles", by, administrators: after.administrators });
  }
  return lines;
}
