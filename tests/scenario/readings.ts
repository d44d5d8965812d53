import { suiteNames } from "../../crypto/mls/suites.ts";
import { loadPrimitives } from "../../crypto/primitives/index.ts";
import {
  conversationId,
  createMlsWorld,
  groupOf,
  MlsDevice,
  orderCommit,
} from "../support/mls-device.ts";
import { Seat } from "../support/seat.ts";
import { seededRandom } from "../support/seeded.ts";

/** What came of copying a reader's stored state. */
export interface ReadingOutcome {
  readonly messages: number;
  /** How often a copy was tried on what was read or jumped over before. */
  readonly tries: number;
  readonly opened: number;
}

const id = conversationId(1);

/**
 * Somebody reads messages over several epochs, some of which never come; now and then their stored state is copied, and tried on all that was read, and on what
 * was jumped over.
 *
 * @throws Error when something wasn't read, or a copy doesn't open what is to come
 */
export async function readMessages(messages: number, seed: number): Promise<ReadingOutcome> {
  const random = seededRandom(seed);
  const world = createMlsWorld(await loadPrimitives(), { suite: suiteNames.aes128 });
  const [anna, ben] = [new MlsDevice(world), new MlsDevice(world)];
  await groupOf(id, anna, [ben]);
  const read: Uint8Array[] = [];
  const looks = new Set([1, 2, 4].map((part) => Math.floor(messages / part)));
  let tries = 0;
  let opened = 0;
  for (let count = 1; count <= messages; count += 1) {
    const bytes = await anna.seal(id, String(count));
    const comes = random.below(20) > 0;
    if (comes && (await ben.read(id, bytes)) !== String(count)) throw new Error("not read");
    read.push(bytes);
    if (random.below(200) === 0 && count < messages) {
      await orderCommit(id, anna, {}, { others: [ben] });
    }
    if (!looks.has(count)) continue;
    const fresh = await anna.seal(id, "after what was jumped over");
    // What wasn't read yet it opens: the seat is a good one.
    if (!(await (await Seat.take(ben, id)).opens(fresh))) throw new Error("a seat opens nothing");
    await ben.read(id, fresh);
    const seat = await Seat.take(ben, id);
    for (const message of read) {
      tries += 1;
      if (await seat.opens(message)) opened += 1;
    }
  }
  return { messages, tries, opened };
}
