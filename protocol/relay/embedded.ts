import type { WireError } from "../errors.ts";

/** To `relay/embedded.ts`, the relay as a worker of the app, over its port. */
export type EmbeddedRelayRequest =
  | {
      readonly kind: "start";
      /** Where the relay keeps its LMDB environment. */
      readonly directory: string;
      /** Loopback TCP port; 0 takes the one used last time, or a free one at first. */
      readonly port: number;
    }
  | { readonly kind: "stop" };

/** From the relay. */
export type EmbeddedRelayMessage =
  /** `relayUrl` has no path. `claimCode` is null once the relay's network has an administrator: until then it can be claimed again. */
  | { readonly kind: "started"; readonly relayUrl: string; readonly claimCode: string | null }
  | { readonly kind: "failed"; readonly error: WireError }
  | { readonly kind: "stopped" };
