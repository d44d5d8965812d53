/** The first ?2 messages that have ended by ?1: each step of a sweep takes as many. */
const dueMessages = `SELECT message_id FROM messages WHERE deadline_ms <= ?1
    ORDER BY deadline_ms, message_id LIMIT ?2`;

/** Every write of the client. Parameters are numbered; see the schema for what columns mean. */
export const statements = {
  "fact.put": `INSERT INTO facts (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = ?2`,
  "fact.delete": `DELETE FROM facts WHERE name = ?1`,

  "directory.put": `INSERT INTO directory (user_id, version, entry) VALUES (?1, ?2, ?3)
    ON CONFLICT (user_id) DO UPDATE SET version = ?2, entry = ?3 WHERE version <= ?2`,

  "verification.put": `INSERT INTO verifications (user_id, account_key, verified_ms, how)
    VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (user_id) DO UPDATE SET account_key = ?2, verified_ms = ?3, how = ?4`,
  "verification.delete": `DELETE FROM verifications WHERE user_id = ?1`,
  "pendingKey.put": `INSERT INTO pending_keys (
      user_id, account_key, issued_ms, noticed_ms, version, entry)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (user_id) DO UPDATE SET account_key = ?2, issued_ms = ?3, noticed_ms = ?4,
      version = ?5, entry = ?6`,
  "pendingKey.delete": `DELETE FROM pending_keys WHERE user_id = ?1`,

  "keyPackage.put": `INSERT INTO key_packages (ref, last_resort, sealed, created_ms)
    VALUES (?1, ?2, ?3, ?4)`,
  "keyPackage.consume": `DELETE FROM key_packages WHERE ref = ?1 AND last_resort = 0`,
  "keyPackage.deleteAll": `DELETE FROM key_packages`,
  /** Of last-resort packages that were replaced, the private parts stay for those who had claimed them. */
  "keyPackage.deleteReplaced": `DELETE FROM key_packages WHERE last_resort = 1 AND created_ms < ?1
    AND created_ms < (SELECT max(created_ms) FROM key_packages WHERE last_resort = 1)`,
  "keyPackage.deleteBefore": `DELETE FROM key_packages WHERE created_ms < ?1`,

  "conversation.create": `INSERT INTO conversations (
      conversation_id, state, kind, peer, room_state, members, epoch, suite, authenticator, cursor,
      created_ms, last_activity_ms, next_order, last_order, read_order, unopenable, pinned, muted,
      hidden)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, 1, 0, 0, 0, 0, 0, 0)`,
  /** A conversation that this device comes back to. Whoever was leaving goes on with that, if nobody has signed that they left. */
  "conversation.rejoin": `UPDATE conversations SET
      state = CASE WHEN state = 'left' AND stale = 1 THEN 'leaving' ELSE 'active' END,
      cursor = ?2, blocked = NULL, lost = 0, stale = 0
    WHERE conversation_id = ?1`,
  "conversation.setGroup": `UPDATE conversations SET kind = ?2, peer = ?3, room_state = ?4,
      members = ?5, lost = CASE WHEN epoch = ?6 THEN lost ELSE 0 END, epoch = ?6, suite = ?7,
      authenticator = ?8 WHERE conversation_id = ?1`,
  "conversation.setState": `UPDATE conversations SET state = ?2,
      stale = CASE WHEN ?2 IN ('left', 'removed') THEN 0 ELSE stale END WHERE conversation_id = ?1`,
  /** The relay says that it is over, and no member has signed that. */
  "conversation.endUnsigned": `UPDATE conversations SET state = ?2, stale = 1, blocked = NULL
    WHERE conversation_id = ?1`,
  "conversation.setCursor": `UPDATE conversations SET cursor = max(cursor, ?2)
    WHERE conversation_id = ?1`,
  "conversation.setShown": `UPDATE conversations SET next_order = max(next_order, ?2 + 1),
      last_order = max(last_order, ?2), last_activity_ms = max(last_activity_ms, ?3),
      hidden = 0
    WHERE conversation_id = ?1`,
  "conversation.setRead": `UPDATE conversations SET read_order = max(read_order, ?2)
    WHERE conversation_id = ?1`,
  "conversation.countUnopenable": `UPDATE conversations SET unopenable = unopenable + ?2
    WHERE conversation_id = ?1`,
  "conversation.setBlocked": `UPDATE conversations SET blocked = ?2 WHERE conversation_id = ?1`,
  "conversation.addLost": `UPDATE conversations SET lost = max(0, lost + ?2)
    WHERE conversation_id = ?1`,
  "conversation.setPinned": `UPDATE conversations SET pinned = ?2 WHERE conversation_id = ?1`,
  "conversation.setMuted": `UPDATE conversations SET muted = ?2 WHERE conversation_id = ?1`,
  "conversation.setDraft": `UPDATE conversations SET draft = ?2, draft_id = ?3, draft_ends_ms = ?4,
      draft_hour = ?5, draft_leaf = ?6 WHERE conversation_id = ?1`,
  "conversation.deleteDraft": `UPDATE conversations SET draft = NULL, draft_id = NULL,
      draft_ends_ms = NULL, draft_hour = NULL, draft_leaf = NULL WHERE conversation_id = ?1`,
  /** The group was joined anew from outside: what others said meanwhile can't be opened. */
  "conversation.setRejoined": `UPDATE conversations SET cursor = max(cursor, ?2), blocked = NULL,
      lost = 0, stale = 0 WHERE conversation_id = ?1`,
  "conversation.doubtAll": `UPDATE conversations SET stale = 1
    WHERE state IN ('creating', 'active', 'leaving')`,
  /** Nothing is encrypted by its group any more: it is joined anew first. */
  "conversation.setStale": `UPDATE conversations SET stale = 1
    WHERE conversation_id = ?1 AND state IN ('active', 'leaving')`,
  "conversation.setEpochStart": `UPDATE conversations SET epoch_start = ?2
    WHERE conversation_id = ?1`,
  "conversation.setDoubtful": `UPDATE conversations SET doubtful = ?2 WHERE conversation_id = ?1`,
  "conversation.setMembers": `UPDATE conversations SET members = ?2 WHERE conversation_id = ?1`,
  "conversation.setReopenedAt": `UPDATE conversations SET reopened_at = ?2
    WHERE conversation_id = ?1`,
  "conversation.setSuite": `UPDATE conversations SET suite = ?2 WHERE conversation_id = ?1`,
  /** The epochs behind ?2 never were. */
  "conversation.goBack": `UPDATE conversations SET epoch = ?2, epoch_start = NULL, lost = 0
    WHERE conversation_id = ?1`,

  "mending.put": `INSERT INTO mending (conversation_id, epoch, sequence, rejections, rejoins,
      rejoined_ms, rejoining) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (conversation_id) DO UPDATE SET epoch = ?2, sequence = ?3, rejections = ?4,
      rejoins = ?5, rejoined_ms = ?6, rejoining = ?7`,
  "freshCommit.put": `INSERT INTO fresh_commits (conversation_id, sequence, epoch, hash, committer, intent,
      members_before, suite_before)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`,
  /** ?2 has followed all but their own. */
  "freshCommit.deleteFollowed": `DELETE FROM fresh_commits WHERE conversation_id = ?1 AND committer <> ?2`,
  "freshCommit.deleteAll": `DELETE FROM fresh_commits WHERE conversation_id = ?1`,

  "conversation.setHidden": `UPDATE conversations SET hidden = ?2, last_order = 0
    WHERE conversation_id = ?1`,
  "conversation.delete": `DELETE FROM conversations WHERE conversation_id = ?1`,

  "piece.put": `INSERT INTO group_pieces (conversation_id, name, sealed) VALUES (?1, ?2, ?3)
    ON CONFLICT (conversation_id, name) DO UPDATE SET sealed = ?3`,
  "piece.delete": `DELETE FROM group_pieces WHERE conversation_id = ?1 AND name = ?2`,
  "piece.deleteAll": `DELETE FROM group_pieces WHERE conversation_id = ?1`,

  "intent.put": `INSERT INTO intents (conversation_id, intent, attempts, offer)
    VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (conversation_id) DO UPDATE SET intent = ?2, attempts = ?3, offer = ?4`,
  "intent.withdrawOffer": `UPDATE intents SET offer = NULL WHERE conversation_id = ?1`,
  "intent.withdrawOffers": `UPDATE intents SET offer = NULL`,
  "intent.delete": `DELETE FROM intents WHERE conversation_id = ?1`,

  "leafAge.put": `INSERT INTO leaf_ages (conversation_id, renewed_ms) VALUES (?1, ?2)
    ON CONFLICT (conversation_id) DO UPDATE SET renewed_ms = ?2`,

  "welcome.keep": `INSERT INTO welcomes (inbox_sequence, conversation_id, entry)
    VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
  "welcome.trim": `DELETE FROM welcomes WHERE inbox_sequence NOT IN
    (SELECT inbox_sequence FROM welcomes ORDER BY inbox_sequence DESC LIMIT ?1)`,
  /** Of one that can't be joined by, only for which conversation it was. */
  "welcome.empty": `UPDATE welcomes SET entry = x'' WHERE inbox_sequence = ?1`,
  "welcome.deleteAll": `DELETE FROM welcomes`,
  "welcome.deleteEmpty": `DELETE FROM welcomes WHERE conversation_id = ?1 AND entry = x''`,
  "welcome.delete": `DELETE FROM welcomes WHERE inbox_sequence = ?1`,

  "generation.put": `INSERT INTO generations (conversation_id, device_id, epoch, next)
    VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (conversation_id, device_id) DO UPDATE SET epoch = ?3, next = ?4`,
  "generation.deleteAll": `DELETE FROM generations WHERE conversation_id = ?1`,

  "leaver.put": `INSERT INTO leavers (conversation_id, user_id) VALUES (?1, ?2)
    ON CONFLICT DO NOTHING`,
  "leaver.deleteAll": `DELETE FROM leavers WHERE conversation_id = ?1`,

  "message.insert": `INSERT INTO messages (
      message_id, conversation_id, ord, kind, sender_user, own, sent_ms, ends_ms, origin,
      origin_seconds, burn_seconds, revealed, burns_ms, deadline_ms, state, failure, sequence, epoch,
      body, edited, reply_to, code, owed, told, hour, leaf)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, NULL, ?8, ?12, NULL, ?13, ?14,
      ?15, 0, ?16, ?17, ?18, 0, ?19, ?20)`,
  /** A message that was recalled meanwhile has no leaf any more, and gets no body. */
  "message.setBody": `UPDATE messages SET body = ?2, edited = 1,
      edit_sequence = max(edit_sequence, ?3)
    WHERE message_id = ?1 AND leaf IS NOT NULL`,
  "message.addMissing": `UPDATE messages SET missing = missing + ?2, code = ?3 WHERE message_id = ?1`,
  "message.recall": `UPDATE messages SET kind = 'recalled', body = NULL, hour = NULL, leaf = NULL,
      reply_to = NULL, edited = 0, burn_seconds = NULL, owed = told WHERE message_id = ?1`,
  "message.setSent": `UPDATE messages SET state = 'sent', failure = NULL, sequence = ?2, epoch = ?3
    WHERE message_id = ?1`,
  "message.setState": `UPDATE messages SET state = ?2, failure = ?3 WHERE message_id = ?1`,
  "message.setBurn": `UPDATE messages SET revealed = ?3, burns_ms = ?2,
      deadline_ms = min(ends_ms, ?2) WHERE message_id = ?1`,
  "message.owe": `UPDATE messages SET owed = max(owed, ?2) WHERE message_id = ?1`,
  "message.oweRead": `UPDATE messages SET owed = max(owed, 2)
    WHERE conversation_id = ?1 AND ord <= ?2 AND own = 0 AND kind = 'text' AND owed < 2
      AND (burn_seconds IS NULL OR revealed = 1)`,
  "message.told": `UPDATE messages SET told = ?2 WHERE message_id = ?1`,
  "message.delete": `DELETE FROM messages WHERE message_id = ?1`,
  "message.deleteDue": `DELETE FROM messages WHERE message_id IN (${dueMessages})`,
  "message.deleteAll": `DELETE FROM messages WHERE conversation_id = ?1`,

  /** A message from another device of this account, unless it or all of its conversation was deleted here. */
  "history.insert": `INSERT INTO messages (
      message_id, conversation_id, ord, kind, sender_user, own, sent_ms, ends_ms, origin,
      origin_seconds, burn_seconds, revealed, burns_ms, deadline_ms, state, epoch, body, edited,
      reply_to, owed, told, hour, leaf)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
      ?20, ?20, ?21, ?22
    WHERE NOT EXISTS (SELECT 1 FROM history_over WHERE id IN (?1, ?2))`,
  "history.end": `INSERT INTO history_over (id, until_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING`,
  "history.deleteDue": `DELETE FROM history_over WHERE until_ms <= ?1`,
  "history.receipt": `INSERT INTO receipts (message_id, user_id, delivered_ms, read_ms, burned)
    SELECT message_id, ?2, ?3, ?4, ?5 FROM messages WHERE message_id = ?1 ON CONFLICT DO NOTHING`,
  /** How a conversation stood at the other device, while nothing has been said here. */
  "history.place": `UPDATE conversations SET read_order = max(read_order, ?2), pinned = ?4,
      muted = ?5, last_activity_ms = CASE WHEN EXISTS (
        SELECT 1 FROM messages WHERE messages.conversation_id = ?1 AND kind <> 'system'
          AND ord > ?2 AND sent_ms > ?3)
      THEN last_activity_ms ELSE ?3 END
    WHERE conversation_id = ?1`,

  "reaction.insert": `INSERT INTO reactions (
      reaction_id, conversation_id, target_id, sender_user, sent_ms, ends_ms, body)
    SELECT ?1, ?2, message_id, ?4, ?5, ?6, ?7 FROM messages
    WHERE message_id = ?3 AND leaf IS NOT NULL ON CONFLICT DO NOTHING`,
  "reaction.delete": `DELETE FROM reactions WHERE reaction_id = ?1 AND sender_user = ?2`,
  "reaction.deleteOf": `DELETE FROM reactions WHERE target_id = ?1`,
  "reaction.deleteDue": `DELETE FROM reactions WHERE ends_ms <= ?1
    OR target_id IN (${dueMessages})`,
  "reaction.deleteAll": `DELETE FROM reactions WHERE conversation_id = ?1`,

  "receipt.expect": `INSERT INTO receipts (message_id, user_id, burned)
    SELECT message_id, ?2, 0 FROM messages WHERE message_id = ?1 ON CONFLICT DO NOTHING`,
  "receipt.deliver": `UPDATE receipts SET delivered_ms = coalesce(delivered_ms, ?3)
    WHERE message_id = ?1 AND user_id = ?2`,
  "receipt.read": `UPDATE receipts SET delivered_ms = coalesce(delivered_ms, ?3),
      read_ms = coalesce(read_ms, ?3) WHERE message_id = ?1 AND user_id = ?2`,
  "receipt.burn": `UPDATE receipts SET delivered_ms = coalesce(delivered_ms, ?3),
      read_ms = coalesce(read_ms, ?3), burned = 1 WHERE message_id = ?1 AND user_id = ?2`,
  "receipt.deleteOf": `DELETE FROM receipts WHERE message_id = ?1`,
  "receipt.deleteDue": `DELETE FROM receipts WHERE message_id IN (${dueMessages})`,
  "receipt.deleteAll": `DELETE FROM receipts WHERE message_id IN
    (SELECT message_id FROM messages WHERE conversation_id = ?1)`,

  "outbox.insert": `INSERT INTO outbox (
      item_id, conversation_id, position, kind, target_id, ends_ms, failed, content, sequence, hour,
      leaf, alone)
    VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM outbox), ?3, ?4, ?5, 0, ?6, ?7, ?8,
      ?9, ?10)`,
  "outbox.setCiphertext": `UPDATE outbox SET ciphertext = ?2, epoch = ?3, digest = ?4,
      generation = ?5, sequence = NULL WHERE item_id = ?1 AND kind <> 'withdrawn'`,
  /** Nothing that was encrypted by a group's former state is sent any more. */
  "outbox.unseal": `UPDATE outbox SET ciphertext = NULL, epoch = NULL, digest = NULL, generation = NULL,
      doubtful = 1, sequence = CASE kind WHEN 'drop' THEN sequence END`,
  "outbox.unsealIn": `UPDATE outbox SET ciphertext = NULL, epoch = NULL, digest = NULL, generation = NULL,
      doubtful = 1, sequence = CASE kind WHEN 'drop' THEN sequence END WHERE conversation_id = ?1`,
  /** What stood on a void commit, behind ?2, goes out again, in its order and before anything else; ?3 is behind all of it. */
  "outbox.takeBack": `INSERT INTO outbox (item_id, conversation_id, position, kind, target_id, ends_ms,
      failed, content, hour, leaf, alone)
    SELECT item_id, conversation_id,
      (SELECT coalesce(min(position), 0) FROM outbox) - ?3 + sequence, kind, target_id, ends_ms,
      0, content, hour, leaf, alone
    FROM sent WHERE conversation_id = ?1 AND sequence > ?2 AND content IS NOT NULL
    ON CONFLICT DO NOTHING`,
  "outbox.setUnsent": `UPDATE outbox SET doubtful = 0 WHERE item_id = ?1`,
  "outbox.setPlace": `UPDATE outbox SET sequence = ?2 WHERE item_id = ?1`,
  "outbox.fail": `UPDATE outbox SET failed = 1, ciphertext = NULL, epoch = NULL, digest = NULL
    WHERE item_id = ?1`,
  /** Nothing goes out any more. What people have written can be sent again when they are let in again. */
  "outbox.failTexts": `UPDATE outbox SET failed = 1, ciphertext = NULL, epoch = NULL, digest = NULL
    WHERE conversation_id = ?1 AND kind = 'text'`,
  "outbox.deleteOthers": `DELETE FROM outbox WHERE conversation_id = ?1 AND kind <> 'text'`,
  "outbox.retry": `UPDATE outbox SET failed = 0 WHERE item_id = ?1`,
  "outbox.delete": `DELETE FROM outbox WHERE item_id = ?1`,
  /** A recalled message that may be out: what the relay has of it is dropped as soon as its place is known. */
  "outbox.withdraw": `UPDATE outbox SET kind = 'withdrawn', failed = 1, target_id = NULL,
      content = NULL, ciphertext = NULL, hour = NULL, leaf = NULL
    WHERE item_id = ?1 AND ciphertext IS NOT NULL`,
  "outbox.dropWithdrawn": `UPDATE outbox SET kind = 'drop', failed = 0, epoch = NULL,
      digest = NULL, sequence = ?2 WHERE item_id = ?1 AND kind = 'withdrawn'`,
  /** Its leaf is another row's from here on. */
  "outbox.disown": `UPDATE outbox SET alone = 0
    WHERE item_id = ?1 AND kind IN ('text', 'control', 'recall')`,
  /** What was recalled, or has ended, while its answer was made. */
  "outbox.deleteOver": `DELETE FROM outbox WHERE item_id = ?1
    AND NOT EXISTS (SELECT 1 FROM sent WHERE item_id = ?2 AND kind <> 'over')`,
  "outbox.sent": `DELETE FROM outbox WHERE item_id = ?1 AND kind <> 'drop'`,
  /** Of a recalled message whose place is known. */
  "outbox.dropRecalled": `INSERT INTO outbox (
      item_id, conversation_id, position, kind, ends_ms, failed, sequence)
    SELECT ?1, conversation_id, (SELECT coalesce(max(position), 0) + 1 FROM outbox), 'drop',
      ends_ms, 0, sequence FROM messages WHERE message_id = ?2 AND sequence IS NOT NULL`,
  "outbox.deleteOf": `DELETE FROM outbox WHERE target_id = ?1`,
  "outbox.deleteDue": `DELETE FROM outbox WHERE ends_ms <= ?1
    OR target_id IN (${dueMessages})`,
  "outbox.deleteContent": `DELETE FROM outbox WHERE conversation_id = ?1
    AND kind NOT IN ('leave', 'recall', 'withdrawn', 'drop')`,
  "outbox.deleteLeave": `DELETE FROM outbox WHERE conversation_id = ?1 AND kind = 'leave'`,
  "outbox.deleteAll": `DELETE FROM outbox WHERE conversation_id = ?1`,

  /** Only what changes something for others is kept whole. Comes before the item leaves the outbox. */
  "sent.keep": `INSERT INTO sent (item_id, conversation_id, kind, target_id, epoch, generation,
      sequence, taken_ms, ends_ms, content, hour, leaf, alone)
    SELECT item_id, conversation_id, kind, target_id,
      CASE WHEN generation IS NULL THEN 0 ELSE ?2 END, generation, ?3, ?4, ends_ms,
      CASE WHEN kind IN ('text', 'control', 'recall') THEN content END, hour, leaf,
      CASE WHEN kind IN ('text', 'control', 'recall') THEN alone ELSE 0 END
    FROM outbox WHERE item_id = ?1
      AND kind IN ('text', 'control', 'recall', 'status', 'request', 'answer')
    ON CONFLICT DO NOTHING`,
  "sent.deleteBehind": `DELETE FROM sent WHERE conversation_id = ?1 AND sequence > ?2`,
  /** Their leaves are the outbox's again. */
  "doomed.spareOutbox": `DELETE FROM doomed WHERE (hour, leaf) IN
    (SELECT hour, leaf FROM outbox WHERE conversation_id = ?1 AND alone = 1)`,
  "message.setWaiting": `UPDATE messages SET state = 'waiting', sequence = NULL
    WHERE message_id = ?1 AND own = 1 AND state = 'sent'`,
  /** Places in the log that stand for nothing. */
  "gap.deletePlaces": `DELETE FROM gaps WHERE conversation_id = ?1 AND device_id = '' AND epoch = 0
    AND number BETWEEN ?2 AND ?3 AND line_id IS NULL`,
  "sent.emptyOf": `UPDATE sent SET kind = 'over', content = NULL, target_id = NULL, alone = 0
    WHERE target_id = ?1`,
  "sent.emptyDue": `UPDATE sent SET kind = 'over', content = NULL, target_id = NULL, alone = 0
    WHERE kind <> 'over' AND (ends_ms <= ?1 OR target_id IN (${dueMessages}))`,
  "sent.emptyAll": `UPDATE sent SET kind = 'over', content = NULL, target_id = NULL, alone = 0
    WHERE conversation_id = ?1`,
  "sent.deleteBefore": `DELETE FROM sent WHERE ends_ms <= ?1`,
  "sent.deleteAll": `DELETE FROM sent WHERE conversation_id = ?1`,

  "gap.put": `INSERT INTO gaps (conversation_id, device_id, epoch, number, ord, line_id, asked, next_ms,
      shows_ms, ends_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9) ON CONFLICT DO NOTHING`,
  "gap.asked": `UPDATE gaps SET asked = asked + 1, next_ms = ?5
    WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3 AND number = ?4`,
  "gap.show": `UPDATE gaps SET line_id = ?5
    WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3 AND number = ?4`,
  "gap.delete": `DELETE FROM gaps
    WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3 AND number = ?4`,
  /** It stands for one less from here on. Comes before the row goes. */
  "gap.settle": `UPDATE messages SET missing = missing - 1 WHERE message_id =
    (SELECT line_id FROM gaps
      WHERE conversation_id = ?1 AND device_id = ?2 AND epoch = ?3 AND number = ?4)`,
  "gap.deleteLines": `DELETE FROM messages
    WHERE conversation_id = ?1 AND kind = 'unopenable' AND missing <= 0`,
  "gap.deleteAll": `DELETE FROM gaps WHERE conversation_id = ?1`,
  /** It goes with the last gap, which may have come in the meantime. */
  "answerKey.put": `INSERT INTO answer_keys (conversation_id, suite, public_key, sealed)
    SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM gaps WHERE conversation_id = ?1)
    ON CONFLICT (conversation_id) DO UPDATE SET suite = ?2, public_key = ?3, sealed = ?4`,
  "conversation.countRecovered": `UPDATE conversations SET recovered = recovered + ?2
    WHERE conversation_id = ?1`,
  "conversation.countOver": `UPDATE conversations SET overdue = overdue + ?2
    WHERE conversation_id = ?1`,
  /** Places below this are given out. */
  "conversation.reserve": `UPDATE conversations SET next_order = max(next_order, ?2)
    WHERE conversation_id = ?1`,
  "conversation.setSince": `UPDATE conversations SET since_epoch = ?2 WHERE conversation_id = ?1`,

  "join.put": `INSERT INTO joins (conversation_id, device_id, epoch) VALUES (?1, ?2, ?3)
    ON CONFLICT (conversation_id, device_id) DO UPDATE SET epoch = ?3`,
  "join.deleteAll": `DELETE FROM joins WHERE conversation_id = ?1`,

  "answer.note": `INSERT INTO answers (conversation_id, device_id, kind, item_id, times, last_ms)
    VALUES (?1, ?2, ?3, ?4, 1, ?5)
    ON CONFLICT (conversation_id, device_id, kind, item_id)
    DO UPDATE SET times = times + 1, last_ms = ?5`,
  "answer.deleteBefore": `DELETE FROM answers WHERE last_ms < ?1`,
  "answer.deleteAll": `DELETE FROM answers WHERE conversation_id = ?1`,

  "orphan.put": `INSERT INTO orphans (message_id, conversation_id, awaits_id, sender_user, sequence,
      epoch, sent_ms, ends_ms, content, hour, leaf)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING`,
  "orphan.trim": `DELETE FROM orphans WHERE message_id IN (SELECT message_id FROM orphans
    WHERE conversation_id = ?1 ORDER BY sequence DESC, message_id LIMIT -1 OFFSET ?2)`,
  "orphan.delete": `DELETE FROM orphans WHERE message_id = ?1`,
  "orphan.deleteDue": `DELETE FROM orphans WHERE ends_ms <= ?1`,
  "orphan.deleteAll": `DELETE FROM orphans WHERE conversation_id = ?1`,

  "message.reoweAll": `UPDATE messages SET told = 0
    WHERE conversation_id = ?1 AND own = 0 AND kind = 'text' AND told > 0`,

  "draft.deleteDue": `UPDATE conversations SET draft = NULL, draft_id = NULL, draft_ends_ms = NULL,
      draft_hour = NULL, draft_leaf = NULL WHERE draft_ends_ms <= ?1`,

  "bucket.take": `INSERT INTO key_buckets (hour, next) VALUES (?1, ?2)
    ON CONFLICT (hour) DO UPDATE SET next = max(next, ?2)`,
  "bucket.deleteBefore": `DELETE FROM key_buckets WHERE hour < ?1`,
  "doomed.delete": `DELETE FROM doomed WHERE doom_id <= ?1`,

  "blob.put": `INSERT INTO blobs (blob_id, message_id) VALUES (?1, ?2)`,
  /** Its file is gone. */
  "blob.delete": `DELETE FROM blobs WHERE blob_id = ?1 AND message_id IS NULL`,
} as const satisfies Readonly<Record<string, string>>;

/** The name of a write. */
export type StatementName = keyof typeof statements;
