export type { Clock, Connect, Random, RelaySocket, SocketListener, SocketTarget } from "./ports.ts";
