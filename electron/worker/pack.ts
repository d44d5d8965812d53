/** A value made ready for another thread. */
export interface Packed {
  readonly value: unknown;
  /** Copies that only `value` refers to; they may be moved. */
  readonly transfer: readonly ArrayBuffer[];
}

/**
 * Replaces each byte string that is a window into a larger buffer by a copy of its own. Structured cloning sends whole
 * buffers: without this a 16-byte view of Node's pool would take its neighbours along, other people's secrets among them.
 * What the caller holds is never detached.
 */
export function pack(value: unknown): Packed {
  const transfer: ArrayBuffer[] = [];
  const walk = (item: unknown): unknown => {
    if (item instanceof Uint8Array) {
      if (item.byteLength === item.buffer.byteLength) return item;
      const own = new Uint8Array(item);
      transfer.push(own.buffer);
      return own;
    }
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== "object" || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, field]) => [name, walk(field)]));
  };
  return { value: walk(value), transfer };
}
