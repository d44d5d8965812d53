import { createContext } from "svelte";
import type { AppModel } from "./app-model.svelte.ts";

const [get, set] = createContext<AppModel>();

/** The state of the interface, from inside a component. */
export const useApp = get;
/** Hands the state down; called once, by the root component. */
export const provideApp = set;
