import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A running gnome-keyring on a D-Bus session of its own, and the environment in which programs find it. */
export interface PrivateKeyring {
  readonly environment: Readonly<Record<string, string>>;
  stop(): void;
}

const dbusDaemon = "/usr/bin/dbus-daemon";
const keyringDaemon = "/usr/bin/gnome-keyring-daemon";

/** Whether this machine has what {@link startPrivateKeyring} needs. */
export function hasPrivateKeyring(): boolean {
  return existsSync(dbusDaemon) && existsSync(keyringDaemon);
}

/** A keyring under an empty password: gnome-keyring writes it in clear. */
const unprotectedKeyring = `[keyring]
display-name=Default
ctime=0
mtime=0
lock-on-idle=false
lock-after=false
`;

/**
 * Starts a real, unlocked keyring that nothing else on this machine can see.
 *
 * @param kind - `unprotected`: one without a password
 * @throws Error when D-Bus or gnome-keyring is missing or doesn't come up
 */
export async function startPrivateKeyring(
  kind: "protected" | "unprotected" = "protected",
): Promise<PrivateKeyring> {
  const directory = mkdtempSync(join(tmpdir(), "sotto-keyring-"));
  const runtimeDirectory = join(directory, "run");
  mkdirSync(runtimeDirectory, { mode: 0o700 });
  if (kind === "unprotected") {
    const keyrings = join(directory, ".local", "share", "keyrings");
    mkdirSync(keyrings, { recursive: true });
    writeFileSync(join(keyrings, "Default.keyring"), unprotectedKeyring);
    writeFileSync(join(keyrings, "default"), "Default");
  }
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    XDG_RUNTIME_DIR: runtimeDirectory,
  };

  const bus = spawn(dbusDaemon, ["--session", "--nofork", "--print-address=1"], {
    env: base,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const address = (await firstLine(bus)).trim();
  const environment = { ...base, DBUS_SESSION_BUS_ADDRESS: address };

  const keyring = spawn(
    keyringDaemon,
    ["--foreground", "--components=secrets", ...(kind === "protected" ? ["--unlock"] : [])],
    {
      env: environment,
      stdio: ["pipe", "ignore", "ignore"],
    },
  );
  keyring.stdin.end("a password for tests only");
  await untilSecretServiceAnswers(environment, kind);

  return {
    environment: {
      DBUS_SESSION_BUS_ADDRESS: address,
      XDG_RUNTIME_DIR: runtimeDirectory,
      XDG_DATA_HOME: join(directory, ".local", "share"),
    },
    stop() {
      keyring.kill("SIGKILL");
      bus.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** On the bus under its name, the daemon may still be opening the keyring: until that is done it refuses. */
async function untilSecretServiceAnswers(
  environment: NodeJS.ProcessEnv,
  kind: "protected" | "unprotected",
): Promise<void> {
  const ask = (...words: readonly string[]): string =>
    spawnSync("/usr/bin/dbus-send", ["--session", "--print-reply", ...words], {
      env: environment,
      encoding: "utf8",
    }).stdout;
  const service = "--dest=org.freedesktop.secrets";
  // Asked before it is there, the bus would start another one.
  const isThere = (): boolean =>
    ask(
      "--dest=org.freedesktop.DBus",
      "/org/freedesktop/DBus",
      "org.freedesktop.DBus.NameHasOwner",
      "string:org.freedesktop.secrets",
    ).includes("boolean true");
  const isOpen = (): boolean => {
    const alias = ask(
      service,
      "/org/freedesktop/secrets",
      "org.freedesktop.Secret.Service.ReadAlias",
      "string:default",
    );
    const path = /object path "(\/.+)"/u.exec(alias)?.[1];
    return (
      path !== undefined &&
      ask(
        service,
        path,
        "org.freedesktop.DBus.Properties.Get",
        "string:org.freedesktop.Secret.Collection",
        "string:Locked",
      ).includes("boolean false")
    );
  };
  for (let attempt = 0; attempt < 100; attempt++) {
    // One without a password is opened when it is used.
    if (isThere() && (kind === "unprotected" || isOpen())) return;
    await sleep(100);
  }
  throw new Error("gnome-keyring did not open its keyring on its private bus");
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output to read");
  const gone = once(child, "exit").then(() => {
    throw new Error(`${child.spawnfile} ended before it was ready`);
  });
  const [chunk] = (await Promise.race([once(child.stdout, "data"), gone])) as [Buffer];
  gone.catch(() => undefined);
  return chunk.toString().split("\n")[0] ?? "";
}
