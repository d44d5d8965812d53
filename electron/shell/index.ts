export { startShell, type Electron, type ShellSetup } from "./start.ts";
