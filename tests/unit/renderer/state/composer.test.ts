import { beforeEach, describe, expect, test } from "vitest";
import { AppError, maxMessageLength, type MessageId } from "#protocol";
import { Composer } from "../../../../renderer/state/composer.svelte.ts";
import { conversationId, textMessage } from "./messages.ts";
import { settle, TestRuntime, TestTimers } from "./support.ts";

let runtime: TestRuntime;
let timers: TestTimers;
let errors: unknown[];

beforeEach(() => {
  runtime = new TestRuntime();
  runtime.answer("message.send", () => ({ messageId: "m-9" as MessageId }));
  timers = new TestTimers();
  errors = [];
});

function composer(draft = ""): Composer {
  return new Composer(conversationId, draft, {
    runtime,
    later: timers.later,
    onError: (error) => errors.push(error),
  });
}

describe("sending", () => {
  test("hands over text, quote and timers, and frees the field at once", async () => {
    const writing = composer();
    writing.reply(textMessage(1));
    writing.setOwnTimers({ expirationSeconds: 60, burnSeconds: null });
    writing.text = "hello";
    const sending = writing.send();
    expect(writing.text).toBe("");
    expect(writing.mode.kind).toBe("new");
    expect(writing.ownTimers).toBeNull();
    await expect(sending).resolves.toBe(true);
    expect(runtime.paramsOf("message.send")).toEqual([
      {
        conversationId,
        text: "hello",
        replyTo: "m-1",
        timers: { expirationSeconds: 60, burnSeconds: null },
      },
    ]);
  });

  test.each(["", "  \n "])("does nothing with %j", async (text) => {
    const writing = composer();
    writing.text = text;
    await expect(writing.send()).resolves.toBe(false);
    expect(runtime.paramsOf("message.send")).toEqual([]);
  });

  test("refuses what is too long and says by how much", async () => {
    const writing = composer();
    writing.text = "x".repeat(maxMessageLength + 3);
    expect(writing.overBy).toBe(3);
    await expect(writing.send()).resolves.toBe(false);
    expect(writing.text).toHaveLength(maxMessageLength + 3);
  });

  test("that fails brings everything back", async () => {
    runtime.answer("message.send", () => {
      throw new AppError("vault-write-failed");
    });
    const writing = composer();
    writing.reply(textMessage(1));
    writing.setOwnTimers({ expirationSeconds: 60, burnSeconds: null });
    writing.text = "hello";
    await expect(writing.send()).resolves.toBe(false);
    expect(writing.text).toBe("hello");
    expect(writing.mode.kind).toBe("reply");
    expect(writing.ownTimers).toEqual({ expirationSeconds: 60, burnSeconds: null });
    expect(errors).toHaveLength(1);
  });

  test("that fails loses nothing that was written meanwhile", async () => {
    runtime.answer("message.send", async () => {
      await settle();
      throw new AppError("vault-write-failed");
    });
    const writing = composer();
    writing.text = "first";
    const sending = writing.send();
    writing.text = "second";
    await sending;
    expect(writing.text).toBe("first\nsecond");
  });
});

describe("editing", () => {
  test("puts the draft aside and brings it back", async () => {
    const writing = composer();
    writing.text = "half a thought";
    writing.edit(textMessage(2, { own: true, text: "old" }));
    expect(writing.text).toBe("old");
    writing.text = "new";
    await writing.send();
    expect(runtime.paramsOf("message.edit")).toEqual([
      { conversationId, messageId: "m-2", text: "new" },
    ]);
    expect(writing.text).toBe("half a thought");
  });

  test("without a change sends nothing", async () => {
    const writing = composer();
    writing.edit(textMessage(2, { own: true, text: "old" }));
    await writing.send();
    expect(runtime.paramsOf("message.edit")).toEqual([]);
  });

  test("that is given up leaves the draft as it was", () => {
    const writing = composer();
    writing.text = "draft";
    writing.edit(textMessage(2, { own: true }));
    writing.edit(textMessage(3, { own: true, text: "other" }));
    expect(writing.text).toBe("other");
    writing.cancelMode();
    expect(writing.text).toBe("draft");
    expect(writing.mode.kind).toBe("new");
  });

  test("ends when its message does", () => {
    const writing = composer();
    writing.edit(textMessage(2, { own: true }));
    writing.forget(["m-1" as MessageId]);
    expect(writing.mode.kind).toBe("edit");
    writing.forget(["m-2" as MessageId]);
    expect(writing.mode.kind).toBe("new");
  });
});

describe("the draft", () => {
  test("is saved after a moment, once for many strokes", () => {
    const writing = composer();
    for (const text of ["h", "he", "hel"]) writing.text = text;
    expect(timers.waiting).toBe(1);
    timers.run();
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([{ conversationId, text: "hel" }]);
  });

  test("is saved at once when the view is left, and only when it changed", async () => {
    const writing = composer("kept");
    await writing.flush();
    expect(runtime.asked).toEqual([]);
    writing.text = "more";
    await writing.flush();
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([{ conversationId, text: "more" }]);
  });

  test("is emptied by sending", async () => {
    const writing = composer("a draft");
    await writing.send();
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([{ conversationId, text: "" }]);
  });

  test("that can't be saved is tried again with the next change, without a word", async () => {
    runtime.answer("conversation.saveDraft", () => {
      throw new AppError("not-ready");
    });
    const writing = composer();
    writing.text = "a";
    timers.run();
    await settle();
    expect(errors).toEqual([]);
    writing.text = "a";
    timers.run();
    expect(runtime.paramsOf("conversation.saveDraft")).toHaveLength(2);
  });

  test("is not overwritten by the text of a message that is being edited", () => {
    const writing = composer("draft");
    writing.edit(textMessage(2, { own: true, text: "old" }));
    writing.text = "changed";
    timers.run();
    expect(runtime.paramsOf("conversation.saveDraft")).toEqual([]);
  });
});

test("timers for one message never go past the bound", () => {
  const writing = composer();
  writing.setOwnTimers({ expirationSeconds: 100_000, burnSeconds: null });
  const bound = { expirationSeconds: 3600, burnSeconds: 60 };
  expect(writing.timersUnder(bound)).toEqual({ expirationSeconds: 3600, burnSeconds: 60 });
});
