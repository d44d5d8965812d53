import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  AppError,
  encodeFrame,
  type ConversationId,
  type Frame,
  type RelayEventInput,
  type SignedRecord,
} from "#protocol";
import { nodeFiles, type VaultFiles } from "../../../electron/vault/index.ts";
import { until, World, type Person } from "../../support/client-world.ts";

let world: World;
let ada: Person;
let ben: Person;
let direct: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben] = (await world.people("Ada", "Ben")) as [Person, Person];
  direct = await ada.create("direct", [ben]);
  await ada.look(direct);
  await ben.finds(direct);
});
afterEach(async () => {
  await world.dispose();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ada says something and Ben has it: whatever happened, the conversation works. */
async function stillWorks(text = "still working"): Promise<void> {
  await ada.online();
  await ben.online();
  await ada.say(direct, `${text} from Ada`);
  await ben.sees(direct, `${text} from Ada`);
  await ben.say(direct, `${text} from Ben`);
  await ada.sees(direct, `${text} from Ben`);
  for (const person of [ada, ben]) {
    const { conversation } = await person.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.encryption.unopenableCount).toBe(0);
  }
}

/** Resolves when a request of this kind is about to leave, which it then doesn't; nothing gets through any more. */
function holdBack(person: Person, method: string): Promise<void> {
  return new Promise((resolve) => {
    let held = false;
    person.cable.onRequest = (request) => {
      if (request.method === method) {
        held = true;
        resolve();
      }
      return !held;
    };
  });
}

/** Lets a request of this kind reach the relay, and nothing come back after it. */
function loseAnswer(person: Person, method: string): Promise<void> {
  return new Promise((resolve) => {
    let lost = false;
    let id = -1;
    person.cable.onRequest = (request) => {
      if (request.method === method) id = request.id;
      return !lost;
    };
    person.cable.onFrame = (frame) => {
      if (frame.kind === "response" && frame.id === id) {
        lost = true;
        resolve();
      }
      return lost ? null : frame;
    };
  });
}

function unhook(person: Person): void {
  person.cable.onRequest = null;
  person.cable.onFrame = null;
}

describe("without a network", () => {
  test("what is said off line waits, survives a restart, and is sent in order by itself", async () => {
    ada.cable.unplug();
    await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
    for (const text of ["one", "two", "three"]) await ada.say(direct, text);
    await ada.sees(direct, "three");
    const waiting = () =>
      ada
        .messages(direct)
        .flatMap((message) => (message.kind === "text" ? [message.delivery?.kind] : []));
    expect(waiting()).toEqual(["waiting", "waiting", "waiting"]);
    await ada.restart();
    await ada.look(direct);
    expect(waiting()).toEqual(["waiting", "waiting", "waiting"]);
    await pause(300);
    expect(waiting()).toEqual(["waiting", "waiting", "waiting"]);
    ada.cable.plug();
    ada.client.retryNow();
    await ben.sees(direct, "three");
    expect(ben.texts(direct)).toEqual(["one", "two", "three"]);
  });

  test("a message whose end comes before it could be sent ends in the outbox", async () => {
    ada.cable.unplug();
    await ada.say(direct, "too late", { timers: { expirationSeconds: 5, burnSeconds: null } });
    await ada.say(direct, "in time");
    await ada.sees(direct, "too late");
    await until("it ended", () => !ada.texts(direct).includes("too late"));
    ada.cable.plug();
    ada.client.retryNow();
    await ben.sees(direct, "in time");
    expect(ben.texts(direct)).toEqual(["in time"]);
  });

  test("a waiting message that is recalled was never sent", async () => {
    ada.cable.unplug();
    const messageId = await ada.say(direct, "never mind");
    await ada.client.commands["message.recall"]({ conversationId: direct, messageId });
    await ada.say(direct, "this instead");
    ada.cable.plug();
    ada.client.retryNow();
    await ben.sees(direct, "this instead");
    expect(ben.texts(direct)).toEqual(["this instead"]);
    expect(ada.texts(direct)).toEqual(["this instead"]);
  });

  test("a change that needs the network is refused in words, and nothing of it stays", async () => {
    ada.cable.unplug();
    await until("Ada is off line", () => ada.client.view.connection.kind === "offline");
    await expect(ada.create("group", [ben])).rejects.toMatchObject({ code: "relay-unreachable" });
    await expect(
      ada.client.commands["conversation.setTimers"]({
        conversationId: direct,
        timers: { expirationSeconds: 60, burnSeconds: null },
      }),
    ).rejects.toMatchObject({ code: "relay-unreachable" });
    expect(await ada.client.commands["conversations.list"]({})).toHaveLength(1);
    ada.cable.plug();
    ada.client.retryNow();
    await stillWorks();
  });

  test("the relay is gone at the start: everything can be read, and it connects when it is back", async () => {
    await ada.say(direct, "before");
    await ben.sees(direct, "before");
    await world.relay.stopRelay();
    await ben.restart();
    await ben.look(direct);
    expect(ben.texts(direct)).toEqual(["before"]);
    await until("Ben knows", () => {
      const { connection } = ben.client.view;
      return connection.kind === "offline" && connection.code === "relay-unreachable";
    });
    await ben.say(direct, "when it is back");
    await world.relay.startRelay();
    await ada.sees(direct, "when it is back");
    await stillWorks();
  });

  test("the relay restarts in mid-conversation: nothing is lost and nothing comes twice", async () => {
    const texts = Array.from({ length: 30 }, (_, index) => `message ${String(index)}`);
    const talking = (async () => {
      for (const text of texts) {
        await ada.say(direct, text);
        await pause(5);
      }
    })();
    await pause(60);
    await world.relay.stopRelay();
    await pause(100);
    await world.relay.startRelay();
    await talking;
    await ben.sees(direct, texts.at(-1)!);
    expect(ben.texts(direct)).toEqual(texts);
    await stillWorks();
  });

  test("a long absence is caught up in order, page by page", async () => {
    ben.cable.unplug();
    const texts = Array.from({ length: 230 }, (_, index) => `message ${String(index)}`);
    for (const text of texts) await ada.say(direct, text);
    await until("all are sent", () =>
      ada
        .messages(direct)
        .every((message) => message.kind !== "text" || message.delivery?.kind === "sent"),
    );
    ben.cable.plug();
    ben.client.retryNow();
    await ben.sees(direct, texts.at(-1)!);
    expect(ben.texts(direct)).toEqual(texts);
  });
});

describe("a power cut", () => {
  test("between sealing and sending: the message goes out once after the restart", async () => {
    const held = holdBack(ada, "group.append");
    await ada.say(direct, "sealed, not sent");
    await held;
    await ada.kill();
    unhook(ada);
    await ada.open();
    await ada.look(direct);
    await ben.sees(direct, "sealed, not sent");
    expect(ben.texts(direct)).toEqual(["sealed, not sent"]);
    await stillWorks();
  });

  test("between sending and the answer: the message doesn't go out twice", async () => {
    const lost = loseAnswer(ada, "group.append");
    await ada.say(direct, "sent, not known");
    await lost;
    await ada.kill();
    unhook(ada);
    await ada.open();
    await ada.look(direct);
    await ben.sees(direct, "sent, not known");
    await stillWorks();
    expect(ben.texts(direct).filter((text) => text === "sent, not known")).toHaveLength(1);
    expect(ada.message(direct, "sent, not known")).toMatchObject({ own: true });
  });

  test("at the receiver, at any moment of a burst: every message is there once", async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `message ${String(index)}`);
    const talking = (async () => {
      for (const text of texts) await ada.say(direct, text);
    })();
    for (const waitMs of [40, 90, 150]) {
      await pause(waitMs);
      await ben.kill();
      await ben.open();
    }
    await talking;
    await ben.look(direct);
    await ben.sees(direct, texts.at(-1)!);
    expect(ben.texts(direct)).toEqual(texts);
    await stillWorks();
  });

  test.each(["before", "after"] as const)(
    "%s a commit reached the relay: its outcome is found out first",
    async (moment) => {
      const timers = { expirationSeconds: 3600, burnSeconds: null };
      const cut =
        moment === "before" ? holdBack(ada, "group.commit") : loseAnswer(ada, "group.commit");
      const changing = ada.client.commands["conversation.setTimers"]({
        conversationId: direct,
        timers,
      }).catch(() => undefined);
      await cut;
      await ada.kill();
      await changing;
      unhook(ada);
      await ben.say(direct, "meanwhile");
      await ada.open();
      await ada.look(direct);
      await ada.sees(direct, "meanwhile");
      for (const person of [ada, ben]) {
        await until("the timers hold", async () => {
          const { conversation } = await person.client.commands["conversation.open"]({
            conversationId: direct,
          });
          return conversation.timers.expirationSeconds === 3600;
        });
      }
      await stillWorks();
    },
  );

  test("a commit whose outcome is open loses to another one, and is made anew", async () => {
    const held = holdBack(ada, "group.commit");
    const changing = ada.client.commands["conversation.setTimers"]({
      conversationId: direct,
      timers: { expirationSeconds: 3600, burnSeconds: null },
    }).catch(() => undefined);
    await held;
    await ada.kill();
    await changing;
    unhook(ada);
    await ben.client.commands["conversation.setTimers"]({
      conversationId: direct,
      timers: { expirationSeconds: 7200, burnSeconds: null },
    });
    await ada.open();
    await ada.look(direct);
    for (const person of [ada, ben]) {
      await until("Ada's timers came last", async () => {
        const { conversation } = await person.client.commands["conversation.open"]({
          conversationId: direct,
        });
        return conversation.timers.expirationSeconds === 3600;
      });
      await until(
        "both are told",
        () => person.lines(direct).filter((line) => line === "timers").length === 2,
      );
    }
    await stillWorks();
  });

  test.each(["group.create", "group.commit"])(
    "while a conversation is made, at %s: it comes to be after the restart",
    async (method) => {
      const held = holdBack(ada, method);
      const creating = ada.create("group", [ben]).catch(() => undefined);
      await held;
      await ada.kill();
      await creating;
      unhook(ada);
      await ada.open();
      await until("Ben is in it", async () => {
        return (await ben.client.commands["conversations.list"]({})).length === 2;
      });
      await until("so is Ada", async () => {
        return (await ada.client.commands["conversations.list"]({})).length === 2;
      });
      await ada.look(direct);
      await stillWorks();
    },
  );

  test("the crypto worker dies: the client stops, and a new start goes on", async () => {
    await ada.say(direct, "before");
    await ben.sees(direct, "before");
    await world.workers.find((worker) => worker === ben.worker)?.crash();
    expect(ben.client.view.connection).toMatchObject({ kind: "offline", code: "worker-stopped" });
    await expect(ben.say(direct, "lost?")).rejects.toBeInstanceOf(AppError);
    await ada.say(direct, "meanwhile");
    await ben.restart();
    await ben.look(direct);
    await ben.sees(direct, "meanwhile");
    expect(ben.texts(direct)).toEqual(["before", "meanwhile"]);
    await stillWorks();
  });
});

