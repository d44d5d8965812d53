import type { Session, WebPreferences } from "electron";

/**
 * What a page of ours may, as far as a window's preferences say. Each is written down, the defaults too, so that a later Electron with
 * other defaults changes nothing. Source: Electron security checklist, by number.
 *
 * @param preload - absolute path of the bundled preload script
 * @param isDevelopment - whether this is no packaged app
 */
export function pagePreferences(
  preload: string,
  session: Session,
  isDevelopment: boolean,
): WebPreferences {
  return {
    preload,
    session,
    // 2: no Node in the page, its frames or its workers.
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    // 3: the preload's world is not the page's.
    contextIsolation: true,
    // 4: the operating system's sandbox around the page's process.
    sandbox: true,
    // 6, 8, 9, 10: the web's own rules stand, as released.
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    enableBlinkFeatures: "",
    // 11, 12: there are no embedded pages.
    webviewTag: false,
    plugins: false,
    // 13: a file or link that is dropped on the window opens nowhere.
    navigateOnDragDrop: false,
    // What is typed is nobody's: dictionaries would be fetched from Google's servers, and the system's checker learns words.
    spellcheck: false,
    // Nothing that outlives a message in pictures or 3D contexts, no dialogs that look like the system's.
    webgl: false,
    disableDialogs: true,
    enableWebSQL: false,
    autoplayPolicy: "document-user-activation-required",
    devTools: isDevelopment,
  };
}
