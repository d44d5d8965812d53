import * as v from "valibot";
import { decodeCbor, encodeCbor } from "../cbor.ts";
import { AppError, type WireError } from "../errors.ts";
import { countSchema, parse, wireErrorSchema } from "../schema.ts";

/** The version of this protocol, offered in `hello` and named by the client in its first request. */
export const relayProtocolVersion = 1;
/** The WebSocket's path and subprotocol. */
export const relayPath = "/v1/link";
export const relaySubprotocol = "sotto.1";
/** Largest frame of a signed-in device, bytes: a commit that adds 500 members. */
export const maxFrameBytes = 8 * 1024 * 1024;
/** Largest frame before sign-in, bytes. */
export const maxUnauthenticatedFrameBytes = 64 * 1024;

/** One WebSocket binary message: a CBOR array whose first element is the kind. A connection's request ids grow. */
export type Frame =
  | {
      readonly kind: "request";
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly kind: "response"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: WireError }
  | { readonly kind: "event"; readonly name: string; readonly body: unknown };

const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(40));

/** Anything, but there: `v.unknown()` would also take a tuple that ends before it. */
const presentSchema = v.custom<unknown>((value) => value !== undefined);

const frameSchema = v.union([
  v.strictTuple([v.literal(0), countSchema, nameSchema, presentSchema]),
  v.strictTuple([v.literal(1), countSchema, presentSchema]),
  v.strictTuple([v.literal(2), countSchema, wireErrorSchema]),
  v.strictTuple([v.literal(3), nameSchema, presentSchema]),
]);

export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case "request":
      return encodeCbor([0, frame.id, frame.method, frame.params]);
    case "response":
      return encodeCbor([1, frame.id, frame.result]);
    case "failure":
      return encodeCbor([2, frame.id, frame.error]);
    case "event":
      return encodeCbor([3, frame.name, frame.body]);
  }
}

/** @throws AppError `frame-too-large`, `frame-malformed` */
export function decodeFrame(bytes: Uint8Array, maxBytes: number = maxFrameBytes): Frame {
  const item = parse(frameSchema, decodeCbor(bytes, maxBytes));
  switch (item[0]) {
    case 0:
      return { kind: "request", id: item[1], method: item[2], params: item[3] };
    case 1:
      return { kind: "response", id: item[1], result: item[2] };
    case 2: {
      const { code, data } = item[2];
      return {
        kind: "failure",
        id: item[1],
        error: data === undefined ? { code } : { code, data },
      };
    }
    case 3:
      return { kind: "event", name: item[1], body: item[2] };
    default:
      throw new AppError("frame-malformed");
  }
}
