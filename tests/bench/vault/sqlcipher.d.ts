/** As much of the package as the bench uses: its own types lie where its `exports` don't show them. */
declare module "better-sqlite3-multiple-ciphers" {
  interface Prepared {
    run(params: Readonly<Record<string, unknown>>): unknown;
  }

  class Database {
    constructor(path: string);
    pragma(source: string): unknown;
    exec(source: string): this;
    prepare(source: string): Prepared;
    transaction<Params extends unknown[]>(
      work: (...params: Params) => void,
    ): (...params: Params) => void;
    close(): this;
  }

  export = Database;
}
