import { expect, type Locator, type Page } from "@playwright/test";
import type { LaunchOptions, RunningApp } from "./launch.ts";
import { readMessages, type ShownMessage } from "./shown-message.ts";

/** A duration as it is typed into “Other…”. */
export type Duration = readonly [amount: number, unit: "seconds" | "minutes" | "hours" | "days"];

/** Timers that are chosen by hand; what is left out is left as it is. */
export interface ChosenTimers {
  readonly endsAfter?: Duration;
  readonly burnsAfter?: Duration;
}

/** Somebody at a computer with Sotto: does and sees what a person does and sees, by roles and names. */
export class Person {
  readonly name: string;
  readonly options: LaunchOptions;
  readonly complaints: string[] = [];
  readonly #launch: (options: LaunchOptions) => Promise<RunningApp>;
  #app: RunningApp | null = null;
  #printed = "";

  constructor(
    name: string,
    options: LaunchOptions,
    launch: (options: LaunchOptions) => Promise<RunningApp>,
  ) {
    this.name = name;
    this.options = options;
    this.#launch = launch;
  }

  // The program

  get page(): Page {
    if (this.#app === null) throw new Error(`Sotto isn't running at ${this.name}'s`);
    return this.#app.page;
  }

  /** What the processes of this person have printed. */
  get output(): string {
    return [this.#printed, ...(this.#app?.output ?? [])].join("\n");
  }

  /** Starts Sotto. @param unusual - what is otherwise than usual, this time */
  async start(unusual: Partial<LaunchOptions> = {}): Promise<void> {
    const app = await this.#launch({ ...this.options, ...unusual });
    this.#app = app;
    app.page.on("pageerror", (error) => this.complaints.push(`${this.name}: ${error.stack}`));
    app.page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`${this.name}: ${message.text()}`);
    });
  }

  /** Quits Sotto from its own menu. */
  async quit(): Promise<void> {
    // The page outlives the process by a moment, and complains that it can't reach it.
    this.#stopListening();
    await this.menu("Quit Sotto");
    await this.#app?.ended;
    await this.#leave();
  }

  /** The operating system ends Sotto in order. */
  async terminate(): Promise<void> {
    this.#stopListening();
    await this.#app?.terminate();
    await this.#leave();
  }

  /**
   * The power goes.
   *
   * @returns what the open conversation showed at the end; nothing when none was open
   */
  async kill(): Promise<readonly ShownMessage[]> {
    const app = this.#app;
    if (app === null) return [];
    this.#stopListening();
    const before = app.pageOutlivesProcess ? [] : await this.messages();
    await app.kill();
    const shown = app.pageOutlivesProcess && !app.page.isClosed() ? await this.messages() : before;
    await this.#leave();
    return shown;
  }

  #stopListening(): void {
    this.#app?.page.removeAllListeners("console");
    this.#app?.page.removeAllListeners("pageerror");
  }

  async #leave(): Promise<void> {
    this.#stopListening();
    this.#printed = this.output;
    await this.#app?.close();
    this.#app = null;
  }

  // First run

  /** Makes a network on this computer. */
  async host(networkName: string): Promise<void> {
    await this.page.getByRole("button", { name: /^Host a network on this computer/u }).click();
    await this.page.getByLabel("Name of the network").fill(networkName);
    await this.page.getByLabel("Your name").fill(this.name);
    await this.page.getByRole("button", { name: "Create network" }).click();
    await this.isReady();
  }

  /** Opens the door for invited people and fills the form; does not submit it. */
  async fillJoinForm(link: string): Promise<void> {
    await this.page.getByRole("button", { name: /^Join your organisation/u }).click();
    await this.page.getByRole("textbox", { name: "Invite link" }).fill(link);
    await this.page.getByLabel("Your name").fill(this.name);
  }

  /** Joins the network of an invite. */
  async join(link: string): Promise<void> {
    await this.fillJoinForm(link);
    await this.page.getByRole("button", { name: /^Join ./u }).click();
    await this.isReady();
  }

  /** Waits until the conversation list is there and the relay is reached. */
  async isReady(): Promise<void> {
    await expect(this.list).toBeVisible({ timeout: 30_000 });
    await this.isOnline();
  }

  async isOnline(): Promise<void> {
    await expect(this.list.getByText("Connecting…")).toHaveCount(0, { timeout: 30_000 });
    await expect(this.waitingForNetwork).toHaveCount(0, { timeout: 30_000 });
  }

  // The frame

  get list(): Locator {
    return this.page.getByRole("navigation", { name: "Conversations" });
  }

  /** The note over the list while the relay can't be reached. */
  get waitingForNetwork(): Locator {
    return this.list.getByRole("status").filter({ hasText: "Waiting for network" });
  }

  row(title: string): Locator {
    return this.list
      .getByRole("listitem")
      .getByRole("button", { name: new RegExp(`^${escapeRegExp(title)}\\b`) });
  }

  dialog(name?: string | RegExp): Locator {
    return this.page.getByRole("dialog", name === undefined ? {} : { name });
  }

  /** Chooses an entry of the own menu. */
  async menu(entry: string): Promise<void> {
    await this.list.getByRole("button", { name: `Menu of ${this.name}` }).click();
    await this.page.getByRole("menuitem", { name: entry }).click();
  }

  /** Makes an invite. @param uses - as the list of choices says it. @returns the dialog that shows it */
  async makeInvite(uses = "Once"): Promise<Locator> {
    await this.menu("Invite people");
    const dialog = this.dialog(/^Invite people to/u);
    await dialog.getByLabel("How often").selectOption(uses);
    await dialog.getByRole("button", { name: "Create link" }).click();
    await expect(dialog.getByRole("textbox", { name: "Invite link" })).toBeVisible();
    return dialog;
  }

  /** Makes an invite and takes down its link. */
  async invite(uses = "Once"): Promise<string> {
    const dialog = await this.makeInvite(uses);
    const link = await dialog.getByRole("textbox", { name: "Invite link" }).inputValue();
    await this.closeDialog();
    return link;
  }

  async closeDialog(): Promise<void> {
    await this.dialog().getByRole("button", { name: "Close" }).click();
    await expect(this.dialog()).toHaveCount(0);
  }

  /** Opens the conversation with one person. */
  async startDirect(name: string): Promise<void> {
    const dialog = await this.choosePeople([name]);
    await dialog.getByRole("button", { name: "Start conversation" }).click();
    await expect(this.conversation(name)).toBeVisible();
  }

  /** Makes a group or a room. */
  async startTogether(
    kind: "group" | "room",
    title: string,
    names: readonly string[],
  ): Promise<void> {
    const dialog = await this.choosePeople(names);
    await dialog.getByRole("button", { name: "Next" }).click();
    const shown = kind === "group" ? "Group" : "Room";
    await dialog.getByRole("radio", { name: new RegExp(`^${shown}`, "u") }).click();
    await dialog.getByRole("textbox", { name: "Name" }).fill(title);
    await dialog.getByRole("button", { name: `Create ${kind}` }).click();
    await expect(this.conversation(title)).toBeVisible();
  }

  /** Opens “New conversation” and chooses who is in it. */
  async choosePeople(names: readonly string[]): Promise<Locator> {
    await this.list.getByRole("button", { name: "New conversation" }).first().click();
    const dialog = this.dialog("New conversation");
    for (const name of names) await dialog.getByRole("option", { name }).click();
    return dialog;
  }

  /** Opens a conversation from the list. */
  async open(title: string): Promise<void> {
    await this.row(title).click();
    await expect(this.conversation(title)).toBeVisible();
  }

  // A conversation

  conversation(title: string): Locator {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  get feed(): Locator {
    return this.page.getByRole("feed");
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to/u });
  }

  /** Writes a message and sends it. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
    await expect(this.composer).toHaveValue("");
  }

  /** A message of the open conversation by its text, without Markdown. */
  message(text: string): Locator {
    return this.feed.getByRole("article", { name: new RegExp(`: ${escapeRegExp(text)}\\. `) });
  }

  /** A message that burns when it has been read, and has not been shown yet. */
  get covered(): Locator {
    return this.feed.getByRole("article", { name: /burn-on-read message, not shown yet/u });
  }

  /** A line that Sotto wrote. */
  line(text: string | RegExp): Locator {
    return this.feed.getByRole("article").filter({ hasText: text });
  }

  /** What the open conversation shows, oldest first. */
  messages(): Promise<readonly ShownMessage[]> {
    return readMessages(this.feed);
  }

  /** The texts of the open conversation, oldest first. */
  async texts(): Promise<readonly string[]> {
    const messages = await this.messages();
    return messages.flatMap(({ text }) => (text === null ? [] : [text]));
  }

  async reads(text: string): Promise<void> {
    await expect(this.message(text)).toBeVisible();
  }

  /** Waits until the open conversation holds exactly these texts. */
  async readsExactly(texts: readonly string[]): Promise<void> {
    await expect.poll(() => this.texts()).toEqual(texts);
  }

  /** Waits until a message of one's own has come so far. */
  async sees(
    text: string,
    state: "Waiting for network" | "Sent" | "Delivered" | "Read",
  ): Promise<void> {
    await expect(this.message(text).getByText(state, { exact: true })).toBeAttached();
  }

  /** Presses a button of those that a message shows under the pointer. Whoever sees it move away points at it again. */
  async press(message: Locator, button: "More actions" | "React"): Promise<void> {
    await expect(async () => {
      await message.hover();
      await message.getByRole("button", { name: button }).click({ timeout: 2000 });
    }).toPass();
  }

  /** Chooses from a message's menu, and confirms when asked. */
  async act(message: Locator, entry: string, confirm?: string): Promise<void> {
    await this.press(message, "More actions");
    await this.page.getByRole("menuitem", { name: entry }).click();
    if (confirm === undefined) return;
    await this.page.getByRole("alertdialog").getByRole("button", { name: confirm }).click();
    await expect(this.page.getByRole("alertdialog")).toHaveCount(0);
  }

  // Timers

  get timerChip(): Locator {
    return this.page.getByRole("button", { name: /^(?:Ends after|This message only)/u });
  }

  /** Sets the conversation's timers in the details. */
  async setConversationTimers(timers: ChosenTimers): Promise<void> {
    await this.page.getByRole("button", { name: "Details", exact: true }).click();
    await this.page.getByRole("button", { name: "Change timers" }).click();
    const dialog = this.dialog("When messages end");
    await chooseTimers(dialog, timers);
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toHaveCount(0);
    await this.page.getByRole("button", { name: "Close details" }).click();
  }

  /** Sets the timers of the message that is being written. */
  async setMessageTimers(timers: ChosenTimers): Promise<void> {
    await this.timerChip.click();
    const popover = this.dialog("When this message ends");
    await chooseTimers(popover, timers);
    await popover.getByRole("button", { name: "Done" }).click();
    await expect(popover).toHaveCount(0);
  }
}

async function chooseTimers(place: Locator, timers: ChosenTimers): Promise<void> {
  const groups = [
    ["Ends after", timers.endsAfter],
    ["Burns after reading", timers.burnsAfter],
  ] as const;
  for (const [name, duration] of groups) {
    if (duration === undefined) continue;
    const [amount, unit] = duration;
    const group = place.getByRole("radiogroup", { name });
    await group.getByRole("button", { name: "Other…" }).click();
    const custom = place.getByRole("group", { name: "Other duration" });
    await custom.getByRole("spinbutton", { name: "Number" }).fill(String(amount));
    await custom.getByRole("combobox", { name: "Unit" }).selectOption(unit);
    await custom.getByRole("button", { name: "Set" }).click();
    await expect(custom).toHaveCount(0);
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`);
}
