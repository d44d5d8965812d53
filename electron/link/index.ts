export { linkUrl, openConnection, type Connection } from "./connection.ts";
export {
  startLink,
  type Link,
  type LinkIdentity,
  type LinkListener,
  type LinkOptions,
} from "./link.ts";
export type { Clock, Connect, Random, RelaySocket, SocketListener, SocketTarget } from "./ports.ts";
export type { RelayEventMessage } from "./relay-event.ts";
export { connectWithWs } from "./ws-connect.ts";