describe("a relay that misbehaves", () => {
  test.each<readonly [string, (frame: Frame) => Frame | Uint8Array | null]>([
    ["bytes that are no frame", () => new Uint8Array([1, 2, 3])],
    ["an event without its fields", () => ({ kind: "event", name: "group.entry", body: {} })],
    ["an unknown event", () => ({ kind: "event", name: "surprise", body: null })],
    ["an answer to no question", () => ({ kind: "response", id: 4_000_000, result: {} })],
    ["a second hello", () => ({ kind: "event", name: "hello", body: {} })],
    ["a request", () => ({ kind: "request", id: 1, method: "session.signIn", params: {} })],
  ])("%s: the connection is made anew and nothing is lost", async (_, damaged) => {
    let done = false;
    ben.cable.onFrame = (frame) => {
      if (done || frame.kind !== "event" || frame.name !== "group.entry") return frame;
      done = true;
      return damaged(frame);
    };
    await ada.say(direct, "through thick and thin");
    await until("it happened", () => done);
    await ben.sees(direct, "through thick and thin");
    await stillWorks();
  });

  test("an entry that is held back is read before the next one is taken", async () => {
    let swallowed = 0;
    ben.cable.onFrame = (frame) => {
      if (swallowed > 0 || frame.kind !== "event" || frame.name !== "group.entry") return frame;
      swallowed += 1;
      return null;
    };
    await ada.say(direct, "held back");
    await until("it was", () => swallowed === 1);
    await ada.say(direct, "next");
    await ben.sees(direct, "next");
    expect(ben.texts(direct)).toEqual(["held back", "next"]);
  });

  test("an entry that comes twice is taken once", async () => {
    const again: Frame[] = [];
    ben.cable.onFrame = (frame) => {
      if (frame.kind === "event" && frame.name === "group.entry") {
        const before = again.shift();
        again.push(frame);
        return before ?? frame;
      }
      return frame;
    };
    await ada.say(direct, "one");
    await ada.say(direct, "two");
    await until("two came", () => again.length === 1);
    unhook(ben);
    await ada.say(direct, "three");
    await ben.sees(direct, "three");
    expect(ben.texts(direct)).toEqual(["one", "two", "three"]);
  });

  test("ciphertext that was tampered with is shown as such and counted, and the rest is read", async () => {
    let done = false;
    ben.cable.onFrame = (frame) => {
      if (done || frame.kind !== "event" || frame.name !== "group.entry") return frame;
      done = true;
      const body = frame.body as RelayEventInput<"group.entry">;
      if (!("bytes" in body.entry)) return frame;
      const bytes = body.entry.bytes.slice();
      bytes[bytes.length - 3]! ^= 1;
      return { ...frame, body: { ...body, entry: { ...body.entry, bytes } } };
    };
    await ada.say(direct, "tampered with");
    await until("it shows", () => ben.messages(direct).some(({ kind }) => kind === "unopenable"));
    await ada.say(direct, "whole");
    await ben.sees(direct, "whole");
    const { conversation } = await ben.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.encryption.unopenableCount).toBe(1);
  });

  test("a message that the relay refuses says so, and can be tried again", async () => {
    let id = -1;
    ada.cable.onRequest = (request) => {
      if (request.method !== "group.append" || id >= 0) return true;
      id = request.id;
      return false;
    };
    const messageId = await ada.say(direct, "refused at first");
    await until("it was asked", () => id >= 0);
    // The answer comes in place of the next frame that arrives.
    ada.cable.onFrame = (frame) => {
      if (id < 0) return frame;
      const refused = encodeFrame({ kind: "failure", id, error: { code: "not-allowed" } });
      id = -2;
      return refused;
    };
    await ben.say(direct, "hello?");
    const delivery = () => {
      const message = ada.shown.get(direct)?.get(messageId);
      return message?.kind === "text" ? message.delivery : null;
    };
    await until("it failed", () => delivery()?.kind === "failed");
    expect(delivery()).toMatchObject({ code: "conversation-over" });
    unhook(ada);
    await ada.client.commands["message.retry"]({ conversationId: direct, messageId });
    await ben.sees(direct, "refused at first");
    await ada.sees(direct, "hello?");
  });

  test("another network's relay at the same address gets nothing, and that is said", async () => {
    const other = await World.start();
    try {
      await other.people("Mallory");
      const asked: string[] = [];
      ben.cable.onRequest = (request) => {
        asked.push(request.method);
        return true;
      };
      ben.cable.redirect = other.relay.url;
      ben.cable.unplug();
      ben.cable.plug();
      await ben.say(direct, "for Ada only");
      await until("Ben is told", () => {
        const { connection } = ben.client.view;
        return connection.kind === "offline" && connection.code === "relay-identity-changed";
      });
      expect(asked).toEqual([]);
      ben.cable.redirect = null;
      ben.client.retryNow();
      await ada.sees(direct, "for Ada only");
    } finally {
      await other.dispose();
    }
  });

  test("an older policy than the one we have is refused, and nothing is sent", async () => {
    const older = await olderPolicy();
    ben.cable.onFrame = (frame) => {
      if (frame.kind !== "event" || frame.name !== "hello") return frame;
      const body = frame.body as RelayEventInput<"hello">;
      const network = body.network === null ? null : { ...body.network, policy: older };
      return { ...frame, body: { ...body, network } };
    };
    ben.cable.unplug();
    ben.cable.plug();
    await until("Ben is told", () => {
      const { connection } = ben.client.view;
      return connection.kind === "offline" && connection.code === "policy-rollback";
    });
    unhook(ben);
    ben.client.retryNow();
    await stillWorks();
  });

  async function olderPolicy(): Promise<SignedRecord> {
    const { networkId, name } = ada.client.view.network;
    await ada.loadNetworkKey();
    const { record } = await ada.worker.call("record.sign", {
      kind: "policy",
      value: {
        networkId,
        networkName: name,
        version: 0,
        issuedAtMs: Date.now(),
        maxExpirationSeconds: 600,
        defaultExpirationSeconds: 600,
        membersMayInvite: true,
      },
    });
    return record;
  }
});

