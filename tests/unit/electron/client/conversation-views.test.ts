import { expect, test } from "vitest";
import { suiteLimits, suiteNames, type DeviceId, type TrustedPerson } from "#protocol";
import { conversationView } from "../../../../electron/client/views/conversation-views.ts";
import { ViewHub } from "../../../../electron/client/views/view-hub.ts";
import { createCoreFixture } from "../../../support/client-core.ts";

test("a conversation says to which suite it goes over, and for how many devices it is too large", async () => {
  const { cnsa, p256 } = suiteNames;
  const { takenOver } = suiteLimits[cnsa];
  const { core, conversationId, peer } = await createCoreFixture();
  const { sources } = new ViewHub(core, () => undefined);
  const policy = () => ({ ...core.policy, suite: cnsa });
  const stored = core.store.ensureConversation(conversationId);
  const shown = async (suite: typeof cnsa | typeof p256, devices: number) => {
    const members = Array.from({ length: devices }, (_, at) => ({
      userId: peer,
      deviceId: String(at) as DeviceId,
    }));
    const conversation = { ...stored, suite, members };
    return (await conversationView(conversation, { ...sources, policy })).encryption;
  };
  const fits = { nextSuite: cnsa, nextSuiteLimit: null };
  expect(await shown(p256, takenOver)).toMatchObject(fits);
  expect(await shown(p256, takenOver + 1)).toMatchObject({ ...fits, nextSuiteLimit: takenOver });
  expect(await shown(cnsa, takenOver + 1)).toMatchObject({ nextSuite: null, nextSuiteLimit: null });
});

test("a conversation says for whose further devices it has no room", async () => {
  const { core, conversationId, peer } = await createCoreFixture();
  const { sources } = new ViewHub(core, () => undefined);
  const stored = core.store.ensureConversation(conversationId);
  const devices = ["Laptop", "Phone"].map((name) => ({ deviceId: name, deviceName: name }));
  const known = { user: { userId: peer, displayName: "Ben" }, devices, revoked: [] };
  core.people.put([{ ...known, suspended: false } as unknown as TrustedPerson]);
  const shown = async (present: number, state = stored.state) => {
    const members = Array.from({ length: present }, (_, at) => ({
      userId: peer,
      deviceId: (at === 0 ? "Laptop" : String(at)) as DeviceId,
    }));
    const conversation = { ...stored, suite: suiteNames.cnsa, state, members };
    return (await conversationView(conversation, sources)).encryption.withoutRoom;
  };
  expect(await shown(438)).toEqual([]);
  const phone = { deviceId: "Phone", displayName: "Ben", deviceName: "Phone" };
  expect(await shown(440)).toEqual([phone]);
  expect(await shown(440, "left")).toEqual([]);
});
