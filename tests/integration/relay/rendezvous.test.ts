import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { idFromBytes, maxRendezvousMessages, type RendezvousId } from "#protocol";
import { keyPrefix } from "../../../relay/storage/slot.ts";
import { codeOf, eventually, RelayFixture, type SignedIn } from "../../support/relay-fixture.ts";
import { testBytes } from "../../support/relay-identity.ts";
import type { RelayClient } from "../../support/relay-client.ts";

const minuteMs = 60_000;
let fixture: RelayFixture;
let admin: SignedIn;
let visitor: RelayClient;
let rendezvousId: RendezvousId;
const seat = testBytes(16);

beforeEach(async () => {
  ({ fixture, admin } = await RelayFixture.claimed());
  visitor = await fixture.connect();
  rendezvousId = idFromBytes<RendezvousId>(testBytes(16));
  await open();
});
afterEach(() => fixture.dispose());

const open = (id = rendezvousId, lifetimeMs = 10 * minuteMs) =>
  admin.client.request("rendezvous.open", { rendezvousId: id, lifetimeMs });
const close = () => admin.client.request("rendezvous.close", { rendezvousId });
const guestSays = (sequence: number, bytes = testBytes(8), token: Uint8Array = seat) =>
  visitor.request("rendezvous.send", { rendezvousId, seat: token, sequence, bytes });
const guestHears = (afterSequence = 0) =>
  visitor.request("rendezvous.receive", { rendezvousId, seat, afterSequence });
const ownerSays = (sequence: number, bytes = testBytes(8)) =>
  admin.client.request("rendezvous.send", { rendezvousId, seat: null, sequence, bytes });
const ownerHears = (afterSequence = 0) =>
  admin.client.request("rendezvous.receive", { rendezvousId, seat: null, afterSequence });

/** Visitors that wait too long are let go of, and come again. */
async function later(ms: number): Promise<void> {
  fixture.clock.advance(ms);
  visitor = await fixture.connect();
}

