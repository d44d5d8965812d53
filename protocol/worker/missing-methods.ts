import type { ConversationId, DeviceId } from "../ids.ts";
import type { SuiteName } from "../suites.ts";
import type { Method } from "./method.ts";

/**
 * What is said again to one device alone (docs/adr/0023): sealed by HPKE, with the algorithms of the conversation's suite. The key pair is made for this
 * and nothing else.
 */
export interface MissingMethods {
  /** A pair for as long as something is missing in a conversation. */
  readonly "missing.makeKey": Method<
    { readonly conversationId: ConversationId; readonly suite: SuiteName },
    { readonly publicKey: Uint8Array; readonly sealedPrivate: Uint8Array }
  >;
  /** Seals what this device says again. null: the key isn't one of the suite. */
  readonly "missing.sealAnswer": Method<
    {
      readonly conversationId: ConversationId;
      readonly suite: SuiteName;
      readonly requester: DeviceId;
      /** As the requester's request has it. */
      readonly publicKey: Uint8Array;
      readonly plain: Uint8Array;
    },
    {
      readonly sealed: {
        readonly kemOutput: Uint8Array;
        readonly ciphertext: Uint8Array;
      } | null;
    }
  >;
  /** null: it wasn't sealed to this device and key, by this answerer, in this conversation. Errors: `vault-damaged`. */
  readonly "missing.openAnswer": Method<
    {
      readonly conversationId: ConversationId;
      /** Of the key, which the conversation may have left meanwhile. */
      readonly suite: SuiteName;
      readonly answerer: DeviceId;
      readonly sealedPrivate: Uint8Array;
      readonly kemOutput: Uint8Array;
      readonly ciphertext: Uint8Array;
    },
    { readonly plain: Uint8Array | null }
  >;
}