describe("the disk", () => {
  /** The real files, until the disk is full. */
  function fullDisk(): { readonly files: VaultFiles; fill(): void } {
    let full = false;
    return {
      fill: () => {
        full = true;
      },
      files: {
        ...nodeFiles,
        open: async (path, mode) => {
          const file = await nodeFiles.open(path, mode);
          const unlessFull = (write: () => Promise<void>) =>
            full ? Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })) : write();
          return {
            sizeBytes: () => file.sizeBytes(),
            read: (target, position) => file.read(target, position),
            write: (bytes, position) => unlessFull(() => file.write(bytes, position)),
            writeDurably: (bytes, position) => unlessFull(() => file.writeDurably(bytes, position)),
            sync: () => file.sync(),
            truncate: (sizeBytes) => file.truncate(sizeBytes),
            close: () => file.close(),
          };
        },
      },
    };
  }

  test("is full: everything reads, every change says why not, and nothing is lost", async () => {
    await ada.say(direct, "while there was space");
    await ben.sees(direct, "while there was space");
    const disk = fullDisk();
    await ben.quit();
    await ben.open({ files: disk.files });
    await ben.online();
    await ben.look(direct);
    disk.fill();
    await ada.say(direct, "too much");
    await until("Ben is told", () => {
      const { connection } = ben.client.view;
      return connection.kind === "offline" && connection.code === "disk-full";
    });
    expect((await ben.look(direct)).length).toBeGreaterThan(0);
    expect(ben.texts(direct)).toEqual(["while there was space"]);
    await expect(ben.say(direct, "no room")).rejects.toMatchObject({ code: "disk-full" });
    await expect(
      ben.client.commands["conversation.setPinned"]({ conversationId: direct, pinned: true }),
    ).rejects.toMatchObject({ code: "disk-full" });
    await expect(ben.client.commands["settings.set"]({ theme: "dark" })).rejects.toMatchObject({
      code: "disk-full",
    });
    await ben.quit();
    await ben.open();
    await ben.look(direct);
    await ben.sees(direct, "too much");
    expect(ben.texts(direct)).toEqual(["while there was space", "too much"]);
    await stillWorks();
  });
});

