import * as v from "valibot";
import {
  AppError,
  bytesSchema,
  decodeCbor,
  deviceIdSchema,
  ed25519PublicKeyBytes,
  encodeCbor,
  exactBytesSchema,
  nameSchema,
  networkIdSchema,
  parse,
  userIdSchema,
  type OfferedDevice,
} from "#protocol";
import { wipe, type Primitives } from "../primitives/index.ts";
import { openWith, sealWith } from "../vault/box.ts";
import { codeKeysOf, readCodeKeys, wipeCodeKeys, type CodeKeys } from "./code.ts";
import {
  answerCommitment,
  commit,
  complete,
  confirm,
  refused,
  reveal,
  wipeLinkKeys,
  type Agreed,
  type LinkKeys,
  type LinkRole,
  type Revealed,
} from "./handshake.ts";

/** Facts beside the keys: records and the policy. */
const maxFactsBytes = 40 * 1024;
const maxMessageBytes = 48 * 1024;
const keySchema = exactBytesSchema(ed25519PublicKeyBytes);

const saidSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("device"),
    deviceId: deviceIdSchema,
    signatureKey: keySchema,
    deviceName: nameSchema,
    platform: v.pipe(v.string(), v.maxLength(40)),
  }),
  v.strictObject({
    kind: v.literal("account"),
    userId: userIdSchema,
    networkId: networkIdSchema,
    /** Secret: the account key's seed. */
    accountPrivateKey: keySchema,
    facts: bytesSchema(maxFactsBytes),
  }),
  v.strictObject({ kind: v.literal("declined") }),
  v.strictObject({ kind: v.literal("done") }),
]);
/** What is said over the channel once people have compared the symbols. Secret: `accountPrivateKey`. */
export type Said = v.InferOutput<typeof saidSchema>;

type Waiting = ReturnType<typeof commit>["own"];

/** How far it has come; each state takes one message only. */
type State =
  | { readonly kind: "shown" }
  | { readonly kind: "answered"; readonly own: Waiting }
  | { readonly kind: "committed"; readonly own: Waiting }
  | { readonly kind: "revealed"; readonly revealed: Revealed }
  | { readonly kind: "agreed"; readonly keys: LinkKeys }
  | { readonly kind: "over" };

/** What a message led to, before anything is made of it. */
export type Taken =
  | { readonly kind: "reply"; readonly message: Uint8Array }
  | {
      readonly kind: "compare";
      readonly symbols: readonly number[];
      readonly message: Uint8Array | null;
    }
  | { readonly kind: "said"; readonly said: Said };

/** One side of a linking, from the code to its end. Secret: keys; {@link LinkSession.wipe}. */
export class LinkSession {
  readonly role: LinkRole;
  readonly #primitives: Primitives;
  readonly #code: CodeKeys;
  #state: State;
  #spoken = 0;
  #heard = 0;
  /** Of the owner: what the other computer has offered, after which the account may be given. */
  offered: OfferedDevice | null = null;

  private constructor(role: LinkRole, primitives: Primitives, code: CodeKeys, state: State) {
    this.role = role;
    this.#primitives = primitives;
    this.#code = code;
    this.#state = state;
  }

  /** @param secret - of the code, 16 bytes, taken over */
  static show(primitives: Primitives, secret: Uint8Array): LinkSession {
    return new LinkSession("owner", primitives, codeKeysOf(secret), { kind: "shown" });
  }

  /** @throws AppError `link-code-malformed` */
  static enter(
    primitives: Primitives,
    typed: string,
  ): { readonly session: LinkSession; readonly message: Uint8Array } {
    const code = readCodeKeys(typed);
    if (code === undefined) throw new AppError("link-code-malformed");
    try {
      const { own, message } = commit(primitives, code);
      const session = new LinkSession("joiner", primitives, code, { kind: "committed", own });
      return { session, message };
    } catch (error) {
      wipeCodeKeys(code);
      throw error;
    }
  }

  get rendezvousId(): CodeKeys["rendezvousId"] {
    return this.#code.rendezvousId;
  }

  /** @throws AppError `not-ready` before both sides agreed */
  get keys(): LinkKeys {
    if (this.#state.kind !== "agreed") {
      throw new AppError("not-ready", { data: { reason: "nothing is agreed" } });
    }
    return this.#state.keys;
  }

  /** Takes the other side's next message. @throws AppError `link-refused`, after which nothing more is taken */
  take(message: Uint8Array): Taken {
    try {
      return this.#take(message);
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  #take(message: Uint8Array): Taken {
    const primitives = this.#primitives;
    const state = this.#state;
    switch (state.kind) {
      case "shown": {
        const answered = answerCommitment(primitives, this.#code, message);
        this.#state = { kind: "answered", own: answered.own };
        return { kind: "reply", message: answered.message };
      }
      case "committed": {
        const answered = reveal(primitives, this.#code, state.own, message);
        this.#state = { kind: "revealed", revealed: answered.revealed };
        return { kind: "reply", message: answered.message };
      }
      case "answered": {
        const agreed = confirm(primitives, this.#code, state.own, message);
        return this.#compare(agreed, agreed.message);
      }
      case "revealed":
        return this.#compare(complete(primitives, this.#code, state.revealed, message), null);
      case "agreed":
        return { kind: "said", said: this.#hear(state.keys, message) };
      case "over":
        throw refused("over");
    }
  }

  #compare({ keys, symbols }: Agreed, message: Uint8Array | null): Taken {
    this.#state = { kind: "agreed", keys };
    return { kind: "compare", symbols, message };
  }

  /** Seals what this side says next. @throws AppError `not-ready` */
  say(said: Said): Uint8Array {
    const place = ["link message", this.role, this.#spoken] as const;
    const { speaking } = this.keys;
    const plain = encodeCbor(said);
    try {
      const sealed = speaking[this.role].use((key) =>
        sealWith(key, this.#primitives.random, place, plain),
      );
      this.#spoken += 1;
      return sealed;
    } finally {
      wipe(plain);
    }
  }

  #hear({ speaking }: LinkKeys, message: Uint8Array): Said {
    const other = this.role === "owner" ? "joiner" : "owner";
    const place = ["link message", other, this.#heard] as const;
    const plain = speaking[other].use((key) => openWith(key, place, message));
    if (plain === undefined) throw refused("not of this channel");
    this.#heard += 1;
    try {
      return parse(saidSchema, decodeCbor(plain, maxMessageBytes));
    } catch (cause) {
      throw refused("malformed", cause);
    } finally {
      wipe(plain);
    }
  }

  wipe(): void {
    const state = this.#state;
    this.#state = { kind: "over" };
    wipeCodeKeys(this.#code);
    if (state.kind === "agreed") wipeLinkKeys(state.keys);
    if (state.kind === "answered" || state.kind === "committed") wipe(state.own.privateKey);
    if (state.kind === "revealed") wipe(state.revealed.own.privateKey, state.revealed.forOwner);
  }
}
