import type { Deadline, MessageId } from "#protocol";

/** Deadlines, the earliest first: a binary heap in which each message has one place. */
export interface DeadlineHeap {
  readonly size: number;
  /** Adds or moves the deadline of a message. */
  set(deadline: Deadline): void;
  delete(messageId: MessageId): void;
  /** The earliest deadline, milliseconds, or undefined when there is none. */
  earliestMs(): number | undefined;
  /** Takes out everything that has ended at `nowMs`, the earliest first. */
  takeDue(nowMs: number): readonly MessageId[];
  clear(): void;
}

export function createDeadlineHeap(): DeadlineHeap {
  const heap: Deadline[] = [];
  const places = new Map<MessageId, number>();

  function put(place: number, deadline: Deadline): void {
    heap[place] = deadline;
    places.set(deadline.messageId, place);
  }

  function isBefore(left: Deadline | undefined, right: Deadline | undefined): boolean {
    return left !== undefined && right !== undefined && left.deadlineMs < right.deadlineMs;
  }

  function rise(from: number): void {
    let place = from;
    for (;;) {
      const parent = (place - 1) >> 1;
      const [above, here] = [heap[parent], heap[place]];
      if (place === 0 || above === undefined || here === undefined || !isBefore(here, above)) {
        return;
      }
      put(parent, here);
      put(place, above);
      place = parent;
    }
  }

  function sink(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      const child = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      const [below, here] = [heap[child], heap[place]];
      if (below === undefined || here === undefined || !isBefore(below, here)) return;
      put(place, below);
      put(child, here);
      place = child;
    }
  }

  function removeAt(place: number): void {
    const removed = heap[place];
    const last = heap.pop();
    if (removed === undefined || last === undefined) return;
    places.delete(removed.messageId);
    if (last === removed) return;
    put(place, last);
    rise(place);
    sink(place);
  }

  return {
    get size() {
      return heap.length;
    },
    set(deadline) {
      const place = places.get(deadline.messageId) ?? heap.length;
      put(place, deadline);
      rise(place);
      sink(place);
    },
    delete(messageId) {
      const place = places.get(messageId);
      if (place !== undefined) removeAt(place);
    },
    earliestMs: () => heap[0]?.deadlineMs,
    takeDue(nowMs) {
      const due: MessageId[] = [];
      for (let first = heap[0]; first !== undefined && first.deadlineMs <= nowMs; first = heap[0]) {
        due.push(first.messageId);
        removeAt(0);
      }
      return due;
    },
    clear() {
      heap.length = 0;
      places.clear();
    },
  };
}
