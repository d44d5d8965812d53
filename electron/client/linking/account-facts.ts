import * as v from "valibot";
import { decodeCbor, encodeCbor, exactBytesSchema, parse, signedRecordSchema } from "#protocol";

const maxFactsBytes = 40 * 1024;

const factsSchema = v.strictObject({
  networkKey: exactBytesSchema(32),
  user: signedRecordSchema,
  /** The new device's own, signed by the account key that comes with it. */
  device: signedRecordSchema,
  policy: signedRecordSchema,
  /** Whether messages come over too. */
  history: v.boolean(),
});
/** What a device tells the new one along with the account key. */
export type AccountFacts = v.InferOutput<typeof factsSchema>;

export function encodeAccountFacts(facts: AccountFacts): Uint8Array {
  return encodeCbor(facts);
}

/** @throws AppError `link-refused` */
export function decodeAccountFacts(bytes: Uint8Array): AccountFacts {
  return parse(factsSchema, decodeCbor(bytes, maxFactsBytes), "link-refused");
}
