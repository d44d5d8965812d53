import { decodeRecord, type RecordValue, type SignedRecord, type UserId } from "#protocol";
import type { RelayContext } from "../../relay/domain/context.ts";
import { directoryScope } from "../../relay/domain/context.ts";
import { noteChange } from "../../relay/domain/directory.ts";
import { deviceSlot, issuerSlot, networkSlot, userSlot } from "../../relay/domain/layout.ts";
import { openRecord, signRecord } from "../../relay/domain/records.ts";
import { createUnits } from "../../relay/storage/units.ts";
import type { RelayFixture } from "./relay-fixture.ts";
import type { TestDevice } from "./relay-identity.ts";

/** What a person's new user record says. */
export interface Reissued {
  /** Its account key, and the devices that it signs. */
  readonly accountKey: Uint8Array;
  readonly devices: readonly TestDevice[];
  /** Beside the time now, milliseconds. */
  readonly laterMs?: number;
}

/**
 * Lets the relay's own issuer sign a user record with another account key, and stores it as the relay does: what "Reset account" of the
 * administration will do with the person's consent, and what a relay that lies can do without. That command's seam is here: one unit of
 * work in the directory's scope, ending in `noteChange`.
 */
export async function reissueUser(
  { storage, clock }: RelayFixture,
  userId: UserId,
  { accountKey, devices, laterMs = 0 }: Reissued,
): Promise<void> {
  await createUnits(storage).run(directoryScope, async (transaction) => {
    const [issuer, network, before] = [
      await transaction.load(issuerSlot),
      await transaction.load(networkSlot),
      await transaction.load(userSlot(userId)),
    ];
    if (issuer === undefined || network === undefined || before === undefined) {
      throw new Error("nobody to give another key to");
    }
    const { networkId } = network;
    const known = openRecord("user", before.record, issuer.publicKey);
    const record = signRecord(
      "user",
      { ...known, accountKey, issuedAtMs: clock.nowMs() + laterMs },
      issuer.seed,
    );
    for (const device of devices) {
      transaction.store(deviceSlot(device.deviceId), {
        userId,
        record: device.record(networkId),
        signatureKey: device.signature.publicKey,
      });
    }
    // Of the context it announces only.
    await noteChange({ storage } as unknown as RelayContext, transaction, {
      ...before,
      userId,
      record,
      accountKey,
      devices: devices.map(({ deviceId }) => deviceId),
      revocations: [],
    });
  });
}

/** A record of a person that the relay's own issuer signs, and doesn't store. */
export async function issuedUser(
  { storage }: RelayFixture,
  user: RecordValue<"user">,
): Promise<SignedRecord> {
  return createUnits(storage).run(directoryScope, async (transaction) => {
    const issuer = await transaction.load(issuerSlot);
    if (issuer === undefined) throw new Error("no issuer");
    return signRecord("user", user, issuer.seed);
  });
}

/** Adds a device to the directory as its person has signed it. */
export async function reissueDevice(
  { storage }: RelayFixture,
  record: SignedRecord,
): Promise<void> {
  const { userId, deviceId, signatureKey } = decodeRecord("device", record.payload);
  await createUnits(storage).run(directoryScope, async (transaction) => {
    const before = await transaction.load(userSlot(userId));
    if (before === undefined) throw new Error("nobody to give a device to");
    transaction.store(deviceSlot(deviceId), { userId, record, signatureKey });
    const devices = [...before.devices, deviceId];
    const context = { storage } as unknown as RelayContext;
    await noteChange(context, transaction, { ...before, userId, devices });
  });
}
