/** The statement texts that a log has named, by their place. */
export interface TextTable {
  /** The place of a text; one that is new is named with the next frame. */
  placeOf(sql: string): number;
  /** Texts that the next frame must name. */
  readonly unnamed: readonly string[];
  /** The frame that names them is on the disk. */
  settle(): void;
  /** That frame was not written. */
  discard(): void;
}

/** @param named - in order of their places */
export function createTextTable(named: readonly string[]): TextTable {
  const places = new Map(named.map((sql, place) => [sql, place]));
  let unnamed: string[] = [];
  return {
    placeOf(sql) {
      const known = places.get(sql);
      if (known !== undefined) return known;
      const place = places.size;
      places.set(sql, place);
      unnamed.push(sql);
      return place;
    },
    get unnamed() {
      return unnamed;
    },
    settle() {
      unnamed = [];
    },
    discard() {
      for (const sql of unnamed) places.delete(sql);
      unnamed = [];
    },
  };
}
