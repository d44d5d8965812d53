import {
  AppError,
  encodeFrame,
  ensureAppError,
  maxFrameBytes,
  parse,
  relayMethods,
  type ErrorCode,
  type RelayMethodName,
  type WireError,
} from "#protocol";
import type { DeviceCaller, VisitorCaller } from "../domain/context.ts";
import type { RelayHandlers } from "../domain/handlers.ts";
import type { Log } from "../log.ts";

/** Who is at the other end of a connection. */
export type Caller =
  | { readonly kind: "visitor"; readonly visitor: VisitorCaller }
  | { readonly kind: "device"; readonly device: DeviceCaller };

/** A request frame, its method not looked at. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** Does a request and gives the frame that answers it. Never throws. */
export type Dispatch = (request: Request, caller: Caller) => Promise<Uint8Array>;

/** What every method can fail with. */
const commonErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "frame-malformed",
  "frame-too-large",
  "frame-out-of-order",
  "command-unknown",
  "rate-limited",
  "relay-storage-failed",
]);

/** The one way from a request to its handler: method, access, params, work, result, errors. */
export function createDispatch(handlers: RelayHandlers, log: Log): Dispatch {
  return async (request, caller) => {
    try {
      const method = methodOf(request);
      try {
        return answer(request, await call(handlers, { method, request, caller }));
      } catch (error) {
        throw allowedError(method, ensureAppError(error));
      }
    } catch (error) {
      const failure = ensureAppError(error);
      if (isOurs(request, failure)) {
        log.error("request-failed", failure, { method: request.method.slice(0, 40) });
      }
      return failureFrame(request.id, failure.toWire());
    }
  };
}

/** Whether somebody should look at a failure: it is this relay's or its machine's, and not one that the method's contract names. */
function isOurs({ method }: Request, { code, fault }: AppError): boolean {
  if (fault !== "bug" && fault !== "environment") return false;
  return !Object.hasOwn(relayMethods, method) || !isNamed(method as RelayMethodName, code);
}

function isNamed(method: RelayMethodName, code: ErrorCode): boolean {
  const own: readonly ErrorCode[] = relayMethods[method].errors;
  return own.includes(code);
}

/** The frame that says that a request failed. */
export function failureFrame(id: number, error: WireError): Uint8Array {
  return encodeFrame({ kind: "failure", id, error });
}

function methodOf({ method }: Request): RelayMethodName {
  if (!Object.hasOwn(relayMethods, method)) throw new AppError("command-unknown");
  return method as RelayMethodName;
}

/** Runs up to the handler's own first wait without waiting: requests begin in the order in which they came. */
function call(
  handlers: RelayHandlers,
  { method, request, caller }: { method: RelayMethodName; request: Request; caller: Caller },
): Promise<unknown> {
  const { access, params: schema } = relayMethods[method];
  if (access === "device" && caller.kind !== "device") {
    throw new AppError("frame-out-of-order", { data: { reason: "not-signed-in" } });
  }
  if (access === "open" && caller.kind !== "visitor") {
    throw new AppError("frame-out-of-order", { data: { reason: "signed-in" } });
  }
  const params = parseParams(method, schema, request.params);
  // The handler of `method` takes what that method's own schema gave, and the caller that its access lets through; that these belong
  // together is lost on a name that is only known now.
  const handler = handlers[method] as (params: unknown, caller: unknown) => Promise<unknown>;
  return handler(params, caller.kind === "device" ? caller.device : caller.visitor);
}

function parseParams(
  method: RelayMethodName,
  schema: (typeof relayMethods)[RelayMethodName]["params"],
  params: unknown,
): unknown {
  try {
    return parse(schema, params);
  } catch (error) {
    const failure = ensureAppError(error);
    // A name is typed by a person, who is told what is wrong with it.
    const isName = failure.data["path"] === "displayName" && isNamed(method, "name-invalid");
    throw isName ? new AppError("name-invalid") : failure;
  }
}

function answer(request: Request, result: unknown): Uint8Array {
  // What doesn't fit the contract is our bug, and better known as such than sent.
  parse(relayMethods[methodOf(request)].result, result, "internal");
  const frame = encodeFrame({ kind: "response", id: request.id, result });
  if (frame.length > maxFrameBytes) throw new AppError("internal", { data: { reason: "size" } });
  return frame;
}

function allowedError(method: RelayMethodName, error: AppError): AppError {
  return commonErrors.has(error.code) || isNamed(method, error.code)
    ? error
    : new AppError("internal", { cause: error });
}
