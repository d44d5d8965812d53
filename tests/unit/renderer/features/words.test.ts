import { describe, expect, test } from "vitest";
import {
  errorKinds,
  type ErrorCode,
  type PersonView,
  type StorageView,
  type UserId,
} from "#protocol";
import {
  findEmoji,
  emojiGroups,
  emojiName,
} from "../../../../renderer/features/composer/emoji-set.ts";
import { forbiddenText } from "../../../../renderer/features/composer/forbidden-words.ts";
import {
  endsInText,
  expiryLines,
  shareLeft,
} from "../../../../renderer/features/conversation/expiry-words.ts";
import { messageLabel } from "../../../../renderer/features/conversation/message-label.ts";
import { systemLineText } from "../../../../renderer/features/conversation/system-line.ts";
import { rowPreviewText } from "../../../../renderer/features/conversation-list/row-preview.ts";
import { codeGroups } from "../../../../renderer/features/details/authenticator.ts";
import { stepsUpTo } from "../../../../renderer/features/first-run/start-steps.ts";
import { lockReason } from "../../../../renderer/features/lock/lock-words.ts";
import { noticeWords } from "../../../../renderer/features/notices/notice-words.ts";
import { problemTitle } from "../../../../renderer/features/problem/problem-title.ts";
import { endsSpans, endsSummary } from "../../../../renderer/features/settings/ends-words.ts";
import {
  healthText,
  storageDetails,
} from "../../../../renderer/features/settings/storage-words.ts";
import { english, I18n } from "../../../../renderer/i18n/index.ts";
import { MarkdownParser } from "../../../../renderer/markdown/index.ts";
import { me, other, textMessage } from "../state/messages.ts";

const i18n = new I18n(english, "en-GB");
const markdown = new MarkdownParser();
const third: PersonView = { userId: "third" as UserId, displayName: "Priya" };

describe("a system line", () => {
  test.each([
    [{ kind: "created", by: me }, "You started this conversation"],
    [{ kind: "created", by: other }, "Jonas started this conversation"],
    [{ kind: "added", by: other, people: [me, third] }, "Jonas added you and Priya"],
    [{ kind: "removed", by: me, people: [third] }, "You removed Priya"],
    [{ kind: "left", by: third }, "Priya left"],
    [
      { kind: "came-meanwhile", by: other, people: [third] },
      "Priya came in while this computer was away, as Jonas’s computer has it",
    ],
    [
      { kind: "went-meanwhile", by: me, people: [other, third] },
      "Jonas and Priya went out while this computer was away",
    ],
    [
      { kind: "restored", by: other, people: [me, other] },
      "This computer joined anew from older data. In here are you and Jonas, as Jonas’s computer has it: if anybody should be out, ask the others before you write",
    ],
    [
      { kind: "suite", by: me, suite: "MLS_SUITE" },
      "This conversation is encrypted with MLS_SUITE now, as the network’s policy asks",
    ],
    [
      { kind: "key-changed", by: other, stopped: false },
      "Jonas's key has changed. If you didn't expect that, compare your safety number.",
    ],
    [
      { kind: "key-changed", by: other, stopped: true },
      "Jonas's key has changed. You had verified it, so nothing is sent until you verify again.",
    ],
    [{ kind: "key-taken", by: other, verified: true }, "You verified Jonas's new key"],
    [
      { kind: "key-taken", by: other, verified: false },
      "You went on with Jonas's new key without verifying it",
    ],
    [{ kind: "device-added", by: other, deviceName: "Desk" }, "Jonas added the computer “Desk”"],
    [
      { kind: "device-removed", by: other, deviceName: "Desk" },
      "Jonas removed the computer “Desk”",
    ],
    [{ kind: "joined", by: third }, "Priya joined"],
    [{ kind: "renamed", by: me, name: "Q3" }, "You named this conversation “Q3”"],
    [
      { kind: "timers", by: other, timers: { expirationSeconds: 86_400, burnSeconds: 30 } },
      "Jonas set messages to end after 1 day and to burn 30 seconds after reading",
    ],
    [{ kind: "roles", by: other, administrators: [me] }, "Jonas made you administrator"],
    [
      { kind: "roles", by: me, administrators: [other, third] },
      "You made Jonas and Priya administrators",
    ],
    [
      { kind: "key-changed", by: other, stopped: false },
      "Jonas's key has changed. If you didn't expect that, compare your safety number.",
    ],
    [
      { kind: "key-changed", by: other, stopped: true },
      "Jonas's key has changed. You had verified it, so nothing is sent until you verify again.",
    ],
    [{ kind: "key-taken", by: other, verified: true }, "You verified Jonas's new key"],
    [
      { kind: "key-taken", by: other, verified: false },
      "You went on with Jonas's new key without verifying it",
    ],
    [
      { kind: "device-added", by: other, deviceName: "Office laptop" },
      "Jonas added the computer “Office laptop”",
    ],
    [
      { kind: "device-removed", by: other, deviceName: "Office laptop" },
      "Jonas removed the computer “Office laptop”",
    ],
    [
      { kind: "relay-objection", by: other, what: "person" },
      "The relay gave out a record of Jonas that your network hasn't signed, or an older one. It was refused. Tell whoever runs your network.",
    ],
    [
      { kind: "relay-objection", by: other, what: "device" },
      "The relay named a computer of Jonas that isn't validly signed. It was refused, and reads nothing. Tell whoever runs your network.",
    ],
    [
      { kind: "relay-objection", by: other, what: "exclusion" },
      "The relay said without a valid signature that Jonas was suspended or has lost a computer. It was refused. Tell whoever runs your network.",
    ],
    [
      { kind: "relay-objection", by: other, what: "left-out" },
      "The relay keeps back a computer of Jonas that nobody has removed. It stays known here. Tell whoever runs your network.",
    ],
  ] as const)("%o reads “%s”", (line, words) => {
    expect(systemLineText(i18n, line, me.userId)).toBe(words);
  });
});

