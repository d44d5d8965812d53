import type {
  CommandName,
  CommandParams,
  CommandResult,
  EventName,
  Events,
  Runtime,
} from "#protocol";
import { Listeners } from "../../../../renderer/runtime/index.ts";

/** A command that was given. */
export interface Asked {
  readonly name: CommandName;
  readonly params: unknown;
}

/** A platform that answers as the test says, and keeps what it was asked. */
export class TestRuntime implements Runtime {
  readonly platform = "linux";
  readonly asked: Asked[] = [];
  readonly #listeners = new Listeners();
  readonly #answers = new Map<CommandName, (params: never) => unknown>();
  listenerCount = 0;

  /** Answers `name` with what `answer` gives, or fails with what it throws. */
  answer<Name extends CommandName>(
    name: Name,
    answer: (params: CommandParams<Name>) => CommandResult<Name> | Promise<CommandResult<Name>>,
  ): void {
    this.#answers.set(name, answer);
  }

  async invoke<Name extends CommandName>(
    name: Name,
    params: CommandParams<Name>,
  ): Promise<CommandResult<Name>> {
    this.asked.push({ name, params });
    const answer = this.#answers.get(name);
    return (await (answer === undefined ? null : answer(params as never))) as CommandResult<Name>;
  }

  on<Name extends EventName>(name: Name, listener: (body: Events[Name]) => void): () => void {
    const stop = this.#listeners.add(name, listener);
    this.listenerCount += 1;
    return () => {
      this.listenerCount -= 1;
      stop();
    };
  }

  emit<Name extends EventName>(name: Name, body: Events[Name]): void {
    this.#listeners.emit(name, body);
  }

  /** What `name` was asked with. */
  paramsOf(name: CommandName): readonly unknown[] {
    return this.asked.filter((asked) => asked.name === name).map(({ params }) => params);
  }
}

/** Timers that run when the test says so. */
export class TestTimers {
  readonly #tasks: { task: (() => void) | null; readonly delayMs: number }[] = [];

  readonly later = (task: () => void, delayMs: number): (() => void) => {
    const entry: { task: (() => void) | null; readonly delayMs: number } = { task, delayMs };
    this.#tasks.push(entry);
    return () => {
      entry.task = null;
    };
  };

  /** How many tasks wait. */
  get waiting(): number {
    return this.#tasks.filter(({ task }) => task !== null).length;
  }

  /** Runs everything that waits now. */
  run(): void {
    for (const { task } of this.#tasks.splice(0)) task?.();
  }
}

/** Lets everything that waits for promises go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
