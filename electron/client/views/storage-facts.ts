import type { StorageView } from "#protocol";
import type { Core } from "../core/core.ts";

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** Within which time messages end, in the chart of the storage page, milliseconds. */
const spansMs = [hourMs, dayMs, 7 * dayMs, 30 * dayMs, 365 * dayMs, Infinity];

/** How many messages are kept, and when they end. */
export function storageFacts({
  store,
  time,
}: Pick<Core, "store" | "time">): Pick<StorageView, "messages" | "ends"> {
  const nowMs = time.now();
  const untilMs = spansMs.map((spanMs) => Math.min(nowMs + spanMs, Number.MAX_SAFE_INTEGER));
  const ends = untilMs.map((endMs, index) => ({
    untilMs: spansMs[index] === Infinity ? null : endMs,
    messages: store.ends.countEnding(untilMs[index - 1] ?? nowMs, endMs),
  }));
  return { messages: ends.reduce((sum, { messages }) => sum + messages, 0), ends };
}
