import type { DeviceId, NetworkId, RendezvousId, UserId } from "../ids.ts";

/** What the new computer says of itself; its key was made there and never leaves. */
export interface OfferedDevice {
  readonly deviceId: DeviceId;
  /** Ed25519 public key. */
  readonly signatureKey: Uint8Array;
  readonly deviceName: string;
  readonly platform: string;
}

/** The lasting channel of two linked devices, over which history comes; its key is sealed for the vault. */
export interface LinkChannel {
  readonly sealedChannel: Uint8Array;
  readonly rendezvousId: RendezvousId;
  /** The guest's token there. */
  readonly seat: Uint8Array;
}

/** What a message of the other computer led to. */
export type LinkStep =
  /** To be sent. */
  | { readonly kind: "reply"; readonly message: Uint8Array }
  /** Six numbers from 0 to 63, which are the same at both computers unless somebody stands between them. `message`: to be sent. */
  | {
      readonly kind: "compare";
      readonly symbols: readonly number[];
      readonly message: Uint8Array | null;
    }
  | { readonly kind: "device"; readonly device: OfferedDevice }
  | {
      readonly kind: "account";
      readonly userId: UserId;
      readonly deviceId: DeviceId;
      readonly networkId: NetworkId;
      readonly accountKey: Uint8Array;
      readonly signatureKey: Uint8Array;
      readonly sealedIdentity: Uint8Array;
      /** As `link.giveAccount` got it. */
      readonly facts: Uint8Array;
      readonly channel: LinkChannel;
    }
  | { readonly kind: "declined" }
  | { readonly kind: "done" };
