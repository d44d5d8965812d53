import { laterMigrations } from "./later-migrations.ts";

/**
 * The vault's tables. They hold ids, times, states and ciphertext: what people wrote stands only in sealed columns (`body`,
 * `content`, `ciphertext`, `draft`), each under a leaf of the key tree, so that ending a message is destroying its leaf.
 *
 * Each step brings the schema one version further; a step that was released never changes.
 */
export const migrations: readonly string[] = [
  `
  -- Single values, CBOR: the account, the sealed identity, policy, cursors. See store/facts.ts.
  CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- The directory as signed, to be verified again at each start.
  CREATE TABLE directory (
    user_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    entry BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Private parts of our key packages, sealed.
  CREATE TABLE key_packages (
    ref TEXT PRIMARY KEY,
    last_resort INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    created_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversations (
    conversation_id TEXT PRIMARY KEY,
    -- creating, active, leaving, left, removed
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- The other person of a direct conversation.
    peer TEXT,
    room_state BLOB NOT NULL,
    members BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    suite TEXT NOT NULL,
    authenticator TEXT NOT NULL,
    -- The last entry of the group log that was taken.
    cursor INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_activity_ms INTEGER NOT NULL,
    next_order INTEGER NOT NULL,
    -- The newest item that was ever shown; when it is gone the preview says that it has ended.
    last_order INTEGER NOT NULL,
    read_order INTEGER NOT NULL,
    unopenable INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    -- Deleted by its person; it comes back with the next message.
    hidden INTEGER NOT NULL,
    draft BLOB,
    draft_id TEXT,
    draft_ends_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  -- A group's sealed state.
  CREATE TABLE group_pieces (
    conversation_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (conversation_id, name)
  ) STRICT, WITHOUT ROWID;

  -- What somebody here wants to change in a conversation, and the commit that is under way for it. One per conversation.
  CREATE TABLE intents (
    conversation_id TEXT PRIMARY KEY,
    intent BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    -- The offered commit, CBOR; NULL: to be made anew.
    offer BLOB
  ) STRICT, WITHOUT ROWID;

  -- Who has asked to be taken out in the present epoch.
  CREATE TABLE leavers (
    conversation_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    ord INTEGER NOT NULL,
    -- text, recalled, unopenable, system
    kind TEXT NOT NULL,
    sender_user TEXT NOT NULL,
    own INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    origin TEXT NOT NULL,
    origin_seconds INTEGER NOT NULL,
    burn_seconds INTEGER,
    revealed INTEGER NOT NULL,
    burns_ms INTEGER,
    -- The earlier of ends_ms and burns_ms.
    deadline_ms INTEGER NOT NULL,
    -- Own ones: waiting, sent, failed.
    state TEXT,
    failure TEXT,
    -- Its place in the group log, once known.
    sequence INTEGER,
    epoch INTEGER NOT NULL,
    body BLOB,
    edited INTEGER NOT NULL,
    reply_to TEXT,
    code TEXT,
    -- The receipt that others are to get of it, and the one they got: 0 none, 1 delivered, 2 read, 3 burned.
    owed INTEGER NOT NULL,
    told INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX messages_by_order ON messages (conversation_id, ord);
  CREATE INDEX messages_by_deadline ON messages (deadline_ms);
  CREATE INDEX messages_by_quote ON messages (reply_to) WHERE reply_to IS NOT NULL;
  CREATE INDEX messages_by_receipt ON messages (conversation_id) WHERE owed > told;

  CREATE TABLE reactions (
    reaction_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    sender_user TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reactions_by_target ON reactions (target_id);

  -- Of own messages: everybody who was to get it.
  CREATE TABLE receipts (
    message_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    delivered_ms INTEGER,
    read_ms INTEGER,
    burned INTEGER NOT NULL,
    PRIMARY KEY (message_id, user_id)
  ) STRICT, WITHOUT ROWID;

  -- What is to be told to the relay, in the order of position per conversation.
  CREATE TABLE outbox (
    item_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- text, control (edit, reaction, recall), status, leave, drop
    kind TEXT NOT NULL,
    -- The message it belongs to and ends with.
    target_id TEXT,
    ends_ms INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    content BLOB,
    -- The MLS message, once made, and its epoch.
    epoch INTEGER,
    ciphertext BLOB,
    -- Of a drop: what the relay is to drop.
    sequence INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX outbox_by_position ON outbox (conversation_id, position);
  CREATE INDEX outbox_by_target ON outbox (target_id);
  `,
  `
  -- Why the log can't be read on: device-unknown, conversation-stuck; NULL: it can.
  ALTER TABLE conversations ADD COLUMN blocked TEXT;

  -- How many arrivals a line for what can't be opened stands for.
  ALTER TABLE messages ADD COLUMN missing INTEGER NOT NULL DEFAULT 1;

  -- Welcomes that wait for records of devices that the directory doesn't have yet.
  CREATE TABLE welcomes (
    inbox_sequence INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    entry BLOB NOT NULL
  ) STRICT;

  -- The next generation of each sender in the present epoch: one that is jumped over is a message that never came.
  CREATE TABLE generations (
    conversation_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, device_id)
  ) STRICT, WITHOUT ROWID;

  -- Entries of the present epoch that are known to be missing or unreadable, and haven't accounted for a gap yet.
  ALTER TABLE conversations ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- How many leaves of each bucket of the key tree have been given out.
  CREATE TABLE key_buckets (hour INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;

  -- Leaves whose bodies are gone, until their keys are destroyed. Those of drafts and receipts may wait for others.
  CREATE TABLE doomed (
    doom_id INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    waits INTEGER NOT NULL
  ) STRICT;

  -- The leaf under which a message's body is sealed, and with it its edits, the reactions to it, and what the outbox has of it.
  ALTER TABLE messages ADD COLUMN hour INTEGER;
  ALTER TABLE messages ADD COLUMN leaf INTEGER;
  ALTER TABLE conversations ADD COLUMN draft_hour INTEGER;
  ALTER TABLE conversations ADD COLUMN draft_leaf INTEGER;
  ALTER TABLE outbox ADD COLUMN hour INTEGER;
  ALTER TABLE outbox ADD COLUMN leaf INTEGER;
  -- Whether that leaf is the item's alone; else it is a message's.
  ALTER TABLE outbox ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;
  -- SHA-256 of the MLS message, which itself is sealed: by it the item is known in the log.
  ALTER TABLE outbox ADD COLUMN digest BLOB;
  CREATE INDEX outbox_by_place ON outbox (position);

  -- The vault was rolled back: it may have been sent by what was there before.
  ALTER TABLE outbox ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;

  -- The vault was rolled back: the group is to be joined anew before anything is encrypted in it.
  ALTER TABLE conversations ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;

  -- However a body goes, its leaf is doomed in the same transaction.
  CREATE TRIGGER message_deleted AFTER DELETE ON messages WHEN OLD.leaf IS NOT NULL
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 0);
  END;
  CREATE TRIGGER message_emptied AFTER UPDATE OF hour, leaf ON messages
  WHEN OLD.leaf IS NOT NULL AND (NEW.leaf IS NOT OLD.leaf OR NEW.hour IS NOT OLD.hour)
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 0);
  END;
  CREATE TRIGGER outbox_deleted AFTER DELETE ON outbox WHEN OLD.alone = 1
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 1);
  END;
  CREATE TRIGGER draft_deleted AFTER DELETE ON conversations WHEN OLD.draft_leaf IS NOT NULL
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.draft_hour, OLD.draft_leaf, 0);
  END;
  CREATE TRIGGER draft_replaced AFTER UPDATE OF draft_hour, draft_leaf ON conversations
  WHEN OLD.draft_leaf IS NOT NULL
    AND (NEW.draft_leaf IS NOT OLD.draft_leaf OR NEW.draft_hour IS NOT OLD.draft_hour)
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.draft_hour, OLD.draft_leaf, 1);
  END;
  `,
  `
  -- Encrypted attachments beside the log (electron/vault/blobs.ts). Noted before the file is begun. Without a message: the file is to be removed.
  CREATE TABLE blobs (blob_id TEXT PRIMARY KEY, message_id TEXT) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_message ON blobs (message_id);

  -- However a body goes, its attachments are doomed in the same transaction.
  CREATE TRIGGER attachments_deleted AFTER DELETE ON messages
  BEGIN
    UPDATE blobs SET message_id = NULL WHERE message_id = OLD.message_id;
  END;
  CREATE TRIGGER attachments_emptied AFTER UPDATE OF leaf ON messages
  WHEN OLD.leaf IS NOT NULL AND NEW.leaf IS NULL
  BEGIN
    UPDATE blobs SET message_id = NULL WHERE message_id = OLD.message_id;
  END;
  `,
  `
  -- What this device has sent, by its place, to be said again when somebody misses it. What has ended, was recalled or deleted leaves its
  -- place alone, for some time: that it was, and is over.
  CREATE TABLE sent (
    item_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    -- As in the outbox, or over.
    kind TEXT NOT NULL,
    -- The message it belongs to and ends with.
    target_id TEXT,
    -- 0 and NULL: it was found out only that it was sent.
    epoch INTEGER NOT NULL,
    generation INTEGER,
    sequence INTEGER NOT NULL,
    taken_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    -- Of what is worth being said again: its content, sealed under its message's leaf or, alone, under one of its own.
    content BLOB,
    hour INTEGER,
    leaf INTEGER,
    alone INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sent_by_generation ON sent (conversation_id, epoch, generation);
  CREATE INDEX sent_by_sequence ON sent (conversation_id, sequence);
  CREATE INDEX sent_by_target ON sent (target_id) WHERE target_id IS NOT NULL;
  CREATE INDEX sent_by_end ON sent (ends_ms);
  CREATE TRIGGER sent_deleted AFTER DELETE ON sent WHEN OLD.alone = 1
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 1);
  END;
  CREATE TRIGGER sent_emptied AFTER UPDATE OF alone ON sent WHEN OLD.alone = 1 AND NEW.alone = 0
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 1);
  END;

  ALTER TABLE outbox ADD COLUMN generation INTEGER;

  -- Messages that never came or can't be opened, and are asked for again: each by its sender's device, epoch and generation, or, with '' and
  -- 0, by its place in the log alone.
  CREATE TABLE gaps (
    conversation_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    -- Where its message belongs in the conversation.
    ord INTEGER NOT NULL,
    -- The line that stands for it; NULL: the relay says that it has ended, which is asked for before anything is shown.
    line_id TEXT,
    asked INTEGER NOT NULL,
    next_ms INTEGER NOT NULL,
    shows_ms INTEGER NOT NULL,
    -- It can't be alive any more.
    ends_ms INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, device_id, epoch, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX gaps_by_line ON gaps (line_id) WHERE line_id IS NOT NULL;

  -- How many of what couldn't be opened came after all, and how many were over when they were asked for.
  ALTER TABLE conversations ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE conversations ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;
  -- The epoch in which this device joined, or joined anew: of what it sent before, it may not remember everything.
  ALTER TABLE conversations ADD COLUMN since_epoch INTEGER NOT NULL DEFAULT 0;

  -- In which epoch devices were added while this one was there: what was said before isn't for them.
  CREATE TABLE joins (
    conversation_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, device_id)
  ) STRICT, WITHOUT ROWID;

  -- Requests that were answered, and what was said again to whom.
  CREATE TABLE answers (
    conversation_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    -- request, item
    kind TEXT NOT NULL,
    item_id TEXT NOT NULL,
    times INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, device_id, kind, item_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answers_by_item ON answers (conversation_id, kind, item_id);

  -- What changes a message that isn't here, yet: it is applied when the message comes after all.
  CREATE TABLE orphans (
    message_id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    awaits_id TEXT NOT NULL,
    sender_user TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    content BLOB NOT NULL,
    hour INTEGER NOT NULL,
    leaf INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX orphans_by_target ON orphans (awaits_id);
  CREATE TRIGGER orphan_deleted AFTER DELETE ON orphans
  BEGIN
    INSERT INTO doomed (hour, leaf, waits) VALUES (OLD.hour, OLD.leaf, 1);
  END;

  -- The place in the log of the edit that a text is from: an older one that comes late changes nothing.
  ALTER TABLE messages ADD COLUMN edit_sequence INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Whose account key was verified at this computer. It is told to nobody, not even to the person's other devices.
  CREATE TABLE verifications (
    user_id TEXT PRIMARY KEY,
    account_key BLOB NOT NULL,
    verified_ms INTEGER NOT NULL,
    -- digits, code
    how TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Other account keys that the issuer has given to people who were verified. Nothing is sent to them until somebody here decides.
  CREATE TABLE pending_keys (
    user_id TEXT PRIMARY KEY,
    account_key BLOB NOT NULL,
    issued_ms INTEGER NOT NULL,
    noticed_ms INTEGER NOT NULL,
    -- The place of the records in the directory, and the records as signed.
    version INTEGER NOT NULL,
    entry BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- When this device's leaf in a conversation was new last.
  CREATE TABLE leaf_ages (
    conversation_id TEXT PRIMARY KEY,
    renewed_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER leaf_age_over AFTER DELETE ON conversations
  BEGIN
    DELETE FROM leaf_ages WHERE conversation_id = OLD.conversation_id;
  END;
  `,
  ...laterMigrations,
];
