export { readAboutFacts } from "./about-facts.ts";
export { startApp, type App } from "./app.ts";
export { parseArguments, type StartArguments } from "./arguments.ts";
export type { CommandSource, Dispatch } from "./dispatcher.ts";
export {
  createEngine,
  type CryptoFacts,
  type Engine,
  type NewAccount,
  type Slot,
} from "./engine.ts";
export type { EventListener } from "./events.ts";
export { lineLog } from "./line-log.ts";
export { linkScheme } from "./links.ts";
export { deviceNameOf, thisMachine } from "./machine.ts";
export { pageHeaders, readPageFiles, type PageFile, type PageFiles } from "./page-files.ts";
export type { AboutFacts, AppPorts, Log, NotificationPort, RelayWorker } from "./ports.ts";
export { defaultProfile, profilePaths, type Machine, type ProfilePaths } from "./profile.ts";
export { relayThread } from "./relay-thread.ts";
export { systemClock } from "./system-clock.ts";
