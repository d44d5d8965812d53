import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConversationId, Frame } from "#protocol";
import type { Clock } from "../../../electron/link/index.ts";
import { systemClock } from "../../support/fake-clock.ts";
import { until, World, type Person } from "../../support/client-world.ts";
import { isDoomed, leafOf } from "../../support/doomed.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let world: World;
let ada: Person;
let ben: Person;
let direct: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
  direct = await ada.create("direct", [ben]);
  await ada.look(direct);
  await ben.finds(direct);
});
afterEach(async () => {
  await world.dispose();
});

/** Lets a relay's sign-in answer show another time. */
function shifted(frame: Frame, byMs: number): Frame {
  if (frame.kind !== "response") return frame;
  const result = frame.result as { readonly relayTimeMs?: number } | null;
  const relayTimeMs = result?.relayTimeMs;
  if (relayTimeMs === undefined) return frame;
  return { ...frame, result: { ...result, relayTimeMs: relayTimeMs + byMs } };
}

test.each([400 * dayMs, hourMs, -hourMs])(
  "a relay whose clock is off by %i ms is refused in words, and ends nothing",
  async (byMs) => {
    await ada.say(direct, "one");
    const timers = { expirationSeconds: 1800, burnSeconds: null };
    await ada.say(direct, "half an hour", { timers });
    await ben.sees(direct, "half an hour");
    ben.cable.onFrame = (frame) => shifted(frame, byMs);
    ben.cable.unplug();
    await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
    ben.cable.plug();
    ben.client.retryNow();
    await until("Ben is told", () => {
      const { connection } = ben.client.view;
      return connection.kind === "offline" && connection.code === "clock-differs";
    });
    expect(ben.texts(direct)).toEqual(["one", "half an hour"]);
    ben.cable.onFrame = null;
    await ben.restart();
    await ben.online();
    await ben.look(direct);
    expect(ben.texts(direct)).toEqual(["one", "half an hour"]);
    await ada.say(direct, "two");
    await ben.sees(direct, "two");
  },
);

test("a clock that was far ahead hides what was there, and destroys nothing of it once corrected", async () => {
  await ada.say(direct, "before");
  await ben.sees(direct, "before");
  await ben.quit();
  ben.cable.unplug();
  await ben.open({ clock: { ...systemClock, now: () => Date.now() + 400 * dayMs } });
  expect(await ben.look(direct)).toEqual([]);
  await ben.quit();
  // Turning it back revives nothing by itself.
  await ben.open();
  expect(await ben.look(direct)).toEqual([]);
  await ben.quit();
  ben.cable.plug();
  await ben.open();
  await ben.online();
  await ben.look(direct);
  await ada.say(direct, "after");
  await ben.sees(direct, "after");
  await ben.say(direct, "heard");
  await ada.sees(direct, "heard");
  expect(ben.texts(direct)).toEqual(["before", "after", "heard"]);
});

test("a clock that is put forward while Sotto runs hides at once; put back, all is there again by the relay's word", async () => {
  let aheadMs = 0;
  await ben.quit();
  await ben.open({ clock: { ...systemClock, now: () => Date.now() + aheadMs } });
  await ben.online();
  await ben.look(direct);
  const messageId = await ada.say(direct, "alive");
  await ben.sees(direct, "alive");
  const leaf = leafOf(ben, messageId);
  aheadMs = 400 * dayMs;
  await until("it is hidden", () => !ben.texts(direct).includes("alive"));
  aheadMs = 0;
  await ben.reconnect();
  await ben.sees(direct, "alive");
  expect(isDoomed(ben, leaf)).toBe(false);
});

test("what ended while Sotto wasn't running is hidden before anything is shown, and destroyed when the relay agrees", async () => {
  const timers = { expirationSeconds: 1800, burnSeconds: null };
  const messageId = await ada.say(direct, "half an hour", { timers });
  await ben.sees(direct, "half an hour");
  const leaf = leafOf(ben, messageId);
  await ben.quit();
  ben.cable.unplug();
  const later: Clock = { ...systemClock, now: () => Date.now() + hourMs };
  await ben.open({ clock: later });
  await ben.look(direct);
  expect(ben.texts(direct)).toEqual([]);
  expect(ben.vault.read("message", [messageId])).toHaveLength(1);
  world.relay.clock.advance(hourMs);
  ben.cable.plug();
  ben.client.retryNow();
  await ben.online();
  await until("it is gone", () => ben.vault.read("message", [messageId]).length === 0);
  await until("its key is gone", () => !isDoomed(ben, leaf));
});

test("a message whose end has come on the way leaves a mark in the list", async () => {
  await ada.say(direct, "stays");
  await ben.sees(direct, "stays");
  let aheadMs = 0;
  await ben.quit();
  await ben.open({ clock: { ...systemClock, now: () => Date.now() + aheadMs } });
  await ben.online();
  aheadMs = 400_000;
  const timers = { expirationSeconds: 60, burnSeconds: null };
  await ada.say(direct, "too late", { timers });
  await until("the row says so", async () => {
    const [row] = await ben.client.commands["conversations.list"]({});
    return row?.preview.kind === "ended";
  });
});

test("what ended while the computer slept goes from the screen soon after it wakes", async () => {
  let sleptMs = 0;
  await ben.quit();
  await ben.open({ clock: { ...systemClock, now: () => Date.now() + sleptMs } });
  await ben.online();
  await ben.look(direct);
  const timers = { expirationSeconds: 30 * 3600, burnSeconds: null };
  await ada.say(direct, "for thirty hours", { timers });
  await ben.sees(direct, "for thirty hours");
  sleptMs = 31 * hourMs;
  await until("it is gone", () => !ben.texts(direct).includes("for thirty hours"));
});
