import type { Disposer } from "../clock.ts";
import {
  deviceTopic,
  directoryTopic,
  groupScope,
  groupTopic,
  type DeviceCaller,
  type RelayContext,
} from "../domain/context.ts";
import type { RelayCloseReason } from "#protocol";
import { conversationsOf } from "../domain/groups/read.ts";
import { membershipSlot } from "../domain/layout.ts";
import type { Announcement } from "../storage/port.ts";

/**
 * Sends a device the news that are for it, until disposed.
 *
 * @param to - takes an encoded event frame, and the word that the device may stay no longer
 */
export async function listenLive(
  context: RelayContext,
  { deviceId }: DeviceCaller,
  to: {
    readonly push: (frame: Uint8Array) => void;
    readonly close: (reason: RelayCloseReason) => void;
  },
): Promise<Disposer> {
  const subscriptions = new Map<string, Disposer>();
  let over = false;

  const listen = (topic: string): void => {
    if (over || subscriptions.has(topic)) return;
    subscriptions.set(
      topic,
      context.storage.subscribe(topic, (announcement) => {
        take(topic, announcement);
      }),
    );
  };
  const take = (topic: string, { frame, join, leave, close }: Announcement): void => {
    if (frame !== null) to.push(frame);
    if (leave.includes(deviceId)) {
      subscriptions.get(topic)?.();
      subscriptions.delete(topic);
    }
    if (join !== null) listen(groupTopic(join));
    if (close !== undefined) to.close(close);
  };

  // The device's own topic first: a conversation that it joins while the others are looked up is announced there.
  listen(deviceTopic(deviceId));
  listen(directoryTopic);
  const conversations = await conversationsOf(context, deviceId);
  await Promise.all(
    conversations.map((conversationId) =>
      // In the conversation's scope: no commit can remove the device between the look at its membership and the listening.
      context.units.run(groupScope(conversationId), async (transaction) => {
        const membership = await transaction.load(membershipSlot(deviceId, conversationId));
        if (membership?.removed === null) listen(groupTopic(conversationId));
      }),
    ),
  );
  return () => {
    over = true;
    for (const dispose of subscriptions.values()) dispose();
    subscriptions.clear();
  };
}
