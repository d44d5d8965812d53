import type { DesktopCapturerSource, Display, Session } from "electron";
import { isOurs } from "./harden-session.ts";

/** What of the module `electron` is used. */
export interface ScreenParts {
  readonly dialog: {
    showMessageBox(options: {
      readonly type: "question";
      readonly message: string;
      readonly detail: string;
      readonly buttons: string[];
      readonly defaultId: number;
      readonly cancelId: number;
    }): Promise<{ readonly response: number }>;
  };
  readonly desktopCapturer: {
    getSources(options: {
      types: "screen"[];
      thumbnailSize: { width: number; height: number };
    }): Promise<Pick<DesktopCapturerSource, "id" | "name" | "display_id">[]>;
  };
  readonly screen: {
    getCursorScreenPoint(): { readonly x: number; readonly y: number };
    getDisplayNearestPoint(point: { readonly x: number; readonly y: number }): Pick<Display, "id">;
  };
}

const yes = 1;

/**
 * Lets our page take a picture of the screen to look for a QR code: only after a click there, without sound, and each time only when the person
 * says yes to a question of the operating system's, which no script in the page can answer. Everything else is denied.
 */
export function offerScreen(
  session: Pick<Session, "setDisplayMediaRequestHandler">,
  parts: ScreenParts,
): void {
  let asking = false;

  const choose = async (): Promise<{ readonly id: string; readonly name: string } | null> => {
    const { response } = await parts.dialog.showMessageBox({
      type: "question",
      message: "Take a picture of the screen?",
      detail:
        "Sotto looks for a QR code in it, once. The picture stays on this computer and is dropped at once.",
      buttons: ["Cancel", "Take picture"],
      defaultId: yes,
      cancelId: 0,
    });
    if (response !== yes) return null;
    const thumbnailSize = { width: 0, height: 0 };
    const screens = await parts.desktopCapturer.getSources({ types: ["screen"], thumbnailSize });
    const { id } = parts.screen.getDisplayNearestPoint(parts.screen.getCursorScreenPoint());
    return screens.find(({ display_id }) => display_id === String(id)) ?? screens[0] ?? null;
  };

  session.setDisplayMediaRequestHandler((request, callback) => {
    const { frame, securityOrigin, userGesture, videoRequested, audioRequested } = request;
    const isOurPage = frame?.parent === null && isOurs(securityOrigin);
    if (asking || !isOurPage || !userGesture || !videoRequested || audioRequested) {
      deny(callback);
      return;
    }
    asking = true;
    choose()
      .finally(() => {
        asking = false;
      })
      .then((video) => {
        if (video === null) deny(callback);
        else callback({ video: { id: video.id, name: video.name } });
      })
      .catch(() => {
        deny(callback);
      });
  });
}

function deny(callback: (streams: null) => void): void {
  callback(null);
}
