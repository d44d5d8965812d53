import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Deadline, MessageId } from "#protocol";
import { createDeadlineHeap } from "../../../../crypto/sweep/deadline-heap.ts";

const messageId = (number: number): MessageId => `message-${String(number)}` as MessageId;

describe("the deadline heap", () => {
  test("gives what a sorted list would, whatever is set, moved and deleted", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("set" as const),
        number: fc.nat(20),
        deadlineMs: fc.nat(100),
      }),
      fc.record({ kind: fc.constant("delete" as const), number: fc.nat(20) }),
      fc.record({ kind: fc.constant("take" as const), nowMs: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = createDeadlineHeap();
        const model = new Map<MessageId, Deadline>();
        for (const action of steps) {
          switch (action.kind) {
            case "set": {
              const id = messageId(action.number);
              heap.set({ messageId: id, deadlineMs: action.deadlineMs });
              model.set(id, { messageId: id, deadlineMs: action.deadlineMs });
              break;
            }
            case "delete":
              heap.delete(messageId(action.number));
              model.delete(messageId(action.number));
              break;
            case "take": {
              const due = heap.takeDue(action.nowMs).map((id) => model.get(id)?.deadlineMs);
              const expected = [...model.values()]
                .map(({ deadlineMs }) => deadlineMs)
                .filter((deadlineMs) => deadlineMs <= action.nowMs)
                .sort((left, right) => left - right);
              expect(due).toEqual(expected);
              for (const { messageId: id, deadlineMs } of [...model.values()]) {
                if (deadlineMs <= action.nowMs) model.delete(id);
              }
            }
          }
          expect(heap.size).toBe(model.size);
          const earliest = Math.min(...[...model.values()].map(({ deadlineMs }) => deadlineMs));
          expect(heap.earliestMs() ?? Infinity).toBe(earliest);
        }
      }),
    );
  });

  test("is empty after clear", () => {
    const heap = createDeadlineHeap();
    heap.set({ messageId: messageId(1), deadlineMs: 1 });
    heap.clear();
    expect(heap.takeDue(10)).toEqual([]);
    expect(heap.earliestMs()).toBeUndefined();
  });
});
