import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  idFromBytes,
  type ConversationId,
  type DeviceId,
  type UserId,
  type VerificationView,
} from "#protocol";
import { until, World, type Person } from "../../support/client-world.ts";
import { reissueDevice, reissueUser } from "../../support/reissue.ts";
import { TestDevice, TestKey } from "../../support/relay-identity.ts";

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

/** What `who` compares with `other`. */
function shown(who: Person, userId: UserId): Promise<VerificationView> {
  return who.client.commands["verification.get"]({ userId });
}

async function verify(who: Person, userId: UserId): Promise<void> {
  const { digits } = await shown(who, userId);
  await who.client.commands["verification.accept"]({ userId, digits, how: "digits" });
}

async function stateOf(who: Person, userId: UserId): Promise<string> {
  return (await shown(who, userId)).state;
}

/** Somebody who pretends to be a person, or that person after having lost everything: another account key and another device. */
function anew({ userId }: { readonly userId: UserId }): TestDevice {
  return new TestDevice("Anew", { account: new TestKey(), userId });
}

async function becomes(userId: UserId, device: TestDevice): Promise<void> {
  const accountKey = device.account.publicKey;
  await reissueUser(world.relay, userId, { accountKey, devices: [device] });
}

function key(): { readonly signatureKey: Uint8Array } {
  return { signatureKey: new TestKey().publicKey };
}

/** Signs a further device of a person and gives it to the relay, as linking does. */
async function addDevice(
  { worker, client: { view } }: Person,
  device: { readonly deviceId: DeviceId; readonly signatureKey: Uint8Array },
): Promise<void> {
  const { record } = await worker.call("record.sign", {
    kind: "device",
    value: {
      networkId: view.network.networkId,
      userId: view.me.userId,
      deviceName: "Office laptop",
      platform: "linux",
      createdAtMs: Date.now(),
      ...device,
    },
  });
  await reissueDevice(world.relay, record);
}

function deliveryOf(who: Person, text: string): string | undefined {
  const message = who.message(direct, text);
  return message?.kind === "text" ? message.delivery?.kind : undefined;
}

describe("comparing keys", () => {
  test("both see the same digits, and each other's code matches", async () => {
    const [adas, bens] = [await shown(ada, ben.userId), await shown(ben, ada.userId)];
    expect(adas.digits).toMatch(/^\d{60}$/u);
    expect(bens.digits).toBe(adas.digits);
    expect(bens.code).not.toBe(adas.code);
    const compare = (who: Person, userId: UserId, code: string) =>
      who.client.commands["verification.compare"]({ userId, code });
    expect(await compare(ada, ben.userId, bens.code)).toEqual({ verdict: "matches" });
    expect(await compare(ben, ada.userId, adas.code)).toEqual({ verdict: "matches" });
    expect(await compare(ada, ben.userId, adas.code)).toEqual({ verdict: "own" });
    expect(await compare(ada, ben.userId, "https://example.org")).toEqual({
      verdict: "unreadable",
    });
  });

  test("what is verified stays so over a restart, shows everywhere, and can be taken back", async () => {
    await verify(ada, ben.userId);
    await ada.restart();
    expect(await stateOf(ada, ben.userId)).toBe("verified");
    expect(await stateOf(ben, ada.userId)).toBe("unverified");
    const { conversation } = await ada.client.commands["conversation.open"]({
      conversationId: direct,
    });
    expect(conversation.members.map(({ trust }) => trust).toSorted()).toEqual([
      "unverified",
      "verified",
    ]);
    const people = await ada.client.commands["people.list"]({});
    expect(people.find(({ userId }) => userId === ben.userId)?.trust).toBe("verified");
    await ada.client.commands["verification.clear"]({ userId: ben.userId });
    expect(await stateOf(ada, ben.userId)).toBe("unverified");
  });

  test("nothing is verified by another number than the one that holds, and nobody verifies themselves", async () => {
    const accept = ada.client.commands["verification.accept"];
    await expect(
      accept({ userId: ben.userId, digits: "0".repeat(60), how: "digits" }),
    ).rejects.toMatchObject({ code: "safety-number-changed" });
    await expect(shown(ada, ada.userId)).rejects.toMatchObject({ code: "not-found" });
    const nobody = idFromBytes<UserId>(new Uint8Array(16));
    await expect(shown(ada, nobody)).rejects.toMatchObject({ code: "not-found" });
    expect(await stateOf(ada, ben.userId)).toBe("unverified");
  });
});

