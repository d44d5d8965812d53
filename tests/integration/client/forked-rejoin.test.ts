import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConversationId, MessageId } from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { HostileRelay } from "../../support/hostile/hostile-relay.ts";

/*
 * Cleo is removed, keeps her copy of the group, and goes on with it alone. The relay is on her side: it says to Ben that his vault is an
 * older copy, and serves him what Cleo has made to join anew from. See docs/adr/0029.
 */

let world: World;
let ada: Person;
let ben: Person;
let cleo: Person;
let group: ConversationId;

beforeEach(async () => {
  world = await World.start();
  [ada, ben, cleo] = (await world.people("Ada", "Ben", "Cleo")) as [Person, Person, Person];
  group = await ada.create("group", [ben, cleo]);
  for (const person of [ada, ben, cleo]) await person.finds(group);
  for (const person of [ada, ben, cleo]) {
    await person.say(group, `from ${person.name}`);
    for (const other of [ada, ben, cleo]) await other.sees(group, `from ${person.name}`);
  }
});
afterEach(async () => {
  await world.dispose();
});

/** Cleo's own way on: so many epochs that only she is in. */
async function forkOfCleo(epochs: number): Promise<Uint8Array> {
  let info = new Uint8Array();
  for (let at = 0; at < epochs; at += 1) {
    const made = await cleo.worker.call("group.prepareCommit", {
      conversationId: group,
      addKeyPackages: [],
      removeDevices: [],
      roomState: null,
    });
    await cleo.worker.call("group.settleCommit", { conversationId: group, accepted: true });
    info = Uint8Array.from(made.groupInfo);
  }
  return info;
}

async function removeCleo(): Promise<void> {
  cleo.cable.unplug();
  const target = { conversationId: group, userId: cleo.userId };
  await ada.client.commands["conversation.removeMember"](target);
}

const addCleo = () =>
  ada.client.commands["conversation.addMembers"]({ conversationId: group, people: [cleo.userId] });

interface Reached {
  readonly commits: Uint8Array[];
  readonly messages: Uint8Array[];
}

/**
 * Ben is to join anew, and his relay keeps from the others what he sends to the group.
 *
 * @param groupInfo - from which he is to; null: from the true one
 * @returns what of it Cleo can read: all that is of an epoch later than the one that Ben and Ada are in. Receipts for what was said before
 * may still be on their way in theirs.
 */
async function deceive(relay: HostileRelay, groupInfo: () => Uint8Array | null): Promise<Reached> {
  const reached: Reached = { commits: [], messages: [] };
  const { conversation } = await ben.client.commands["conversation.open"]({
    conversationId: group,
  });
  let sequence = 1000;
  const take = (list: Uint8Array[]) => (params: Readonly<Record<string, unknown>>) => {
    if (params["conversationId"] !== group) return null;
    if ((params["epoch"] as number) > conversation.encryption.epoch) {
      list.push(params["bytes"] as Uint8Array);
    }
    return { kind: "accepted", sequence: ++sequence, receivedAtMs: Date.now() };
  };
  relay.answer("group.info", (result, { conversationId }) =>
    conversationId === group
      ? { ...result, groupInfo: groupInfo() ?? result["groupInfo"] }
      : result,
  );
  relay.pretend("group.commit", take(reached.commits));
  relay.pretend("group.append", take(reached.messages));
  pretendRollBack(relay);
  return reached;
}

/** The relay says that Ben's vault is an older copy, at his next sign-in. */
function claimRollBack(relay: HostileRelay): void {
  relay.answer("session.signIn", (result) => ({ ...result, highestVaultSequence: 10_000_000 }));
}

function pretendRollBack(relay: HostileRelay): void {
  claimRollBack(relay);
  ben.cable.unplug();
  ben.cable.plug();
  ben.client.retryNow();
}

const isWaiting = (messageId: MessageId) => {
  const message = ben.shown.get(group)?.get(messageId);
  return message?.kind === "text" && message.delivery?.kind === "waiting";
};
const viewOf = async (person: Person) =>
  (await person.client.commands["conversation.open"]({ conversationId: group })).conversation;
const voucherOf = async (person: Person) => (await viewOf(person)).unvouched;
const codesOf = (person: Person) =>
  person
    .messages(group)
    .flatMap((message) => (message.kind === "unopenable" ? [message.code] : []));

