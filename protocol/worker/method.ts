/** A request to the crypto worker: what it takes and what it gives. */
export interface Method<Params, Result> {
  readonly params: Params;
  readonly result: Result;
}

/** Takes or gives nothing. */
export type Nothing = Readonly<Record<string, never>>;
