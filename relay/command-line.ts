import { parseArgs } from "node:util";

/** What `npm run relay` was asked to do. */
export type CommandLine =
  | {
      readonly kind: "run";
      readonly directory: string;
      readonly host: string;
      /** TCP port; 0 takes the one used last time, or a free one at first. */
      readonly port: number;
      /** Paths of PEM files; null: without TLS. */
      readonly tls: { readonly certificatePath: string; readonly keyPath: string } | null;
    }
  | { readonly kind: "help" }
  /** Words for the person who typed it. */
  | { readonly kind: "refused"; readonly reason: string };

/** What the command can do. */
export const usage = `Sotto relay

  npm run relay -- --directory DIR [--host 127.0.0.1] [--port 0]
                   [--tls-cert FILE --tls-key FILE | --behind-proxy]

  --directory     where the relay keeps everything; made when it isn't there
  --host          address to listen on (default 127.0.0.1: this computer only)
  --port          TCP port; 0 (default) takes the one used last time, or a free one at first
  --tls-cert      PEM file with the certificate chain
  --tls-key       PEM file with its private key
  --behind-proxy  listen without TLS on an address that others reach, because a reverse proxy
                  in front of it does TLS
`;

/** Reads the arguments of `relay/main.ts`. */
export function readCommandLine(args: readonly string[]): CommandLine {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        directory: { type: "string" },
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "0" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        "behind-proxy": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return refused(error instanceof Error ? error.message : "the arguments can't be read");
  }
  if (values.help) return { kind: "help" };
  const { directory, host, "tls-cert": certificatePath, "tls-key": keyPath } = values;
  if (directory === undefined || directory === "") {
    return refused("--directory is missing: say where the relay shall keep its data");
  }
  const port = /^\d{1,5}$/u.test(values.port) ? Number(values.port) : Infinity;
  if (port > 65_535) return refused("--port is a number from 0 to 65535");
  if ((certificatePath === undefined) !== (keyPath === undefined)) {
    return refused("--tls-cert and --tls-key belong together");
  }
  const tls =
    certificatePath === undefined || keyPath === undefined ? null : { certificatePath, keyPath };
  if (tls === null && !values["behind-proxy"] && !isLoopback(host)) {
    return refused(
      `${host} can be reached from other computers, and without TLS anybody on the way sees who talks to whom. ` +
        "Give --tls-cert and --tls-key, or --behind-proxy when a reverse proxy does TLS",
    );
  }
  return { kind: "run", directory, host, port, tls };
}

/** The address that a relay prints: what a client takes, without a path. */
export function relayAddress(options: {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}): string {
  const { host, port, tls } = options;
  return `${tls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

function refused(reason: string): CommandLine {
  return { kind: "refused", reason };
}