describe("a removed member and the relay serve a fork to join anew from", () => {
  test("whoever knows of the removal isn't brought to it, is told, and writes nothing to her", async () => {
    await removeCleo();
    await until("Ben knows", () => ben.lines(group).includes("removed"));
    const fork = await forkOfCleo(4);
    const relay = new HostileRelay(ben);
    const reached = await deceive(relay, () => fork);
    await until("Ben is to join anew", () => (ben.client.rejoining ?? 0) > 0);
    const messageId = await ben.say(group, "not for Cleo");
    const isTold = () => codesOf(ben).includes("members-unvouched");
    await until("Ben is told, or writes", () => isTold() || reached.messages.length > 0);
    await until("his message waits, or goes", () => {
      return isWaiting(messageId) || reached.messages.length > 0;
    });
    expect(reached).toEqual({ commits: [], messages: [] });
    expect(isTold()).toBe(true);
    // He is asked about nobody but her, and by nobody else's name she gets in.
    expect(await voucherOf(ben)).toMatchObject({
      by: { userId: cleo.userId, displayName: "Cleo" },
      people: [{ displayName: "Ada" }],
    });
    const { userId } = ada;
    await expect(
      ben.client.commands["conversation.joinByWord"]({ conversationId: group, userId }),
    ).rejects.toMatchObject({ code: "voucher-changed" });
    expect(reached).toEqual({ commits: [], messages: [] });

    // An honest relay again: it goes on by itself, and the line is gone.
    relay.repent();
    await ben.reconnect();
    await ada.sees(group, "not for Cleo");
    await until("the line is gone", () => codesOf(ben).length === 0);
    expect(await voucherOf(ben)).toBeNull();
    expect(ben.lines(group)).not.toContain("came-meanwhile");
  });

  test("whoever has forgotten the removal is told who is in it, and who says so", async () => {
    await ben.quit();
    const putBack = ben.copyVault();
    await ben.open();
    await ben.online();
    await ben.look(group);
    await removeCleo();
    await until("Ben knows", () => ben.lines(group).includes("removed"));
    const fork = await forkOfCleo(4);
    await ben.quit();
    putBack("folder-and-keychain");
    await ben.open();
    const relay = new HostileRelay(ben);
    // What has happened since the copy is withheld.
    relay.entries((entry, of) => (of === group ? null : entry));
    await deceive(relay, () => fork);
    await ben.look(group);
    await until("Ben is told", () => ben.lines(group).includes("restored"));
    const told = ben.messages(group).flatMap((message) => {
      return message.kind === "system" && message.line.kind === "restored" ? [message.line] : [];
    });
    expect(told).toHaveLength(1);
    expect(told[0]?.by.userId).toBe(cleo.userId);
    expect(told[0]?.people.map(({ userId }) => userId)).toContain(cleo.userId);
    relay.repent();
  });
});

describe("who reads that a member has taken them out", () => {
  test("isn't brought back to the epoch before by its GroupInfo", async () => {
    const infos: Uint8Array[] = [];
    ada.cable.onRequest = ({ method, params }) => {
      if (method === "group.commit") infos.push((params as { groupInfo: Uint8Array }).groupInfo);
      return true;
    };
    await ada.client.commands["conversation.rename"]({ conversationId: group, name: "Before" });
    const [before] = infos;
    if (before === undefined) throw new Error("Ada has made no commit");
    await until("Ben has it", () => ben.lines(group).includes("renamed"));
    ben.cable.unplug();
    const { commands } = ada.client;
    await commands["conversation.removeMember"]({ conversationId: group, userId: ben.userId });
    const relay = new HostileRelay(ben);
    let asked = 0;
    const commits: unknown[] = [];
    relay.pretend("group.info", ({ conversationId }) => {
      if (conversationId !== group) return null;
      asked += 1;
      return { epoch: 0, groupInfo: before };
    });
    relay.pretend("group.commit", ({ conversationId, bytes }) => {
      if (conversationId !== group) return null;
      commits.push(bytes);
      return { kind: "accepted", sequence: 1000, receivedAtMs: Date.now() };
    });
    pretendRollBack(relay);
    await until("Ben knows", () => ben.lines(group).includes("removed"));
    await until("he has tried, and tries again", () => asked >= 2);
    expect(commits).toEqual([]);
    relay.repent();
  });
});

describe("who honestly came in while a device was away", () => {
  test("is let in by the word of somebody who is known, and told", async () => {
    await removeCleo();
    await until("Ben knows", () => ben.lines(group).includes("removed"));
    ben.cable.unplug();
    cleo.cable.plug();
    cleo.client.retryNow();
    await cleo.online();
    await addCleo();
    await ada.say(group, "Cleo is back");
    await cleo.sees(group, "Cleo is back");
    const relay = new HostileRelay(ben);
    // Its log isn't readable from where Ben is: only joining anew brings him there.
    relay.entries((entry, of) => (of === group ? null : entry));
    pretendRollBack(relay);
    await until("Ben is told", () => ben.lines(group).includes("came-meanwhile"));
    relay.repent();
    await ben.reconnect();
    await ben.say(group, "welcome back");
    await ada.sees(group, "welcome back");
    await cleo.sees(group, "welcome back");
  });
});

