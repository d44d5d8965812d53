import { encodeCbor, equalBytes, type Objection, type PersonView, type UserId } from "#protocol";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { digestOf } from "../core/digest.ts";
import { putFact, readFact } from "../store/facts.ts";
import type { Notices } from "./notices.ts";
import { noteInShared } from "./shared-lines.ts";

/** Of so many it is known that they were told of. */
const mostTold = 500;

/** What isn't right in what the relay gave of somebody. */
export interface ObjectionsTo {
  /** null: somebody who isn't known here. */
  readonly person: PersonView | null;
  readonly objections: readonly Objection[];
}

/**
 * Says what of the directory was refused: in the notices, and in the conversations with whom it is about. Each record is told of once, however often the
 * relay gives it; and while the notice about a person is unread, no further line stands in their conversations.
 */
export class Objections {
  readonly #core: Core;
  readonly #notices: Notices;

  constructor(core: Core, notices: Notices) {
    this.#core = core;
    this.#notices = notices;
  }

  /** To be called once for the same changes. @returns whether there was anything to tell */
  async tell(changes: Changes, all: readonly ObjectionsTo[]): Promise<boolean> {
    const told = [...(readFact(this.#core.vault, "objectionsTold") ?? [])];
    const unread = this.#unread();
    const people = new Map<UserId, PersonView>();
    const before = told.length;
    for (const { person, objections } of all) {
      const [gravest] = await this.#untold(told, objections);
      if (gravest === undefined || person === null) continue;
      const by = person.userId;
      people.set(by, person);
      if (by === this.#core.self.userId || unread.has(by)) continue;
      unread.add(by);
      const line = { kind: "relay-objection", by, what: gravest.kind } as const;
      await noteInShared(this.#core, changes, by, [line]);
    }
    if (told.length === before) return false;
    changes.statements.push(putFact("objectionsTold", told.slice(-mostTold)));
    this.#notices.tell(changes, [{ kind: "relay-objections", people: [...people.values()] }]);
    return true;
  }

  /** The relay's directory is older than the one that is known. @returns whether there was anything to tell */
  tellBehind(changes: Changes, knownVersion: number): boolean {
    if (readFact(this.#core.vault, "behindTold") === knownVersion) return false;
    changes.statements.push(putFact("behindTold", knownVersion));
    this.#notices.tell(changes, [{ kind: "directory-behind" }]);
    return true;
  }

  /** Those that nobody was told of, which are added to `told`. */
  async #untold(told: Uint8Array[], objections: readonly Objection[]): Promise<Objection[]> {
    const untold: Objection[] = [];
    for (const objection of objections) {
      const { payload, signature } = objection.record;
      const digest = await digestOf(encodeCbor([objection.kind, payload, signature]));
      if (told.some((known) => equalBytes(known, digest))) continue;
      told.push(digest);
      untold.push(objection);
    }
    return untold;
  }

  /** Of whom the unread notice says it. */
  #unread(): Set<UserId> {
    const notice = this.#notices.unread.find(({ kind }) => kind === "relay-objections");
    const people = notice?.kind === "relay-objections" ? notice.people : [];
    return new Set(people.map(({ userId }) => userId));
  }
}