describe("the line below a conversation's name", () => {
  const context = { i18n, markdown, meId: me.userId };

  test.each([
    [{ kind: "empty" }, "No messages yet"],
    [{ kind: "ended" }, "Message ended"],
    [{ kind: "covered", senderName: "Jonas" }, "Jonas: burn-on-read message"],
    [{ kind: "covered", senderName: null }, "Burn-on-read message"],
    [{ kind: "text", senderName: "Jonas", text: "**hi**\n\nthere" }, "Jonas: hi there"],
    [{ kind: "text", senderName: null, text: "hi" }, "hi"],
    [{ kind: "recalled", senderName: "Jonas" }, "Jonas recalled a message"],
    [{ kind: "system", line: { kind: "left", by: other } }, "Jonas left"],
  ] as const)("of %o is “%s”", (preview, words) => {
    expect(rowPreviewText(preview, context)).toBe(words);
  });
});

describe("the end of a message, in words", () => {
  const message = textMessage(1, { sentAtMs: Date.parse("2026-11-26T10:00:00") });
  const { expiry } = message;
  const nowMs = expiry.endsAtMs - 3 * 86_400_000;

  test("says how long is left, exactly when, and why", () => {
    expect(expiryLines(i18n, expiry, { nowMs, own: false })).toEqual([
      "Ends in 3 days",
      "Ends Thursday, 3 December 2026 at 10:00",
      "Conversation setting: 7 days",
    ]);
  });

  test("says when it burns, and what that means for one's own", () => {
    const burning = { ...expiry, burnSeconds: 30, burnsAtMs: nowMs + 12_000 };
    const lines = expiryLines(i18n, burning, { nowMs, own: true });
    expect(lines[0]).toBe("Burns in 12 seconds");
    expect(lines).toContain("Burns 30 seconds after it has been read");
    expect(lines.at(-1)).toContain("Your copy burns when everybody has read it");
  });

  test("is over when it is over", () => {
    expect(endsInText(i18n, expiry, expiry.endsAtMs)).toBe("Ended");
  });

  test("goes by the end that comes first", () => {
    const late = { ...expiry, burnSeconds: 30, burnsAtMs: expiry.endsAtMs + 1 };
    expect(endsInText(i18n, late, expiry.endsAtMs - 5000)).toBe("Ends in 5 seconds");
  });

  test("empties the ring from full to nothing", () => {
    expect(shareLeft(expiry, expiry.sentAtMs)).toBe(1);
    expect(shareLeft(expiry, (expiry.sentAtMs + expiry.endsAtMs) / 2)).toBe(0.5);
    expect(shareLeft(expiry, expiry.endsAtMs + 1)).toBe(0);
    const burning = { ...expiry, burnSeconds: 30, burnsAtMs: nowMs + 15_000 };
    expect(shareLeft(burning, nowMs)).toBe(0.5);
  });

  test("is part of what a screen reader says of the message", () => {
    const label = messageLabel(message, { i18n, markdown, nowMs });
    expect(label).toBe("Jonas, 10:00: text 1. Ends in 3 days");
  });

  test("covered, recalled and unopenable messages say what they are, and nothing of their text", () => {
    const context = { i18n, markdown, nowMs };
    const { messageId, conversationId, order, sentAtMs, sender } = message;
    const common = { messageId, conversationId, order, sentAtMs, sender, own: false };
    expect(messageLabel({ ...common, kind: "covered", expiry }, context)).toBe(
      "Jonas, 10:00: burn-on-read message, not shown yet. Ends in 3 days",
    );
    expect(messageLabel({ ...common, kind: "recalled", expiry }, context)).toContain("recalled");
    const unopenable = { ...common, kind: "unopenable", code: "message-unopenable" } as const;
    const known = { ...unopenable, count: 1, senderKnown: true, asking: false };
    expect(messageLabel(known, context)).toBe("Jonas, 10:00: message could not be opened");
    const missing = { ...unopenable, count: 3, senderKnown: false };
    expect(messageLabel({ ...missing, asking: true }, context)).toBe(
      "3 messages are missing. They were asked for again.",
    );
    expect(messageLabel({ ...missing, asking: false }, context)).toBe(
      "3 messages are missing and can't be had any more",
    );
  });
});

