import type { PersonDetailsView, Runtime } from "#protocol";

/** Everybody in the network. */
export class People {
  #all = $state.raw<readonly PersonDetailsView[]>([]);
  #loaded = $state(false);

  get all(): readonly PersonDetailsView[] {
    return this.#all;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Everybody but this account's own person, by name. */
  readonly others: readonly PersonDetailsView[] = $derived(
    this.#all
      .filter(({ me }) => !me)
      .sort((left, right) => left.displayName.localeCompare(right.displayName)),
  );

  /** Those of them who can be in conversations. */
  readonly reachable: readonly PersonDetailsView[] = $derived(
    this.others.filter(({ suspended }) => !suspended),
  );

  async load(runtime: Runtime): Promise<void> {
    this.#all = await runtime.invoke("people.list", {});
    this.#loaded = true;
  }
}