describe("a verified person's key that changes", () => {
  test("stops what is said to them until the new one is compared; nothing is lost", async () => {
    await verify(ada, ben.userId);
    const before = await shown(ada, ben.userId);
    const next = anew(ben);
    await becomes(ben.userId, next);
    await until("Ada is told", () => ada.lines(direct).includes("key-changed"));

    const after = await shown(ada, ben.userId);
    expect(after).toMatchObject({ state: "changed", verifiedAtMs: null });
    expect(after.digits).not.toBe(before.digits);
    // The new device is nobody's before somebody has decided.
    expect(after.devices.map(({ deviceId }) => deviceId)).not.toContain(next.deviceId);
    const open = await ada.client.commands["conversation.open"]({ conversationId: direct });
    expect(open.conversation.stoppedFor).toEqual([{ userId: ben.userId, displayName: "Ben" }]);

    await ada.say(direct, "For you alone");
    const cleo = await world.person("Cleo").join(await world.invite(ada));
    await cleo.online();
    await until("Ada knows Cleo", async () => {
      const people = await ada.client.commands["people.list"]({});
      return people.some(({ userId }) => userId === cleo.userId);
    });
    const other = await ada.create("direct", [cleo]);
    await ada.look(other);
    await ada.say(other, "You still hear me");
    await cleo.finds(other);
    await cleo.sees(other, "You still hear me");
    expect(deliveryOf(ada, "For you alone"), "held").toBe("waiting");

    await ada.restart();
    await ada.online();
    await ada.look(direct);
    expect(await stateOf(ada, ben.userId)).toBe("changed");
    expect(deliveryOf(ada, "For you alone"), "held over a restart").toBe("waiting");

    await verify(ada, ben.userId);
    await until("it goes out", () => deliveryOf(ada, "For you alone") !== "waiting");
    const now = await shown(ada, ben.userId);
    expect(now.state).toBe("verified");
    expect(now.digits).toBe(after.digits);
    expect(now.devices.map(({ deviceId }) => deviceId)).toEqual([next.deviceId]);
    expect(ada.lines(direct)).toContain("key-taken");
    await ada.restart();
    expect(await stateOf(ada, ben.userId)).toBe("verified");
  });

  test("can be taken without comparing: then it is used, and not verified", async () => {
    await verify(ada, ben.userId);
    await becomes(ben.userId, anew(ben));
    await until("Ada is told", () => ada.lines(direct).includes("key-changed"));
    const { digits } = await shown(ada, ben.userId);
    await ada.client.commands["verification.accept"]({ userId: ben.userId, digits, how: null });
    expect(await stateOf(ada, ben.userId)).toBe("unverified");
    await ada.say(direct, "On we go");
    await until("it goes out", () => deliveryOf(ada, "On we go") !== "waiting");
  });

  test("a third key takes the second one's place, and the number that was shown decides nothing about it", async () => {
    await verify(ada, ben.userId);
    await becomes(ben.userId, anew(ben));
    await until("Ada is told", () => ada.lines(direct).includes("key-changed"));
    const { digits } = await shown(ada, ben.userId);
    const third = anew(ben);
    await reissueUser(world.relay, ben.userId, {
      accountKey: third.account.publicKey,
      devices: [third],
      laterMs: 1000,
    });
    await until("Ada is told again", async () => (await shown(ada, ben.userId)).digits !== digits);
    await expect(
      ada.client.commands["verification.accept"]({ userId: ben.userId, digits, how: null }),
    ).rejects.toMatchObject({ code: "safety-number-changed" });
    expect(await stateOf(ada, ben.userId)).toBe("changed");
  });
});

test("an unverified person's new key is taken, and a notice stands in every conversation with them", async () => {
  const group = await ada.create("group", [ben]);
  await ada.look(group);
  const next = anew(ben);
  await becomes(ben.userId, next);
  await until("Ada is told", () => ada.lines(direct).includes("key-changed"));
  expect(ada.lines(group)).toContain("key-changed");
  const { state, devices } = await shown(ada, ben.userId);
  expect(state).toBe("unverified");
  expect(devices.map(({ deviceId }) => deviceId)).toEqual([next.deviceId]);
  await ada.say(direct, "Hello again");
  await until("nothing is stopped", () => deliveryOf(ada, "Hello again") !== "waiting");
});

test("a further computer of somebody is told in every conversation with them, and to themselves", async () => {
  const device = { deviceId: idFromBytes<DeviceId>(new Uint8Array(16).fill(7)), ...key() };
  await addDevice(ben, device);
  await until("Ada is told", () => ada.lines(direct).includes("device-added"));
  expect(ben.lines(direct)).not.toContain("device-added");
  await until("Ben is told", () => ben.client.ownNotices.length > 0);
  const deviceName = "Office laptop";
  expect(ben.client.ownNotices).toEqual([
    { kind: "own-device", deviceId: device.deviceId, deviceName },
  ]);
  const { devices } = await shown(ada, ben.userId);
  expect(devices.map((one) => one.deviceName)).toContain(deviceName);

  await ben.client.commands["devices.remove"]({ deviceId: device.deviceId });
  await until("Ada is told", () => ada.lines(direct).includes("device-removed"));
});

test("another key for one's own account is never believed, and is told until it has been read", async () => {
  const before = await shown(ben, ada.userId);
  await becomes(ada.userId, anew(ada));
  await until("Ada is told", () => ada.client.ownNotices.length > 0);
  expect(ada.client.ownNotices).toEqual([{ kind: "own-key" }]);
  // The others take it for what it is: a new key of hers. She herself goes on with her own.
  expect((await shown(ada, ben.userId)).digits).toBe(before.digits);
  await until("Ben is told", () => ben.lines(direct).includes("key-changed"));
  expect((await shown(ben, ada.userId)).digits).not.toBe(before.digits);
  await ada.restart();
  expect(ada.client.ownNotices).toEqual([{ kind: "own-key" }]);
  await ada.client.commands["verification.dismiss"]({ kind: "own-key" });
  expect(ada.client.ownNotices).toEqual([]);
});
