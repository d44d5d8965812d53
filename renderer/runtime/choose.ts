import type { PreloadBridge, Runtime } from "#protocol";
import { BridgeRuntime } from "./bridge-runtime.ts";
import { steadyLink, type RuntimeLink } from "./link.ts";
import { PreviewRuntime } from "./preview-runtime.ts";
import { takeToken } from "./token.ts";

declare global {
  interface Window {
    /** Exposed by the preload in the desktop app; absent in the preview. */
    readonly sotto?: PreloadBridge;
  }
}

/** The platform that this page runs on, and its link. */
export interface ChosenRuntime {
  readonly runtime: Runtime;
  readonly link: RuntimeLink;
}

/** Electron's bridge when there is one, otherwise the preview's socket on the page's own origin. */
export function chooseRuntime(view: Window): ChosenRuntime {
  if (view.sotto !== undefined) {
    return { runtime: new BridgeRuntime(view.sotto), link: steadyLink };
  }
  const { protocol, host } = view.location;
  const address = `${protocol === "https:" ? "wss:" : "ws:"}//${host}/preview`;
  const preview = new PreviewRuntime({
    openSocket: () => new WebSocket(address),
    token: takeToken(view) ?? "",
    later: (task, delayMs) => {
      const timer = view.setTimeout(task, delayMs);
      return () => {
        view.clearTimeout(timer);
      };
    },
  });
  return { runtime: preview, link: preview };
}
