import { randomBytes } from "node:crypto";
import type { ConversationId, MessageId } from "#protocol";
import { bodyItem, hourOf } from "../../../electron/client/core/leaves.ts";
import { textBytes } from "../../../electron/client/views/bodies.ts";
import type { Statement } from "../../../electron/vault/index.ts";
import { Person, until, type Surroundings } from "../../support/client-world.ts";
import { RelayFixture } from "../../support/relay-fixture.ts";
import { startThreadWorker } from "./example.ts";
import { timed } from "./measure.ts";

/** Somebody with a relay of their own, a conversation with somebody who is away, and as long a history in it as is asked for. */
export class Hermit {
  readonly #relay: RelayFixture;
  readonly person: Person;
  readonly #conversationId: ConversationId;
  readonly #endWorker: () => Promise<void>;
  #order = 1000;

  private constructor(
    relay: RelayFixture,
    person: Person,
    conversationId: ConversationId,
    endWorker: () => Promise<void>,
  ) {
    this.#relay = relay;
    this.person = person;
    this.#conversationId = conversationId;
    this.#endWorker = endWorker;
  }

  static async start(): Promise<Hermit> {
    const relay = await RelayFixture.start();
    // Always one ahead: how long a worker takes to start is not how long a vault takes to open.
    let ready = startThreadWorker();
    const around: Surroundings = {
      relayUrl: relay.url,
      claimCode: () => relay.relay.claimCode(),
      startWorker: async () => {
        const worker = await ready;
        ready = startThreadWorker();
        return worker;
      },
    };
    const ada = await new Person(around, "Ada").host();
    await ada.online();
    const { link } = await ada.client.commands["invites.create"]({
      lifetimeSeconds: 3600,
      uses: 1,
    });
    const ben = await new Person(around, "Ben").join(link);
    await until("Ada knows Ben", async () => {
      const people = await ada.client.commands["people.list"]({});
      return people.length === 2;
    });
    const conversationId = await ada.create("direct", [ben]);
    await until("the conversation is there", () =>
      ada.rows.some((row) => row.conversationId === conversationId),
    );
    await ben.dispose();
    return new Hermit(relay, ada, conversationId, async () => {
      await (await ready).dispose();
    });
  }

  /** Writes messages as if they had come in; they are noticed at the next start. */
  async remember(count: number, endsAtMs: (index: number) => number): Promise<void> {
    const { userId, vault, worker } = this.person;
    const sender = userId;
    const next = new Map<number, number>();
    const batch = 500;
    for (let begin = 0; begin < count; begin += batch) {
      const rows = Array.from({ length: Math.min(batch, count - begin) }, (_, offset) => {
        const endsMs = endsAtMs(begin + offset);
        const hour = hourOf(endsMs);
        const taken = vault.read("bucket", [hour])[0]?.["next"];
        const leaf = next.get(hour) ?? Number(taken ?? 0);
        next.set(hour, leaf + 1);
        const messageId = randomBytes(32).toString("base64url") as MessageId;
        const plain = textBytes(`Message ${String(begin + offset)}: ${"lorem ipsum ".repeat(10)}`);
        return { messageId, endsMs, place: { hour, leaf }, plain };
      });
      const { sealed } = await worker.call("body.seal", {
        items: rows.map(({ messageId, place, plain }) => ({
          ...bodyItem(messageId, place),
          plain,
        })),
      });
      const statements = rows.flatMap(({ messageId, endsMs, place }, index): Statement[] => {
        const order = this.#order++;
        const sentMs = Date.now();
        return [
          {
            name: "message.insert",
            params: [
              messageId,
              this.#conversationId,
              order,
              "text",
              sender,
              0,
              sentMs,
              endsMs,
              "conversation",
              86_400,
              null,
              null,
              order,
              1,
              sealed[index] ?? null,
              null,
              null,
              0,
              place.hour,
              place.leaf,
            ],
          },
          { name: "bucket.take", params: [place.hour, place.leaf + 1] },
          { name: "conversation.setShown", params: [this.#conversationId, order, sentMs] },
        ];
      });
      await vault.transact(statements);
    }
  }

  /** Messages in the vault. */
  count(): number {
    return Number(this.person.vault.read("itemCount")[0]?.["count"] ?? 0);
  }

  /** Starts Sotto anew. @returns how long it took until the list of conversations was there, milliseconds */
  async unlock(): Promise<number> {
    await this.person.quit();
    return timed(async () => {
      await this.person.open();
      const rows = await this.person.client.commands["conversations.list"]({});
      if (rows.length === 0) throw new Error("no conversations");
    });
  }

  async dispose(): Promise<void> {
    await this.person.dispose();
    await this.#endWorker();
    await this.#relay.dispose();
  }
}
