import {
  AppError,
  encodeCbor,
  equalBytes,
  type DirectoryEntry,
  type TrustedPerson,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact, readFact } from "../store/facts.ts";

/** Who is in the network: kept as signed, verified by the worker at each start and at each change. */
export class Directory {
  readonly #core: Core;
  readonly #onChanged: () => void;
  #refreshing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param onChanged - called after people were added or changed */
  constructor(core: Core, onChanged: () => void) {
    this.#core = core;
    this.#onChanged = onChanged;
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
      // A directory that went back in time is ignored: nobody is forgotten because a relay forgot.
      const reached = page.entries.at(-1)?.version ?? page.version;
      await this.#take(page.entries, Math.max(afterVersion, reached));
      if (reached >= page.version || page.entries.length === 0) return;
    }
  }

  async #take(entries: readonly DirectoryEntry[], version: number): Promise<void> {
    if (entries.some((entry, index) => entry.version <= (entries[index - 1]?.version ?? 0))) {
      throw new AppError("frame-out-of-order", { data: { list: "directory" } });
    }
    const { people } = await this.#core.worker.call("directory.trust", { entries });
    const changes = new Changes();
    const accepted: TrustedPerson[] = [];
    entries.forEach(({ user, devices, version: entryVersion }, index) => {
      const person = people[index];
      if (person === null || person === undefined || this.#contradicts(person)) return;
      accepted.push(person);
      // Not what the relay says now, but all that was ever verified: a relay that leaves out a revocation takes nothing back.
      const entry = encodeCbor({ user, devices, ...person.kept });
      changes.write("directory.put", person.user.userId, entryVersion, entry);
    });
    changes.statements.push(putFact("directoryVersion", version));
    await this.#core.commit(changes);
    if (accepted.length === 0) return;
    this.#core.people.put(accepted);
    this.#onChanged();
  }

  /** A record older than the one we have, or another account key for a person we know: refused. */
  #contradicts({ user }: TrustedPerson): boolean {
    const known = this.#core.people.get(user.userId)?.user;
    if (known === undefined) return false;
    return user.issuedAtMs < known.issuedAtMs || !equalBytes(user.accountKey, known.accountKey);
  }
}