describe("what is forbidden", () => {
  test.each([
    [{ kind: "conversation", seconds: 604_800 }, "Longer than this conversation allows (7 days)"],
    [{ kind: "network", seconds: 86_400 }, "Longer than the network allows (1 day)"],
    [{ kind: "burn-off" }, "This conversation always burns after reading"],
    [{ kind: "burn-past-end" }, "Longer than the message itself"],
  ] as const)("%o has the reason “%s”", (forbidden, words) => {
    expect(forbiddenText(i18n, forbidden)).toBe(words);
  });
});

describe("the emoji on offer", () => {
  const names = english.emoji;

  test("each has a name, stands there once, and is found by it", () => {
    const all = emojiGroups.flatMap<keyof typeof names>(({ emoji }) => emoji);
    expect(new Set(all).size).toBe(all.length);
    expect([...all].sort()).toEqual(Object.keys(names).sort());
    for (const emoji of all) {
      expect(findEmoji(names, emojiName(names, emoji))).toContain(emoji);
    }
  });

  test("are found by the beginnings of words, all of them", () => {
    expect(findEmoji(names, "thumb up")).toEqual(["👍"]);
    expect(findEmoji(names, "zzz")).toEqual([]);
  });
});

describe("starting", () => {
  test("shows the steps of a usual start, and which are over", () => {
    expect(stepsUpTo("unlocking", false)).toEqual([
      { name: "starting", state: "done" },
      { name: "unlocking", state: "now" },
      { name: "sweeping", state: "later" },
    ]);
  });

  test("shows a step that it didn't expect", () => {
    expect(stepsUpTo("joining", false)).toEqual([{ name: "joining", state: "now" }]);
  });
});

describe("when messages end", () => {
  const nowMs = Date.parse("2026-11-26T10:00:00");
  const hourMs = 3_600_000;
  // The main process counted a moment before the answer came.
  const late = nowMs + 800;
  const ends: StorageView["ends"] = [
    { untilMs: nowMs + hourMs, messages: 1 },
    { untilMs: nowMs + 24 * hourMs, messages: 0 },
    { untilMs: nowMs + 7 * 24 * hourMs, messages: 4 },
    { untilMs: null, messages: 2 },
  ];

  test("is said span by span, in round numbers, the longest bar for the most", () => {
    expect(endsSpans(i18n, ends, late)).toEqual([
      { label: "Within 1 hour", messages: 1, share: 0.25 },
      { label: "Within 1 day", messages: 0, share: 0 },
      { label: "Within 7 days", messages: 4, share: 1 },
      { label: "Later", messages: 2, share: 0.5 },
    ]);
  });

  test("draws no bar where there is no message", () => {
    const none = ends.map((span) => ({ ...span, messages: 0 }));
    expect(endsSpans(i18n, none, nowMs).map(({ share }) => share)).toEqual([0, 0, 0, 0]);
  });

  test("is one sentence for whoever doesn't see the bars", () => {
    expect(endsSummary(i18n, endsSpans(i18n, ends.slice(2), nowMs))).toBe(
      "Messages by the time in which they end: Within 7 days: 4 messages and Later: 2 messages.",
    );
  });
});

