import * as v from "valibot";
import {
  deviceIdSchema,
  roomStateSchema,
  userIdSchema,
  type GroupChange,
  type GroupMember,
} from "#protocol";

const memberSchema: v.GenericSchema<unknown, GroupMember> = v.strictObject({
  userId: userIdSchema,
  deviceId: deviceIdSchema,
});

/** A {@link GroupChange} that comes back from storage. */
export const groupChangeSchema: v.GenericSchema<unknown, GroupChange> = v.strictObject({
  committer: memberSchema,
  added: v.array(memberSchema),
  removed: v.array(memberSchema),
  before: roomStateSchema,
  after: roomStateSchema,
});
