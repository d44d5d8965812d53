import {
  ensureAppError,
  type ConversationId,
  type RelayMethodName,
  type RelayParams,
  type RelayResult,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import type { Statement } from "../../vault/index.ts";
import { putFact, readFact } from "../store/facts.ts";
import { isLive } from "../store/store.ts";
import type { KeyPackages } from "./key-packages.ts";

/** Asks the relay on a connection that isn't used for anything else yet. */
export type Ask = <Name extends RelayMethodName>(
  name: Name,
  params: RelayParams<Name>,
) => Promise<RelayResult<Name>>;

/** Whether this device is in any of these conversations: whoever was taken out of one may have forgotten it. */
async function isInAny(conversationIds: readonly ConversationId[], ask: Ask): Promise<boolean> {
  for (const conversationId of conversationIds) {
    try {
      await ask("group.info", { conversationId });
      return true;
    } catch (error) {
      const { code } = ensureAppError(error);
      if (code !== "not-allowed" && code !== "not-found") throw error;
    }
  }
  return false;
}

/**
 * Notices that this vault was put back from an older copy, before anything is encrypted from it, and keeps what is to be made anew until it
 * is: MLS would use the keys and nonces of its groups a second time.
 *
 * Four witnesses: the keychain, whose keys are those of a later keyring; the highest sequence number of this vault that the relay was told;
 * what the relay was told of each log, which this vault must remember, and of conversations that it hasn't; and what it was told of the inbox, whose Welcomes are gone then.
 */
export class RollBack {
  readonly #core: Core;
  readonly #onChanged: () => void;
  /** It was noticed in this life, or is still being mended. */
  #known: boolean;

  /** @param onChanged - called when {@link rejoining} has changed */
  constructor(core: Core, onChanged: () => void) {
    this.#core = core;
    this.#onChanged = onChanged;
    this.#known = this.#isUnderWay;
  }

  get #isUnderWay(): boolean {
    return readFact(this.#core.vault, "rollback") !== undefined;
  }

  /** How many conversations are to be joined anew; null: the vault wasn't rolled back, as far as is known. */
  get rejoining(): number | null {
    return this.#known ? this.#core.store.staleConversations().length : null;
  }

  /** The number by which the relay knows how far this vault has come. */
  get sequence(): number {
    return this.#core.vault.sequence + (readFact(this.#core.vault, "sequenceOffset") ?? 0);
  }

  /** Takes the keychain's word. It is renewed once that is on the disk: a crash in between takes nothing from what is known. */
  async takeKeychainsWord(): Promise<void> {
    const { vault } = this.#core;
    if (!vault.rolledBack || vault.readOnly !== null) return;
    await this.#begin([]);
    await vault.renewKeychain().catch(ensureAppError);
  }

  /**
   * Holds what the relay knows of this device against what the vault remembers. Nothing else is asked or sent before.
   *
   * @param named - the sequence number named at sign-in
   * @throws AppError as `Core.request` and `Core.commit`
   */
  async check(
    { highestVaultSequence, acknowledgedInboxSequence }: RelayResult<"session.signIn">,
    named: number,
    ask: Ask,
  ): Promise<void> {
    const { vault } = this.#core;
    const facts: Statement[] = [];
    if (highestVaultSequence > named) {
      facts.push(putFact("sequenceOffset", highestVaultSequence + 1 - vault.sequence));
    }
    if (acknowledgedInboxSequence > (readFact(vault, "inboxCursor") ?? 0)) {
      facts.push(putFact("inboxCursor", acknowledgedInboxSequence));
    }
    if (facts.length > 0) {
      await this.#begin(facts);
      return;
    }
    const { groups } = await ask("group.list", {});
    const known = new Map(groups.map((group) => [group.conversationId, group]));
    const stored = this.#core.store.conversationStates();
    const forgotten = stored.some(
      ({ conversationId, state, cursor, stale }) =>
        isLive(state) && !stale && (known.get(conversationId)?.acknowledgedSequence ?? 0) > cursor,
    );
    const unknown = new Set(known.keys()).difference(
      new Set(stored.map(({ conversationId }) => conversationId)),
    );
    const read = [...unknown].filter((id) => known.get(id)?.acknowledgedSequence !== 0);
    if (forgotten || (await isInAny(read, ask))) await this.#begin([]);
    else await this.#doubtUnlisted(new Set(known.keys()));
  }

  /**
   * The relay lists whoever was removed only until it is told that they know, and for 30 days: of a conversation that it doesn't list, this vault
   * may be older than the removal. Nothing is encrypted there until it is asked for.
   */
  async #doubtUnlisted(listed: ReadonlySet<ConversationId>): Promise<void> {
    const changes = new Changes();
    for (const { conversationId, state, stale } of this.#core.store.conversationStates()) {
      if (stale || listed.has(conversationId)) continue;
      if (state !== "active" && state !== "leaving") continue;
      changes.write("conversation.setStale", conversationId);
      changes.write("outbox.unsealIn", conversationId);
      changes.write("intent.withdrawOffer", conversationId);
    }
    if (changes.statements.length > 0) await this.#core.commit(changes);
  }

  /**
   * Old key packages go, at the relay too: of theirs, too, this vault may have forgotten which were used.
   *
   * @returns how many the relay has now; undefined when there is nothing to do
   */
  async replaceKeyPackages(keyPackages: KeyPackages): Promise<number | undefined> {
    if (readFact(this.#core.vault, "rollback")?.keyPackages !== true) return undefined;
    const left = await keyPackages.replace();
    const changes = new Changes();
    changes.statements.push(putFact("rollback", { keyPackages: false }));
    await this.#core.commit(changes);
    return left;
  }

  /** Whether conversations that only the relay knows of are to be joined too: this vault may be older than they. */
  get looksForOthers(): boolean {
    return this.#isUnderWay;
  }

  /** A conversation was joined anew, or everything was tried. @param all - whether no other may be left */
  async settle(all: boolean): Promise<void> {
    const { vault, store } = this.#core;
    const done = all && store.staleConversations().length === 0;
    if (done && readFact(vault, "rollback")?.keyPackages === false) {
      const changes = new Changes();
      changes.write("fact.delete", "rollback");
      await this.#core.commit(changes);
    }
    if (this.#known) this.#onChanged();
  }

  async #begin(facts: readonly Statement[]): Promise<void> {
    const changes = new Changes();
    changes.write("conversation.doubtAll");
    changes.write("outbox.unseal");
    changes.write("intent.withdrawOffers");
    changes.write("keyPackage.deleteAll");
    changes.write("welcome.deleteAll");
    changes.statements.push(...facts, putFact("rollback", { keyPackages: true }));
    await this.#core.commit(changes);
    this.#known = true;
    this.#onChanged();
  }
}