describe("the vault's health", () => {
  const health: StorageView["health"] = {
    state: "healthy",
    damage: null,
    sequence: 48_210,
    generation: 7,
    snapshotBytes: 41_205_760,
    logBytes: 9000,
    logFrames: 1,
    keyringBytes: 8192,
    keyringRevision: 913,
    treeNodes: 164,
    lastDestructionMs: null,
    lastCompactionMs: Date.parse("2026-11-26T10:00:00"),
  };

  test("names the place of a damage, if it is known", () => {
    const damage = { file: "log.7", frame: 1204 };
    expect(healthText(i18n, { ...health, state: "damaged", damage })).toContain(
      "Frame 1,204 of the file log.7",
    );
    expect(healthText(i18n, { ...health, state: "damaged" })).not.toContain("{");
    expect(healthText(i18n, { ...health, state: "read-only" })).toContain("not written");
    expect(healthText(i18n, health)).toContain("checked");
  });

  test("has its numbers for whoever looks closely", () => {
    const details = new Map(storageDetails(i18n, health).map(({ term, value }) => [term, value]));
    expect(details.get("Log")).toBe("9 kB in 1 frame");
    expect(details.get("Revision of the keyring")).toBe("913");
    expect(details.get("Keys last destroyed")).toBe("Not since Sotto was started");
    expect(details.get("Files last written anew")).toBe("Thursday, 26 November 2026 at 10:00");
  });
});

describe("a notice about the vault", () => {
  test("counts what is being joined anew, and says when that is over", () => {
    expect(noticeWords(i18n, { kind: "rolled-back", rejoining: 1 }).text).toContain(
      "1 conversation is still",
    );
    expect(noticeWords(i18n, { kind: "rolled-back", rejoining: 0 }).text).toContain(
      "Every conversation has been joined anew",
    );
  });

  test.each([
    [{ kind: "keychain-behind", code: null }, "The keychain is behind"],
    [{ kind: "keychain-weak", backend: "basic_text" }, "This keychain is weak"],
    [{ kind: "lock-required" }, "An app lock is required"],
    [{ kind: "own-key" }, "Your network gives you another key"],
    [{ kind: "directory-behind" }, "The relay has forgotten something"],
  ] as const)("%o has the title “%s”", (notice, title) => {
    expect(noticeWords(i18n, notice).title).toBe(title);
  });
});

test("a notice about the directory names whom it is about, if they are known", () => {
  const people = [other, third];
  const words = noticeWords(i18n, { kind: "relay-objections", people });
  expect(words.title).toBe("The relay's directory isn't right");
  expect(words.text).toContain("of Jonas and Priya");
  const unknown = noticeWords(i18n, { kind: "relay-objections", people: [] });
  expect(unknown.text).toContain("somebody unknown");
});

test("every error code has a title for its page", () => {
  for (const code of Object.keys(errorKinds) as ErrorCode[]) {
    expect(i18n.t(problemTitle(code))).not.toBe("");
  }
  expect(problemTitle("vault-key-missing")).toBe("problem.title.keychain");
  expect(problemTitle("vault-erased")).toBe("problem.title.erased");
  expect(problemTitle("vault-in-use")).toBe("problem.title.in-use");
  expect(problemTitle("vault-damaged")).toBe("problem.title.vault");
});

test("a long code is cut into groups that can be read out", () => {
  expect(codeGroups("0123456789ab", 10)).toEqual(["01234", "56789", "ab"]);
  expect(codeGroups("0123456789ab", 1)).toEqual(["01234"]);
  expect(codeGroups("", 10)).toEqual([]);
});

describe("the page of a locked vault", () => {
  test("asks at the start for what its form asks for, and else says why it is locked", () => {
    const { t } = i18n;
    expect(t(lockReason("start", "passphrase"))).toContain("your passphrase");
    expect(t(lockReason("start", "recovery-code"))).toContain("your recovery code");
    expect(t(lockReason("suspend", "recovery-code"))).toContain("went to sleep");
  });
});
