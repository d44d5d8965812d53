import { contextBridge, ipcRenderer } from "electron";
import {
  commandChannel,
  eventChannel,
  type CommandAnswer,
  type EventMessage,
  type PreloadBridge,
} from "#protocol/ipc/bridge.ts";

/*
 * The page's only way out: two channels, no object of Electron's. What it sends is checked in the main process, not here, since a page
 * that was taken over could reach around anything that stands in its own process.
 */
const bridge: PreloadBridge = {
  invoke: (name, params) =>
    ipcRenderer.invoke(commandChannel, { name, params }) as Promise<CommandAnswer>,
  onEvent: (listener) => {
    const pass = (_event: unknown, message: EventMessage): void => {
      listener(message);
    };
    ipcRenderer.on(eventChannel, pass);
    return () => {
      ipcRenderer.removeListener(eventChannel, pass);
    };
  },
  platform: process.platform as PreloadBridge["platform"],
};

contextBridge.exposeInMainWorld("sotto", bridge);
