/** Every read of the client. `?now` parameters keep what has ended out of sight even before it is deleted. */
export const queries = {
  fact: `SELECT value FROM facts WHERE name = ?1`,

  directory: `SELECT user_id, version, entry FROM directory`,

  directoryEntry: `SELECT entry FROM directory WHERE user_id = ?1`,
  verifications: `SELECT * FROM verifications`,
  verification: `SELECT * FROM verifications WHERE user_id = ?1`,
  pendingKeys: `SELECT user_id FROM pending_keys`,
  pendingKey: `SELECT * FROM pending_keys WHERE user_id = ?1`,

  keyPackage: `SELECT ref, last_resort, sealed FROM key_packages WHERE ref = ?1`,
  lastResort: `SELECT max(created_ms) AS created_ms FROM key_packages WHERE last_resort = 1`,

  oldestOneTime: `SELECT min(created_ms) AS created_ms FROM key_packages WHERE last_resort = 0`,
  leafAge: `SELECT coalesce(renewed_ms, created_ms) AS renewed_ms
    FROM conversations LEFT JOIN leaf_ages USING (conversation_id) WHERE conversation_id = ?1`,

  conversations: `SELECT * FROM conversations`,
  conversation: `SELECT * FROM conversations WHERE conversation_id = ?1`,
  conversationStates: `SELECT conversation_id, state, cursor, stale FROM conversations`,
  staleConversations: `SELECT conversation_id FROM conversations
    WHERE stale = 1 AND state IN ('creating', 'active', 'leaving')`,
  directWith: `SELECT conversation_id FROM conversations
    WHERE kind = 'direct' AND peer = ?1 AND state IN ('active', 'creating')
    ORDER BY conversation_id LIMIT 1`,
  pieces: `SELECT name, sealed FROM group_pieces WHERE conversation_id = ?1`,
  intent: `SELECT intent, attempts, offer FROM intents WHERE conversation_id = ?1`,
  intents: `SELECT conversation_id FROM intents`,
  leavers: `SELECT user_id FROM leavers WHERE conversation_id = ?1`,
  allLeavers: `SELECT DISTINCT conversation_id FROM leavers`,

  welcomes: `SELECT entry FROM welcomes WHERE entry <> x'' ORDER BY inbox_sequence`,
  emptyWelcomes: `SELECT DISTINCT conversation_id FROM welcomes WHERE entry = x''`,
  blocked: `SELECT conversation_id FROM conversations WHERE blocked IS NOT NULL`,
  generation: `SELECT next FROM generations
    WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3`,

  message: `SELECT * FROM messages WHERE message_id = ?1`,
  /** The newest `?4` from before order `?2`. */
  page: `SELECT * FROM messages WHERE conversation_id = ?1 AND ord < ?2 AND deadline_ms > ?3
    ORDER BY ord DESC LIMIT ?4`,
  /** The oldest `?4` from after order `?2`. */
  pageAfter: `SELECT * FROM messages WHERE conversation_id = ?1 AND ord > ?2 AND deadline_ms > ?3
    ORDER BY ord LIMIT ?4`,
  itemCount: `SELECT count(*) AS count FROM messages`,
  hasBefore: `SELECT 1 AS found FROM messages
    WHERE conversation_id = ?1 AND ord < ?2 AND deadline_ms > ?3 LIMIT 1`,
  firstUnread: `SELECT message_id, ord FROM messages
    WHERE conversation_id = ?1 AND ord > ?2 AND own = 0 AND kind IN ('text', 'unopenable')
      AND deadline_ms > ?3 ORDER BY ord LIMIT 1`,
  /** Counted up to a limit: each change of a conversation asks anew. */
  unreadCount: `SELECT count(*) AS count FROM (SELECT 1 FROM messages
    WHERE conversation_id = ?1 AND ord > ?2 AND own = 0 AND kind IN ('text', 'unopenable')
      AND deadline_ms > ?3 LIMIT ?4)`,
  countSince: `SELECT count(*) AS count FROM messages
    WHERE conversation_id = ?1 AND ord >= ?2 AND deadline_ms > ?3`,
  /** From order `?2` on: where thousands have ended and are yet to be deleted, a search for one before them reads them all. */
  newestFrom: `SELECT * FROM messages WHERE conversation_id = ?1 AND ord >= ?2 AND deadline_ms > ?3
    ORDER BY ord DESC LIMIT 1`,
  quotedBy: `SELECT message_id FROM messages WHERE reply_to = ?1`,
  endingBy: `SELECT DISTINCT conversation_id FROM messages
    WHERE deadline_ms > ?1 AND deadline_ms <= ?2 AND kind <> 'system'`,
  /** As the statements that delete them choose them. */
  dueMessages: `SELECT message_id, conversation_id, own, sequence, burns_ms, ends_ms
    FROM messages WHERE deadline_ms <= ?1 ORDER BY deadline_ms, message_id LIMIT ?2`,
  /** What a time hides and another doesn't, from a place in their order on. */
  messagesBetween: `SELECT message_id, conversation_id, deadline_ms FROM messages
    WHERE (deadline_ms, message_id) > (?1, ?2) AND deadline_ms <= ?3
    ORDER BY deadline_ms, message_id LIMIT ?4`,
  /** What quotes a message whose end lies between two times, and goes on itself. */
  quotingBetween: `SELECT quoting.message_id, quoting.conversation_id
    FROM messages AS quoted JOIN messages AS quoting ON quoting.reply_to = quoted.message_id
    WHERE quoted.deadline_ms > ?1 AND quoted.deadline_ms <= ?2 AND quoting.deadline_ms > ?2`,
  dueReactions: `SELECT target_id, conversation_id FROM reactions WHERE ends_ms <= ?1`,
  dueDrafts: `SELECT conversation_id FROM conversations WHERE draft_ends_ms <= ?1`,
  dueItems: `SELECT item_id FROM outbox WHERE ends_ms <= ?1
    UNION ALL SELECT message_id FROM orphans WHERE ends_ms <= ?1 LIMIT 1`,
  deadlines: `SELECT message_id, deadline_ms FROM messages WHERE deadline_ms <= ?1
    UNION ALL SELECT reaction_id, ends_ms FROM reactions WHERE ends_ms <= ?1
    UNION ALL SELECT item_id, ends_ms FROM outbox WHERE ends_ms <= ?1
    UNION ALL SELECT message_id, ends_ms FROM orphans WHERE ends_ms <= ?1
    UNION ALL SELECT draft_id, draft_ends_ms FROM conversations WHERE draft_ends_ms <= ?1`,
  owing: `SELECT message_id, owed, ends_ms FROM messages
    WHERE conversation_id = ?1 AND owed > told AND deadline_ms > ?2 ORDER BY ord LIMIT ?3`,
  allOwing: `SELECT DISTINCT conversation_id FROM messages WHERE owed > told`,
  waitingToBurn: `SELECT * FROM messages WHERE conversation_id = ?1 AND own = 1 AND state = 'sent'
    AND burn_seconds IS NOT NULL AND burns_ms IS NULL`,
  messagesOf: `SELECT message_id FROM messages WHERE conversation_id = ?1`,
  heldIn: `SELECT message_id FROM messages WHERE conversation_id = ?1 AND state = 'failed'
    AND message_id IN (SELECT item_id FROM outbox WHERE conversation_id = ?1 AND failed = 0)`,
  waitingIn: `SELECT message_id FROM messages WHERE conversation_id = ?1 AND state = 'waiting'`,

  reactions: `SELECT reaction_id, reactions.sender_user, reactions.ends_ms, reactions.body, hour, leaf
    FROM reactions JOIN messages ON message_id = target_id
    WHERE target_id = ?1 AND leaf IS NOT NULL AND reactions.ends_ms > ?2
    ORDER BY reactions.sent_ms, reaction_id`,
  reaction: `SELECT target_id, sender_user FROM reactions WHERE reaction_id = ?1`,
  receipts: `SELECT user_id, delivered_ms, read_ms, burned FROM receipts WHERE message_id = ?1`,

  outboxNext: `SELECT * FROM outbox WHERE conversation_id = ?1 AND failed = 0 AND ends_ms > ?2
    ORDER BY position LIMIT 1`,
  outboxItem: `SELECT * FROM outbox WHERE item_id = ?1`,
  outboxByDigest: `SELECT * FROM outbox WHERE conversation_id = ?1 AND digest = ?2`,
  outboxConversations: `SELECT DISTINCT conversation_id FROM outbox WHERE failed = 0`,

  outboxHasKind: `SELECT 1 AS found FROM outbox WHERE conversation_id = ?1 AND kind = ?2 LIMIT 1`,

  mending: `SELECT * FROM mending WHERE conversation_id = ?1`,
  freshCommits: `SELECT * FROM fresh_commits WHERE conversation_id = ?1 ORDER BY sequence`,
  stuckLine: `SELECT message_id FROM messages WHERE conversation_id = ?1 AND kind = 'unopenable'
    AND code IN ('conversation-stuck', 'members-unvouched') AND missing = 1`,
  blockedLine: `SELECT message_id, code FROM messages WHERE conversation_id = ?1
    AND kind = 'unopenable' AND code IN ('device-unknown', 'conversation-stuck', 'members-unvouched')
    ORDER BY ord DESC LIMIT 1`,
  sentByGeneration: `SELECT * FROM sent
    WHERE conversation_id = ?1 AND epoch = ?2 AND generation BETWEEN ?3 AND ?4`,
  sentBySequence: `SELECT * FROM sent WHERE conversation_id = ?1 AND sequence BETWEEN ?2 AND ?3`,
  sentAnswers: `SELECT sequence, ends_ms FROM sent WHERE target_id = ?1 AND kind = 'answer'`,
  gaps: `SELECT * FROM gaps WHERE conversation_id = ?1 ORDER BY ord`,
  gap: `SELECT * FROM gaps
    WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3 AND number = ?4`,
  gapCount: `SELECT count(*) AS count FROM gaps WHERE conversation_id = ?1`,
  gapsShown: `SELECT count(*) AS count FROM gaps WHERE conversation_id = ?1 AND line_id IS NOT NULL`,
  gapsOfLine: `SELECT count(*) AS count FROM gaps WHERE line_id = ?1`,
  allGaps: `SELECT DISTINCT conversation_id FROM gaps`,
  answerKey: `SELECT suite, public_key, sealed FROM answer_keys WHERE conversation_id = ?1`,
  join: `SELECT epoch FROM joins WHERE conversation_id = ?1 AND device_id = ?2`,
  joins: `SELECT device_id, epoch FROM joins WHERE conversation_id = ?1`,
  answer: `SELECT times, last_ms FROM answers
    WHERE conversation_id = ?1 AND device_id = ?2 AND kind = ?3 AND item_id = ?4`,
  answerOfItem: `SELECT max(last_ms) AS last_ms FROM answers
    WHERE conversation_id = ?1 AND kind = 'item' AND item_id = ?2 AND device_id IN (?3, '')`,
  answersSince: `SELECT count(*) AS count FROM answers
    WHERE conversation_id = ?1 AND device_id = ?2 AND kind = ?3 AND last_ms > ?4`,
  adoptable: `SELECT * FROM orphans WHERE conversation_id = ?1
    AND (awaits_id IN (SELECT message_id FROM messages)
      OR awaits_id IN (SELECT reaction_id FROM reactions)) ORDER BY sequence`,
  hasOrphans: `SELECT 1 AS found FROM orphans WHERE conversation_id = ?1 LIMIT 1`,
  historyOver: `SELECT 1 AS found FROM history_over WHERE id = ?1`,
  orphanConversations: `SELECT DISTINCT conversation_id FROM orphans`,

  bucket: `SELECT next FROM key_buckets WHERE hour = ?1`,
  doomed: `SELECT doom_id, hour, leaf FROM doomed ORDER BY doom_id`,
  /** The most pressing first. */
  dooms: `SELECT 0 AS waits FROM blobs WHERE message_id IS NULL
    UNION ALL SELECT waits FROM doomed ORDER BY waits LIMIT 1`,
  doomedBlobs: `SELECT blob_id FROM blobs WHERE message_id IS NULL`,

  messageCount: `SELECT count(*) AS count FROM messages
    WHERE kind IN ('text', 'recalled', 'unopenable') AND deadline_ms > ?1 AND deadline_ms <= ?2`,
} as const satisfies Readonly<Record<string, string>>;

/** The name of a read. */
export type QueryName = keyof typeof queries;
