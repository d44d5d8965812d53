import { expect, test } from "vitest";
import {
  AppError,
  encodeRoomState,
  idFromBytes,
  suiteNames,
  type ConversationId,
  type DeviceId,
  type TrustedPerson,
} from "#protocol";
import type { Commits } from "../../../../electron/client/conversations/commits.ts";
import { Membership } from "../../../../electron/client/conversations/membership.ts";
import { Changes } from "../../../../electron/client/core/changes.ts";
import { encodeMembers } from "../../../../electron/client/store/rows.ts";
import { Sync, type SyncParts } from "../../../../electron/client/sync.ts";
import type { Link } from "../../../../electron/link/index.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("a conversation that is well again has nothing tried in others before its time", async () => {
  const { core, clock, conversationId: direct, peer } = await createCoreFixture();
  const group = idFromBytes<ConversationId>(new Uint8Array(16).fill(7));
  const { members, roomState } = core.store.ensureConversation(direct);
  const changes = new Changes();
  changes.write(
    "conversation.create",
    group,
    "active",
    "group",
    null,
    encodeRoomState({ ...roomState, kind: "group", name: "Crew" }),
    encodeMembers(members),
    1,
    suiteNames.default,
    "",
    0,
    clock.now(),
  );
  await core.commit(changes);
  const phone = { deviceId: "phone" as DeviceId };
  const known = { user: { userId: peer }, devices: [phone], revoked: [], suspended: false };
  core.people.put([known as unknown as TrustedPerson]);
  core.link = { state: { kind: "online" } } as Link;

  // The phone has no key packages, so that each try comes later than the one before.
  const asked: ConversationId[] = [];
  const commits = {
    run: (conversationId: ConversationId) => {
      asked.push(conversationId);
      return Promise.reject(new AppError("key-packages-exhausted"));
    },
  } as unknown as Commits;
  const membership = new Membership(core, commits);
  membership.audit();
  for (const pauseMs of [0, 5000, 10_000, 20_000]) {
    clock.advance(2000 + pauseMs);
    await settled();
  }
  expect(asked).toHaveLength(8);

  const sync = new Sync({
    core,
    membership,
    log: {
      onEntry: () => Promise.reject(new AppError("commit-refused")),
      catchUp: () => Promise.resolve(),
      blockedBy: () => null,
    },
    mender: { isWanted: () => false },
  } as unknown as SyncParts);
  const entry = { kind: "dropped", sequence: 1 } as const;
  sync.onEvent({ name: "group.entry", body: { conversationId: group, entry } });
  await settled();
  // It is tried again, and all is well.
  clock.advance(1000);
  await settled();
  clock.advance(2000);
  await settled();
  expect(asked.slice(8)).toEqual([group]);
  clock.advance(37_000);
  await settled();
  expect(asked.filter((id) => id === direct)).toHaveLength(4);
  clock.advance(2000);
  await settled();
  expect(asked.filter((id) => id === direct)).toHaveLength(5);
  sync.close();
  membership.close();
});
