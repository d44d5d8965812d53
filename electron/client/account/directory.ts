import {
  AppError,
  decodeRecord,
  encodeCbor,
  type DirectoryEntry,
  type PersonRecords,
  type PersonView,
  type RelayResult,
  type TrustedPerson,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";
import type { KeyChanges } from "./key-changes.ts";
import type { Notices } from "./notices.ts";
import type { Objections, ObjectionsTo } from "./objections.ts";
import { deviceLines, noteInShared } from "./shared-lines.ts";

/** Who is in the network: kept as signed, verified by the worker at each start and at each change. */
export class Directory {
  readonly #core: Core;
  readonly #keyChanges: KeyChanges;
  readonly #notices: Notices;
  readonly #objections: Objections;
  readonly #onChanged: () => void;
  #refreshing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param onChanged - called after people were added or changed, or something of them was refused */
  constructor(
    core: Core,
    parts: {
      readonly keyChanges: KeyChanges;
      readonly notices: Notices;
      readonly objections: Objections;
      readonly onChanged: () => void;
    },
  ) {
    this.#core = core;
    this.#keyChanges = parts.keyChanges;
    this.#notices = parts.notices;
    this.#objections = parts.objections;
    this.#onChanged = parts.onChanged;
  }

  get version(): number {
    return readFact(this.#core.vault, "directoryVersion") ?? 0;
  }

  /**
   * Tells the worker whose records are to be believed, and lets it verify those that the vault has.
   *
   * @throws AppError `relay-identity-changed` when the issuer's certificate is no longer valid
   */
  async begin(networkKey: Uint8Array): Promise<void> {
    const issuer = readFact(this.#core.vault, "issuer");
    if (issuer === undefined) throw new AppError("vault-damaged");
    const { certificate, key } = issuer;
    await this.#core.worker.call("directory.setNetwork", {
      networkKey,
      issuerCertificate: certificate,
      issuerKey: key,
    });
    await this.load();
  }

  /** Lets the worker verify what the vault has. */
  async load(): Promise<void> {
    const entries = this.#core.store.directory();
    if (entries.length === 0) return;
    const { people } = await this.#core.worker.call("directory.trust", { entries });
    this.#core.people.put(people.filter((person) => person !== null));
  }

  /**
   * Fetches what is new. A fetch that is under way may have been answered before the caller learned that there is more: another one
   * follows it, which all callers share that come until it begins.
   *
   * @throws AppError as `Core.request`
   */
  refresh(): Promise<void> {
    if (this.#refreshing === null) {
      this.#refreshing = this.#fetch().finally(() => {
        this.#refreshing = null;
      });
      return this.#refreshing;
    }
    const follow = (): Promise<void> => {
      this.#next = null;
      return this.refresh();
    };
    this.#next ??= this.#refreshing.then(follow, follow);
    return this.#next;
  }

  async #fetch(): Promise<void> {
    for (;;) {
      const afterVersion = this.version;
      const page = await this.#core.request("directory.list", { afterVersion });
      const reached = page.entries.at(-1)?.version ?? page.version;
      await this.#keyChanges.exclusively(() => this.#take(page, { afterVersion, reached }));
      if (reached >= page.version || page.entries.length === 0) return;
    }
  }

  async #take(
    { entries, version }: RelayResult<"directory.list">,
    { afterVersion, reached }: { readonly afterVersion: number; readonly reached: number },
  ): Promise<void> {
    if (entries.some((entry, index) => entry.version <= (entries[index - 1]?.version ?? 0))) {
      throw new AppError("frame-out-of-order", { data: { list: "directory" } });
    }
    const { people, otherKeys } = await this.#core.worker.call("directory.trust", { entries });
    const changes = new Changes();
    const accepted: TrustedPerson[] = [];
    const refused: ObjectionsTo[] = [];
    for (const [index, entry] of entries.entries()) {
      const person = people[index];
      if (person === null || person === undefined || this.#isOlder(person)) {
        if (otherKeys.some((other) => other.index === index)) continue;
        const objections = [{ kind: "person", record: entry.user }] as const;
        refused.push({ person: this.#claimed(entry), objections });
        continue;
      }
      accepted.push(person);
      await this.#keep(changes, entry, person);
    }
    for (const { index, user } of otherKeys) {
      const entry = entries[index];
      if (entry === undefined) continue;
      const { version: entryVersion, ...records } = entry;
      const other = { user, version: entryVersion, records };
      const person = await this.#keyChanges.note(changes, other);
      if (person !== null) accepted.push(person);
    }
    for (const { user, objections } of accepted) {
      const { userId, displayName } = user;
      refused.push({ person: { userId, displayName }, objections });
    }
    const isTold = await this.#objections.tell(changes, refused);
    // Nobody is forgotten because a relay forgot.
    const isBehind = version < afterVersion && this.#objections.tellBehind(changes, afterVersion);
    changes.statements.push(putFact("directoryVersion", Math.max(afterVersion, reached)));
    await this.#core.commit(changes);
    if (accepted.length === 0 && otherKeys.length === 0 && !isTold && !isBehind) return;
    this.#core.people.put(accepted);
    this.#onChanged();
  }

  /** Whom a record that was refused says it is about, if they are known. */
  #claimed({ user }: DirectoryEntry): PersonView | null {
    try {
      const { userId } = decodeRecord("user", user.payload);
      return this.#core.people.get(userId) === undefined ? null : this.#core.people.view(userId);
    } catch (error) {
      if (error instanceof AppError && error.fault === "peer") return null;
      throw error;
    }
  }

  /** Not what the relay says now, but all that was ever verified: a relay that leaves out a revocation takes nothing back. */
  async #keep(
    changes: Changes,
    { user, version }: DirectoryEntry,
    person: TrustedPerson,
  ): Promise<void> {
    const { userId } = person.user;
    const former = this.#core.store.trusted.records(userId)?.former ?? [];
    const records: PersonRecords = { user, ...person.kept, former };
    changes.write("directory.put", userId, version, encodeCbor(records));
    this.#keyChanges.noteKnown(changes, person.user);
    const before = this.#core.people.get(userId);
    if (before === undefined) return;
    const lines = deviceLines(before, person);
    if (userId !== this.#core.self.userId) {
      await noteInShared(this.#core, changes, userId, lines);
      return;
    }
    const known = new Set(before.devices.map(({ deviceId }) => deviceId));
    const added = person.devices.filter(({ deviceId }) => !known.has(deviceId));
    this.#notices.tell(
      changes,
      added.map(({ deviceId, deviceName }) => ({ kind: "own-device", deviceId, deviceName })),
    );
  }

  #isOlder({ user }: TrustedPerson): boolean {
    return user.issuedAtMs < (this.#core.people.get(user.userId)?.user.issuedAtMs ?? 0);
  }
}