describe("invites", () => {
  test("an unknown, a used and an expired one each say so, and the vault can be used with another", async () => {
    const link = await world.invite(ada);
    const cem = await world.person("Cem").join(link);
    await cem.online();
    const late = world.person("Dee");
    await expect(late.join(link)).rejects.toMatchObject({ code: "invite-used" });

    const old = await world.invite(ada);
    const { invites } = { invites: await ada.client.commands["invites.list"]({}) };
    const newest = invites.toSorted((left, right) => right.createdAtMs - left.createdAtMs)[0]!;
    await ada.client.commands["invites.revoke"]({ inviteId: newest.inviteId });
    await expect(late.join(old)).rejects.toMatchObject({ code: "invite-unknown" });

    const expiring = await world.invite(ada);
    world.relay.clock.advance(3_700_000);
    await expect(late.join(expiring)).rejects.toMatchObject({ code: "invite-expired" });
    // Nobody here stays with a relay whose clock is an hour off.
    world.relay.clock.advance(-3_700_000);
    await ada.reconnect();
    expect(await late.join(await world.invite(ada))).toBe(late);
    await late.online();
  });

  test("an invite for another network than the relay's is refused before anything is sent", async () => {
    const other = await World.start();
    try {
      const [mallory] = (await other.people("Mallory")) as [Person];
      const link = await world.invite(ada);
      const dee = world.person("Dee");
      dee.cable.redirect = other.relay.url;
      const asked: string[] = [];
      dee.cable.onRequest = ({ method }) => {
        asked.push(method);
        return true;
      };
      await expect(dee.join(link)).rejects.toMatchObject({ code: "relay-identity-changed" });
      expect(asked).toEqual([]);
      expect(mallory.client.view.connection.kind).toBe("online");
    } finally {
      await other.dispose();
    }
  });

  test.each(["network.claim", "invite.redeem"])(
    "making an account stops after %s was sent: it is finished at the next try",
    async (method) => {
      const other = await World.start();
      try {
        const eve = other.person("Eve");
        const lost = loseAnswer(eve, method);
        const hosting = eve.host().catch((error: unknown) => error);
        await lost;
        eve.cable.unplug();
        expect(await hosting).toMatchObject({ code: "relay-unreachable" });
        unhook(eve);
        eve.cable.plug();
        await eve.host();
        await eve.online();
        expect(eve.client.view.me.role).toBe("administrator");
      } finally {
        await other.dispose();
      }
    },
  );
});
