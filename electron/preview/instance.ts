import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { toBase64url } from "#protocol";
import * as v from "valibot";

/** What a second start says to the first, and what it hears. */
export interface SecondStart {
  /** The link it was started with. */
  readonly link: string | null;
}

/** Whether this process is the first with its profile. */
export type Instance =
  | {
      readonly kind: "first";
      /** From now on a second start is told this address. */
      announce(address: string): void;
      release(): Promise<void>;
    }
  /** The first one has been told of our start. @see address - of its preview; null while it is starting */
  | { readonly kind: "second"; readonly address: string | null };

/** Where the socket may lie. */
export interface InstancePlace {
  readonly platform: "darwin" | "win32" | "linux";
  /** The profile's directory. */
  readonly directory: string;
  /** For sockets whose own path would be too long. */
  readonly temporaryDirectory: string;
}

/** Source: unix(7): 108 bytes with the final zero on Linux, 104 on macOS. */
const maxSocketPathBytes = 100;
const maxMessageLength = 8192;
const answerTimeoutMs = 5_000;

const startSchema: v.GenericSchema<unknown, SecondStart> = v.strictObject({
  link: v.nullable(v.pipe(v.string(), v.maxLength(4096))),
});
const answerSchema = v.strictObject({ address: v.nullable(v.string()) });

/**
 * Makes this process the one of its profile, or hands its start over to the one that is there.
 * What protects the vault is the vault's own lock; this is so that a second start shows the first one's window instead of an error.
 *
 * @param onSecond - called at each later start
 */
export async function claimInstance(
  place: InstancePlace,
  start: SecondStart,
  onSecond: (start: SecondStart) => void,
): Promise<Instance> {
  const path = await socketPath(place);
  let address: string | null = null;
  const serve = (socket: Socket): void => {
    void receive(socket).then((text) => {
      const parsed = v.safeParse(startSchema, parseJson(text));
      if (parsed.success) onSecond(parsed.output);
      if (parsed.success) socket.write(`${JSON.stringify({ address })}\n`);
      socket.end();
    });
  };
  // A socket without a process behind it is what a crash leaves: removed once, then it is ours or another's that was faster.
  for (let attempt = 0; ; attempt++) {
    const server = await bind(path, serve);
    if (server !== null) {
      return {
        kind: "first",
        announce: (announced) => {
          address = announced;
        },
        release: () => release(server),
      };
    }
    const answer = await handOver(path, start);
    if (answer.kind === "answer") return { kind: "second", address: answer.address };
    // One that is there but says nothing is busy, and still the first.
    if (answer.kind === "silence" || attempt >= 2) return { kind: "second", address: null };
    if (attempt === 0 && place.platform !== "win32") await rm(path, { force: true });
  }
}

/** The socket in the profile's directory, which only its person can enter; a pipe on Windows. */
async function socketPath({
  platform,
  directory,
  temporaryDirectory,
}: InstancePlace): Promise<string> {
  if (platform === "win32") return `\\\\.\\pipe\\sotto-${nameOf(directory)}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "instance.sock");
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
  const owner = process.getuid?.() ?? 0;
  const shared = join(temporaryDirectory, `sotto-${owner}`);
  await mkdir(shared, { recursive: true, mode: 0o700 });
  const { uid, mode } = await lstat(shared);
  // Somebody else's folder of this name would hear the links of our starts.
  if (uid !== owner || (mode & 0o077) !== 0) throw new Error(`${shared} is not ours alone`);
  return join(shared, `${nameOf(directory)}.sock`);
}

/** A short name for a path: 64 bits of FNV-1a. Two profiles that meet in it would share an instance, nothing else. */
function nameOf(path: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(path)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, hash);
  return toBase64url(bytes);
}

function bind(path: string, serve: (socket: Socket) => void): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer(serve);
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    });
    server.listen(path, () => {
      server.unref();
      if (process.platform === "win32") resolve(server);
      else {
        chmod(path, 0o600).then(() => {
          resolve(server);
        }, reject);
      }
    });
  });
}

type HandOver =
  | { readonly kind: "answer"; readonly address: string | null }
  | { readonly kind: "silence" }
  | { readonly kind: "nobody" };

async function handOver(path: string, start: SecondStart): Promise<HandOver> {
  const socket = createConnection(path);
  const errors: (string | undefined)[] = [];
  socket.on("error", ({ code }: NodeJS.ErrnoException) => errors.push(code));
  socket.setTimeout(answerTimeoutMs, () => socket.destroy());
  socket.write(`${JSON.stringify(start)}\n`);
  const parsed = v.safeParse(answerSchema, parseJson(await receive(socket)));
  socket.destroy();
  if (parsed.success) return { kind: "answer", address: parsed.output.address };
  const isRefused = errors.some((code) => code === "ECONNREFUSED" || code === "ENOENT");
  return { kind: isRefused ? "nobody" : "silence" };
}

/** One line, or what came before the end. */
function receive(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => undefined);
    socket.on("data", (part: string) => {
      text += part;
      if (text.includes("\n") || text.length > maxMessageLength) resolve(text);
      if (text.length > maxMessageLength) socket.destroy();
    });
    socket.on("close", () => {
      resolve(text);
    });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Closing a server removes its socket's file. */
function release(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
