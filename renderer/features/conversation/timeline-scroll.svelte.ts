import { tick } from "svelte";
import type { VirtualizerHandle } from "virtua/svelte";
import type { MessageId } from "#protocol";
import type { Conversation } from "../../state/conversation.svelte.ts";

/** Closer to the end than this counts as being there, CSS pixels. */
const endSlackPx = 64;
/** Nearer to the start than this, earlier messages are fetched, CSS pixels. */
const earlierPx = 400;
const flashMs = 1600;
const mostPagesForQuote = 5;
const mostFramesToShow = 20;

/** Keeps the message list where a reader expects it: at the first unread one, at the end, or where they were. */
export class TimelineScroll {
  readonly #conversation: Conversation;
  #handle: VirtualizerHandle | null = null;
  #scroller: HTMLElement | null = null;
  #loadingEarlier = false;
  #atEnd = $state(true);
  #settled = $state(false);
  #flashingId = $state.raw<MessageId | null>(null);
  #lastSeenOrder = $state(-1);

  /** @param conversation - the open one */
  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** Whether the newest message is in view. */
  get atEnd(): boolean {
    return this.#atEnd;
  }

  /** Whether the first position has been found; until then nothing is shown, so that nothing jumps. */
  get settled(): boolean {
    return this.#settled;
  }

  get flashingId(): MessageId | null {
    return this.#flashingId;
  }

  /** The highest order that was in view. */
  get lastSeenOrder(): number {
    return this.#lastSeenOrder;
  }

  /** The list is there: go where reading goes on. */
  async start(handle: VirtualizerHandle, scroller: HTMLElement): Promise<void> {
    this.#handle = handle;
    this.#scroller = scroller;
    const { items, target } = this.#conversation;
    const targetAt = target === null ? -1 : items.findIndex(({ key }) => key === target.messageId);
    const unreadAt = items.findIndex(({ kind }) => kind === "unread");
    await nextFrame();
    if (targetAt !== -1) handle.scrollToIndex(targetAt, { align: "center" });
    else if (unreadAt === -1) handle.scrollToIndex(items.length - 1, { align: "end" });
    else handle.scrollToIndex(unreadAt, { align: "start", offset: -24 });
    await nextFrame();
    await nextFrame();
    this.#settled = true;
    this.measure();
  }

  /** Looks where the list stands now. */
  measure(): void {
    const scroller = this.#scroller;
    if (scroller === null || !this.#settled || this.#loadingEarlier) return;
    // The page's own numbers: while items are put in front, the list's run ahead of them.
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const bottom = scrollTop + clientHeight;
    const { hasLater } = this.#conversation;
    this.#atEnd = scrollHeight - bottom < endSlackPx && !hasLater;
    this.#lastSeenOrder = Math.max(this.#lastSeenOrder, this.#orderAt(bottom - 8));
    if (scrollTop < earlierPx && this.#conversation.hasEarlier) void this.loadEarlier();
    if (hasLater && scrollHeight - bottom < earlierPx) void this.#conversation.loadLater();
  }

  /** Puts earlier messages in front, and stays at what is being read. */
  async loadEarlier(): Promise<void> {
    if (this.#loadingEarlier) return;
    this.#loadingEarlier = true;
    await this.#conversation.loadEarlier();
    await nextFrame();
    await nextFrame();
    this.#loadingEarlier = false;
    this.measure();
  }

  /** Messages came or the room for them changed: stays at the end if it was there. */
  async follow(always: boolean): Promise<void> {
    if (!this.#settled || this.#loadingEarlier || !(this.#atEnd || always)) return;
    await tick();
    this.toEnd();
    await nextFrame();
    this.measure();
  }

  /** Goes to the newest message, which is loaded first when it isn't. */
  async toLatest(): Promise<void> {
    if (this.#conversation.hasLater) {
      await this.#conversation.open();
      await tick();
      await nextFrame();
    }
    this.toEnd();
    await nextFrame();
    this.measure();
  }

  toEnd(): void {
    this.#handle?.scrollToIndex(this.#conversation.items.length - 1, { align: "end" });
  }

  /** Brings an item into view. */
  async reveal(index: number): Promise<void> {
    this.#handle?.scrollToIndex(index, { align: "nearest" });
    await nextFrame();
  }

  /**
   * Goes to a message and marks it for a moment, loading earlier ones when needed.
   *
   * @returns whether it was found
   */
  async goTo(messageId: MessageId): Promise<boolean> {
    const indexOf = (): number =>
      this.#conversation.items.findIndex(({ key }) => key === messageId);
    for (let pages = 0; indexOf() === -1 && this.#conversation.hasEarlier; pages += 1) {
      if (pages === mostPagesForQuote) return false;
      await this.loadEarlier();
    }
    const index = indexOf();
    if (index === -1) return false;
    this.#handle?.scrollToIndex(index, { align: "center" });
    this.#flashingId = messageId;
    setTimeout(() => {
      this.#flashingId = null;
    }, flashMs);
    return true;
  }

  /** The order of the last message that begins above `offset`. */
  #orderAt(offset: number): number {
    const { items } = this.#conversation;
    let index = this.#atEnd ? items.length - 1 : (this.#handle?.findItemIndex(offset) ?? -1);
    for (; index >= 0; index -= 1) {
      const item = items[index];
      if (item?.kind === "message") return item.message.order;
    }
    return -1;
  }
}

/** Gives the focus to an element as soon as it takes it: what the list mounts is hidden until it has been measured. */
export async function focusWhenShown(find: () => HTMLElement | null): Promise<void> {
  for (let frames = 0; frames < mostFramesToShow; frames += 1) {
    const element = find();
    element?.focus({ preventScroll: true });
    if (element !== null && element === document.activeElement) return;
    await nextFrame();
  }
}

function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      resolve();
    });
  });
}
