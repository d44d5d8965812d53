export { chooseRuntime, type ChosenRuntime } from "./choose.ts";
export { steadyLink, type LinkState, type RuntimeLink } from "./link.ts";
export { Listeners } from "./listeners.ts";
