import type { RelayMethodName, RelayParams, RelayResult, RendezvousId } from "#protocol";

/** Asks the relay, signed in or not. @throws AppError with the relay's code */
type Ask = <Name extends RelayMethodName>(
  name: Name,
  params: RelayParams<Name>,
) => Promise<RelayResult<Name>>;

/** A side of a rendezvous: the owner's, or with a token the guest's. */
interface MailboxPlace {
  readonly rendezvousId: RendezvousId;
  readonly seat: Uint8Array | null;
}

/** Messages of a linking, in order, each once. */
export class Mailbox {
  readonly #ask: Ask;
  readonly #place: MailboxPlace;
  #sent = 0;
  #heard = 0;

  constructor(ask: Ask, place: MailboxPlace) {
    this.#ask = ask;
    this.#place = place;
  }

  /** Leaves a message. What failed can be sent again: the relay knows it by its number. @throws AppError */
  async send(bytes: Uint8Array, ask = this.#ask): Promise<void> {
    const params = { ...this.#place, sequence: this.#sent + 1, bytes };
    await ask("rendezvous.send", params);
    this.#sent += 1;
  }

  /** What has come since the last time. @throws AppError */
  async receive(): Promise<readonly Uint8Array[]> {
    const params = { ...this.#place, afterSequence: this.#heard };
    const { messages } = await this.#ask("rendezvous.receive", params);
    const next: Uint8Array[] = [];
    for (const { sequence, bytes } of messages) {
      if (sequence !== this.#heard + 1) continue;
      this.#heard = sequence;
      next.push(bytes);
    }
    return next;
  }
}