describe("everybody who was known has gone", () => {
  let dora: Person;

  /** Ben knows that Cleo is out. While he is away Dora comes in, Ada goes, and he can't read how: only joining anew brings him there. */
  async function everybodyGoes(): Promise<HostileRelay> {
    await removeCleo();
    await until("Ben knows", () => ben.lines(group).includes("removed"));
    ben.cable.unplug();
    await until("Ben is off line", () => ben.client.view.connection.kind === "offline");
    await ben.say(group, "is anybody there?");
    dora = await world.person("Dora").join(await world.invite(ada));
    const target = { conversationId: group, userId: dora.userId };
    await ada.client.commands["conversation.addMembers"]({
      conversationId: group,
      people: [dora.userId],
    });
    await ada.client.commands["conversation.setRole"]({ ...target, role: "administrator" });
    await dora.finds(group);
    await ada.client.commands["conversation.leave"]({ conversationId: group });
    await until(
      "only Dora and Ben are left",
      async () => (await viewOf(dora)).members.length === 2,
    );
    const relay = new HostileRelay(ben);
    relay.entries((entry, of) => (of === group ? null : entry));
    return relay;
  }

  const comeBack = () => {
    ben.cable.plug();
    ben.client.retryNow();
  };
  const isAskedAbout = (person: Person) =>
    until(`Ben is asked about ${person.name}`, async () => {
      return (await voucherOf(ben))?.by.userId === person.userId;
    });
  const isTold = () => until("Ben is told", () => codesOf(ben).join(" ") === "members-unvouched");
  const joinByWordOf = ({ userId }: Person) =>
    ben.client.commands["conversation.joinByWord"]({ conversationId: group, userId });

  test("one joins by the word of somebody new when its person says so, and is asked anew after a restart", async () => {
    const relay = await everybodyGoes();
    claimRollBack(relay);
    comeBack();
    await isAskedAbout(dora);
    expect(await voucherOf(ben)).toMatchObject({ deviceName: "Laptop", people: [] });
    await isTold();

    // The line is there for as long as it can be answered.
    const [line] = ben.messages(group).filter(({ kind }) => kind === "unopenable");
    await ben.client.commands["message.deleteForMe"]({
      conversationId: group,
      messageId: line!.messageId,
    });
    await ben.restart();
    await isAskedAbout(dora);
    await ben.look(group);
    await isTold();

    await joinByWordOf(dora);
    relay.repent();
    await dora.sees(group, "is anybody there?");
    await dora.say(group, "only me");
    await ben.sees(group, "only me");
    // Of what the relay has kept back nobody knows whether something was said there.
    expect(codesOf(ben)).toEqual(["epoch-unknown"]);
    expect(await voucherOf(ben)).toBeNull();
    expect(ben.lines(group)).toContain("came-meanwhile");
  });

  test("nobody else comes in by that word", async () => {
    const fork = await forkOfCleo(9);
    const relay = await everybodyGoes();
    let isForked = false;
    const triesMs: number[] = [];
    ben.cable.plug();
    const reached = await deceive(relay, () => {
      triesMs.push(Date.now());
      return isForked ? fork : null;
    });
    await isAskedAbout(dora);
    // In a long pause between its own tries: it is the answer that meets another signer.
    await until("nothing is under way", () => {
      return triesMs.length > 2 && Date.now() - (triesMs.at(-1) ?? 0) > 1500;
    });
    isForked = true;
    await expect(joinByWordOf(dora)).rejects.toMatchObject({ code: "voucher-changed" });
    await isAskedAbout(cleo);
    expect(reached).toEqual({ commits: [], messages: [] });
    await expect(joinByWordOf(dora)).rejects.toMatchObject({ code: "voucher-changed" });
    expect(reached).toEqual({ commits: [], messages: [] });
    relay.repent();
  });

  test("nobody is asked about whom the network has suspended", async () => {
    const relay = await everybodyGoes();
    claimRollBack(relay);
    comeBack();
    await isAskedAbout(dora);
    await ada.client.commands["network.suspend"]({ userId: dora.userId, suspended: true });
    await until("Ben isn't asked any more", async () => (await voucherOf(ben)) === null);
    await expect(joinByWordOf(dora)).rejects.toMatchObject({ code: "voucher-changed" });
    expect(codesOf(ben)).toEqual(["members-unvouched"]);
    relay.repent();
  });
});
