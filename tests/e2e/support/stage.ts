import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PrivateKeyring } from "../../support/private-keyring.ts";
import type { LaunchOptions, RunningApp } from "./launch.ts";
import { Person } from "./person.ts";
import { WallClock } from "./wall-clock.ts";

/** What a person on the stage may have that others don't. */
export interface Role {
  /** Left out: made of the name. */
  readonly profile?: string;
  /** Left out: a real keyring, shared by all tests. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where a story plays: a data directory of its own, and the people in it. All of it is gone when the story ends, however it ends. */
export class Stage {
  readonly clock = new WallClock();
  readonly dataDirectory = mkdtempSync(join(tmpdir(), "sotto-e2e-"));
  readonly #launch: (options: LaunchOptions) => Promise<RunningApp>;
  readonly #keyring: PrivateKeyring;
  readonly #people: Person[] = [];

  constructor(launch: (options: LaunchOptions) => Promise<RunningApp>, keyring: PrivateKeyring) {
    this.#launch = launch;
    this.#keyring = keyring;
  }

  /** Somebody with a computer on which Sotto isn't running yet. @param name - as others see it */
  person(name: string, role: Role = {}): Person {
    const profile = role.profile ?? name.toLowerCase().replaceAll(/[^a-z]+/gu, "-");
    const { dataDirectory } = this;
    const options = {
      profile,
      dataDirectory,
      environment: role.environment ?? this.#keyring.environment,
    };
    const person = new Person(name, options, this.#launch);
    this.#people.push(person);
    return person;
  }

  /** What the pages have complained of: errors on the console, violations of the content security policy. */
  get complaints(): readonly string[] {
    return this.#people.flatMap((person) => person.complaints);
  }

  /** What all processes have printed. */
  get output(): string {
    return this.#people.map((person) => `${person.name}:\n${person.output}`).join("\n\n");
  }

  async close(): Promise<void> {
    this.clock.stop();
    await Promise.all(this.#people.map((person) => person.kill()));
    rmSync(this.dataDirectory, { recursive: true, force: true, maxRetries: 5 });
  }
}
