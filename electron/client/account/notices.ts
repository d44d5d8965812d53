import type { OwnAccountNotice, PersonView } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";

/** Names a notice, whatever it says in detail. */
export type NoticeName = Pick<OwnAccountNotice, "kind"> & { readonly deviceId?: string };

/** What a person should read about their own account and the directory: each is told until they have. */
export class Notices {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** What the person hasn't read, the gravest first. */
  get unread(): readonly OwnAccountNotice[] {
    return this.#stored.toSorted((left, right) => rank(left) - rank(right));
  }

  /** May be called several times for the same changes. */
  tell(changes: Changes, news: readonly OwnAccountNotice[]): void {
    if (news.length === 0) return;
    changes.news.push(...news);
    const all = changes.news.reduce(withOne, this.#stored);
    changes.statements.push(putFact("ownNotices", all));
  }

  dismiss(changes: Changes, name: NoticeName): void {
    const left = this.#stored.filter((known) => !isSame(known, name));
    changes.statements.push(putFact("ownNotices", left));
  }

  get #stored(): readonly OwnAccountNotice[] {
    return readFact(this.#core.vault, "ownNotices") ?? [];
  }
}

const ranks = ["own-key", "relay-objections", "directory-behind", "own-device"] as const;

function rank({ kind }: OwnAccountNotice): number {
  return ranks.indexOf(kind);
}

function isSame(left: NoticeName, right: NoticeName): boolean {
  return left.kind === right.kind && left.deviceId === right.deviceId;
}

/** One that is there already makes room for the new one, which says of everybody of whom it said. */
function withOne(
  known: readonly OwnAccountNotice[],
  one: OwnAccountNotice,
): readonly OwnAccountNotice[] {
  const before = known.find((other) => isSame(other, one));
  const others = known.filter((other) => other !== before);
  if (one.kind !== "relay-objections" || before?.kind !== one.kind) return [...others, one];
  const people = new Map<string, PersonView>();
  for (const person of [...before.people, ...one.people]) people.set(person.userId, person);
  return [...others, { ...one, people: [...people.values()] }];
}