describe("a rendezvous", () => {
  test("carries messages both ways, in order, until they are taken", async () => {
    const [hello, answer, more] = [testBytes(40), testBytes(50), testBytes(60)];
    expect(await guestSays(1, hello)).toEqual({ kind: "accepted", lastSequence: 1 });
    expect(await admin.client.nextEvent("rendezvous.arrived")).toEqual({ rendezvousId });
    expect(await ownerHears()).toEqual({ messages: [{ sequence: 1, bytes: hello }] });
    await ownerSays(1, answer);
    await ownerSays(2, more);
    const both = [
      { sequence: 1, bytes: answer },
      { sequence: 2, bytes: more },
    ];
    expect(await guestHears()).toEqual({ messages: both });
    expect(await guestHears(1)).toEqual({ messages: both.slice(1) });
    expect(await guestHears()).toEqual({ messages: both.slice(1) });
    expect(await ownerHears(1)).toEqual({ messages: [] });
  });

  test("a repeated message is the same one, and a gap is refused", async () => {
    const bytes = testBytes(8);
    await guestSays(1, bytes);
    await guestSays(1, bytes);
    expect((await ownerHears()).messages).toHaveLength(1);
    expect(await codeOf(guestSays(3))).toBe("argument-invalid");
  });

  test("has one seat for guests", async () => {
    await guestSays(1);
    expect(await codeOf(guestSays(2, testBytes(8), testBytes(16)))).toBe("link-code-used");
    const other = await fixture.connect();
    const params = { rendezvousId, seat: testBytes(16), afterSequence: 0 };
    expect(await codeOf(other.request("rendezvous.receive", params))).toBe("link-code-used");
  });

  test("of two guests at once one gets the seat", async () => {
    const codes = await Promise.all([
      codeOf(guestSays(1, testBytes(8), testBytes(16))),
      codeOf(guestSays(1, testBytes(8), testBytes(16))),
    ]);
    expect(codes.filter((code) => code === "link-code-used")).toHaveLength(1);
  });

  test("nobody but its owner is on the owner's side", async () => {
    const bo = await fixture.invite(admin, "Bo");
    const params = { rendezvousId, seat: null, afterSequence: 0 };
    for (const client of [bo.client, visitor]) {
      expect(await codeOf(client.request("rendezvous.receive", params))).toBe("link-code-unknown");
    }
    const reopened = bo.client.request("rendezvous.open", { rendezvousId, lifetimeMs: 1000 });
    expect(await codeOf(reopened)).toBe("not-allowed");
    expect(await codeOf(bo.client.request("rendezvous.close", { rendezvousId }))).toBe(
      "not-allowed",
    );
  });

  test("an id that nobody opened, and one that ended before anybody came, are the same to a guest", async () => {
    rendezvousId = idFromBytes<RendezvousId>(testBytes(16));
    expect(await codeOf(guestSays(1))).toBe("link-code-unknown");
    await open();
    await later(11 * minuteMs);
    expect(await codeOf(guestSays(1))).toBe("link-code-unknown");
  });

  test("ends after its time, and when its owner says so", async () => {
    await guestSays(1);
    await later(11 * minuteMs);
    expect(await codeOf(guestHears())).toBe("link-ended");
    expect(await codeOf(ownerHears())).toBe("link-ended");
    rendezvousId = idFromBytes<RendezvousId>(testBytes(16));
    await open();
    await guestSays(1);
    await close();
    expect(await codeOf(guestHears())).toBe("link-ended");
    expect(await codeOf(open())).toBe("not-allowed");
  });

  test("holds so many messages, and more when some are taken", async () => {
    for (let sequence = 1; sequence <= maxRendezvousMessages; sequence += 1) {
      expect(await ownerSays(sequence)).toMatchObject({ kind: "accepted" });
    }
    const lastSequence = maxRendezvousMessages;
    expect(await ownerSays(lastSequence + 1)).toEqual({ kind: "full", lastSequence });
    await guestSays(1);
    await guestHears(1);
    expect(await ownerSays(lastSequence + 1)).toMatchObject({ kind: "accepted" });
  });

  test("of a person's nine the oldest ends", async () => {
    for (let index = 0; index < 8; index += 1) await open(idFromBytes<RendezvousId>(testBytes(16)));
    expect(await codeOf(guestSays(1))).toBe("link-code-unknown");
  });

  test("that has ended makes room for another one, before one that is open has to", async () => {
    const anyId = () => idFromBytes<RendezvousId>(testBytes(16));
    await guestSays(1);
    // Two that end by themselves, five that are closed: with the one that is open, eight.
    for (let index = 0; index < 2; index += 1) await open(anyId(), minuteMs);
    for (let index = 0; index < 5; index += 1) {
      const id = anyId();
      await open(id);
      await admin.client.request("rendezvous.close", { rendezvousId: id });
    }
    await later(2 * minuteMs);
    for (let index = 0; index < 7; index += 1) await open(anyId());
    expect(await ownerHears()).toMatchObject({ messages: [{ sequence: 1 }] });
    await open(anyId());
    expect(await codeOf(ownerHears())).toBe("link-ended");
  });

  test("that is opened again is the latest, also when its time was over", async () => {
    await guestSays(1);
    for (let index = 0; index < 7; index += 1) await open(idFromBytes<RendezvousId>(testBytes(16)));
    await later(11 * minuteMs);
    await open();
    for (let index = 0; index < 7; index += 1) await open(idFromBytes<RendezvousId>(testBytes(16)));
    expect(await ownerHears()).toMatchObject({ messages: [{ sequence: 1 }] });
  });

  test("numbers what comes without a number", async () => {
    await guestSays(1);
    const params = { rendezvousId, seat, sequence: null, bytes: testBytes(8) };
    expect(await visitor.request("rendezvous.send", params)).toMatchObject({ lastSequence: 2 });
    expect((await ownerHears()).messages.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test("outlives the relay", async () => {
    const bytes = testBytes(30);
    await guestSays(1, bytes);
    await fixture.stopRelay();
    await fixture.startRelay();
    await admin.reconnect();
    expect(await ownerHears()).toEqual({ messages: [{ sequence: 1, bytes }] });
  });

  test("leaves nothing behind once its time is over", async () => {
    await guestSays(1);
    await ownerSays(1);
    fixture.clock.advance(10 * minuteMs + 61 * minuteMs);
    await eventually(async () => {
      const prefix = keyPrefix("rendezvous");
      return (await fixture.storage.list({ prefix, after: null, limit: 10 })).length === 0;
    });
  });
});
