import { Buffer } from "node:buffer";
import {
  AppError,
  commands,
  ensureAppError,
  maxIpcBytes,
  parse,
  type CommandAnswer,
  type CommandName,
  type CommandResult,
  type ParsedCommandParams,
} from "#protocol";
import * as v from "valibot";
import { ensurePlainData } from "./plain-data.ts";
import type { Log } from "./ports.ts";

/** A window of ours, or a page of the preview: who sent a command. */
export interface CommandSource {
  /** One value per window, for as long as it shows the same page. */
  readonly id: number;
  /** Asked at every message: whether the sender still is what it was when it was let in. */
  isTrusted(): boolean;
}

/** One function per command, with parsed parameters. */
export type Handlers = {
  readonly [Name in CommandName]: (
    params: ParsedCommandParams<Name>,
    source: CommandSource,
  ) => Promise<CommandResult<Name>> | CommandResult<Name>;
};

/** Answers one message of a window; never rejects. */
export type Dispatch = (source: CommandSource, message: unknown) => Promise<CommandAnswer>;

const messageSchema = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(64)),
  params: v.unknown(),
});

/**
 * The only way from a window into the engine: checks who asks, how much, what, and with which arguments, in this order; and gives back
 * plain data or a wire error, nothing else. Whether the app is ready is the handlers' to say (`not-ready`).
 *
 * @param onCommand - told of each command that a window of ours gives
 */
export function createDispatcher(
  handlers: Handlers,
  log: Log,
  onCommand: (name: CommandName) => void = () => undefined,
): Dispatch {
  return async (source, message) => {
    try {
      if (!source.isTrusted()) throw new AppError("sender-refused");
      ensureSize(message);
      const { name, params } = parse(messageSchema, message, "argument-invalid");
      const command = ensureCommandName(name);
      onCommand(command);
      const result = await run(handlers, command, params, source);
      ensurePlainData(result);
      return { ok: true, result };
    } catch (cause) {
      const error = ensureAppError(cause);
      if (error.fault === "bug") log.error("a command failed", error);
      return { ok: false, error: error.toWire() };
    }
  };
}

async function run<Name extends CommandName>(
  handlers: Handlers,
  name: Name,
  params: unknown,
  source: CommandSource,
): Promise<CommandResult<Name>> {
  const schema: v.GenericSchema<unknown, unknown> = commands[name].params;
  const parsed = parse(schema, params, "argument-invalid");
  // The table pairs each name with its schema; TypeScript can't follow that through the index.
  return handlers[name](parsed as ParsedCommandParams<Name>, source);
}

function ensureCommandName(name: string): CommandName {
  if (Object.hasOwn(commands, name)) return name as CommandName;
  throw new AppError("command-unknown");
}

/** A message that JSON can't say (cycles, big integers) is none of ours either. */
function ensureSize(message: unknown): void {
  let text: string;
  try {
    // In a list, because JSON says nothing at all for a bare `undefined`.
    text = JSON.stringify([message]);
  } catch (cause) {
    throw new AppError("argument-invalid", { cause });
  }
  if (Buffer.byteLength(text) - 2 > maxIpcBytes) throw new AppError("frame-too-large");
}
