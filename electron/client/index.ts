export type {
  AccountOrigin,
  AccountProgress,
  Client,
  ClientCommandName,
  ClientCommands,
  ClientEventName,
  ClientPorts,
  ClientView,
  CreateAccountOptions,
  Notice,
  OpenClientOptions,
} from "./types.ts";
export { clientCatalogue } from "./catalogue.ts";
export { accountProgress, createAccount } from "./create-account.ts";
export { linkAccount } from "./linking/link-account.ts";
export { openClient } from "./open-client.ts";
