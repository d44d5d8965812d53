import {
  ensureAppError,
  isLinkText,
  nameSchema,
  type ErrorCode,
  type InvitePreviewView,
  type Runtime,
} from "#protocol";
import * as v from "valibot";
import { passphraseProblem, type PassphraseProblem } from "./passphrase.ts";

/** Which door of the first screen stands open. */
export type Door = "choose" | "join" | "link" | "host";

/** What of the form is wrong, by field. */
export interface FirstRunProblems {
  readonly name: boolean;
  readonly networkName: boolean;
  readonly passphrase: PassphraseProblem;
}

const inspectDelayMs = 250;

/** Whether `name` can be a person's or a network's name. */
export function isName(name: string): boolean {
  return v.is(nameSchema, name);
}

/** What the person has entered on the first screen. It outlives the progress page, so that a failure comes back to a filled form. */
export class FirstRun {
  readonly #runtime: Pick<Runtime, "invoke">;
  readonly #later: (task: () => void, delayMs: number) => () => void;
  #door = $state.raw<Door>("choose");
  #link = $state("");
  #preview = $state.raw<InvitePreviewView | null>(null);
  #linkProblem = $state.raw<ErrorCode | null>(null);
  #busy = $state(false);
  #failure = $state.raw<ErrorCode | null>(null);
  #attempted = $state(false);
  #cancelInspect: (() => void) | null = null;
  /** The code of another device. */
  code = $state("");
  name = $state("");
  networkName = $state("");
  passphrase = $state("");
  repeated = $state("");
  needsPassphrase = $state(false);

  readonly problems: FirstRunProblems = $derived({
    name: this.#door !== "link" && !isName(this.name),
    networkName: this.#door === "host" && !isName(this.networkName),
    passphrase: this.needsPassphrase ? passphraseProblem(this.passphrase, this.repeated) : null,
  });
  readonly complete: boolean = $derived(
    !this.problems.name &&
      !this.problems.networkName &&
      this.problems.passphrase === null &&
      (this.#door !== "join" || this.#preview !== null) &&
      (this.#door !== "link" || this.code.trim() !== ""),
  );

  /**
   * @param runtime - the platform
   * @param later - runs a task after a delay, milliseconds
   */
  constructor(
    runtime: Pick<Runtime, "invoke">,
    later: (task: () => void, delayMs: number) => () => void,
  ) {
    this.#runtime = runtime;
    this.#later = later;
  }

  get door(): Door {
    return this.#door;
  }

  get link(): string {
    return this.#link;
  }

  /** What the invite says, once it has been read. */
  get preview(): InvitePreviewView | null {
    return this.#preview;
  }

  get linkProblem(): ErrorCode | null {
    return this.#linkProblem;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get failure(): ErrorCode | null {
    return this.#failure;
  }

  /** Whether problems are shown: only after the person has tried. */
  get attempted(): boolean {
    return this.#attempted;
  }

  open(door: Door): void {
    this.#door = door;
    this.#failure = null;
    this.#attempted = false;
  }

  /** Takes a link that Sotto was started with, and opens the door it is for. */
  receive(link: string): void {
    if (isLinkText(link)) {
      this.open("link");
      this.code = link;
      return;
    }
    this.open("join");
    this.setLink(link);
  }

  /** Takes an invite that was pasted or typed, or that Sotto was started with, and reads it. */
  setLink(link: string): void {
    this.#link = link;
    this.#preview = null;
    this.#linkProblem = null;
    this.#failure = null;
    this.#cancelInspect?.();
    this.#cancelInspect = null;
    if (link.trim() === "") return;
    this.#cancelInspect = this.#later(() => {
      void this.#inspect(link);
    }, inspectDelayMs);
  }

  /** Makes the profile. What comes of it shows in the app's phase; a failure, here. */
  async submit(): Promise<void> {
    this.#attempted = true;
    if (!this.complete || this.#busy) return;
    this.#busy = true;
    this.#failure = null;
    const passphrase = this.needsPassphrase ? this.passphrase : null;
    const displayName = this.name.trim();
    try {
      if (this.#door === "link") {
        await this.#runtime.invoke("profile.link", { link: this.code.trim(), passphrase });
        this.code = "";
      } else if (this.#door === "join") {
        await this.#runtime.invoke("profile.join", {
          link: this.#link.trim(),
          displayName,
          passphrase,
        });
      } else {
        const networkName = this.networkName.trim();
        await this.#runtime.invoke("profile.host", { networkName, displayName, passphrase });
      }
      this.passphrase = "";
      this.repeated = "";
    } catch (error) {
      this.#failure = ensureAppError(error).code;
    } finally {
      this.#busy = false;
    }
  }

  async #inspect(link: string): Promise<void> {
    try {
      const preview = await this.#runtime.invoke("invite.inspect", { link: link.trim() });
      if (this.#link === link) this.#preview = preview;
    } catch (error) {
      if (this.#link === link) this.#linkProblem = ensureAppError(error).code;
    }
  }
}
