/** The last steps of `migrations`; new ones go here. */
export const laterMigrations: readonly string[] = [
  `
  -- Where in the log the present epoch began; NULL: that isn't known.
  ALTER TABLE conversations ADD COLUMN epoch_start INTEGER;
  -- Others have another view of the present epoch: the conversation may have split.
  ALTER TABLE conversations ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;

  -- What this device has done where it couldn't follow a log (docs/adr/0022).
  CREATE TABLE mending (
    conversation_id TEXT PRIMARY KEY,
    -- The last commit that it has rejected, and how many of the same epoch.
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    rejections INTEGER NOT NULL,
    -- How often it has joined anew, when last, and whether that is under way.
    rejoins INTEGER NOT NULL,
    rejoined_ms INTEGER NOT NULL,
    rejoining INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Commits that were taken, until something has come from somebody who has followed them too: till then they can be found void.
  CREATE TABLE fresh_commits (
    conversation_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    -- The epoch that it ended.
    epoch INTEGER NOT NULL,
    -- SHA-256; NULL for one that this device came in by and hasn't seen.
    hash BLOB,
    -- Whose it is.
    committer TEXT NOT NULL,
    -- What it was for, when it is this device's.
    intent BLOB,
    PRIMARY KEY (conversation_id, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER mending_over AFTER DELETE ON conversations
  BEGIN
    DELETE FROM mending WHERE conversation_id = OLD.conversation_id;
    DELETE FROM fresh_commits WHERE conversation_id = OLD.conversation_id;
  END;
  `,
  // Who was in the conversation before a commit: what this device knows again when it is void. NULL: that isn't known.
  `ALTER TABLE fresh_commits ADD COLUMN members_before BLOB;`,
  `
  -- Messages and whole conversations that were deleted here while messages came over from another device: they don't come back.
  CREATE TABLE history_over (
    id TEXT PRIMARY KEY,
    -- Nothing comes over any more.
    until_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The place in the log where a commit was found void last: what lies before it is decided, and can't be found void again.
  ALTER TABLE conversations ADD COLUMN reopened_at INTEGER NOT NULL DEFAULT 0;
  `,
  // The suite that the conversation had before a commit: what it has again when that is void. NULL: that isn't known.
  `ALTER TABLE fresh_commits ADD COLUMN suite_before TEXT;`,
  `
  -- The key pair that is told with each request: what others say again to this device alone is sealed to it (docs/adr/0023).
  CREATE TABLE answer_keys (
    conversation_id TEXT PRIMARY KEY,
    suite TEXT NOT NULL,
    public_key BLOB NOT NULL,
    -- The private key.
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- When nothing is missing any more, nothing is left that could open an answer.
  CREATE TRIGGER answer_key_over AFTER DELETE ON gaps
  WHEN NOT EXISTS (SELECT 1 FROM gaps WHERE conversation_id = OLD.conversation_id)
  BEGIN
    DELETE FROM answer_keys WHERE conversation_id = OLD.conversation_id;
  END;
  `,
];
