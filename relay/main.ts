import { readFileSync } from "node:fs";
import { ensureAppError, errorText } from "#protocol";
import { createSystemClock } from "./clock.ts";
import { readCommandLine, relayAddress, usage } from "./command-line.ts";
import type { TlsCredentials } from "./link/server.ts";
import { createLineLog } from "./log.ts";
import { systemRandom } from "./primitives.ts";
import { startRelay } from "./relay.ts";
import { openLmdbStorage } from "./storage/lmdb.ts";

// The relay as a program of its own: npm run relay -- --directory DIR

const command = readCommandLine(process.argv.slice(2));
switch (command.kind) {
  case "help":
    console.log(usage);
    break;
  case "refused":
    console.error(`${command.reason}.\n\n${usage}`);
    process.exitCode = 2;
    break;
  case "run":
    await run(command).catch((error: unknown) => {
      const failure = ensureAppError(error);
      const reason = failure.data["reason"];
      console.error(errorText(failure.code), reason === undefined ? "" : `(${String(reason)})`);
      if (failure.cause instanceof Error) console.error(failure.cause.message);
      process.exitCode = 1;
    });
}

async function run(options: Extract<typeof command, { readonly kind: "run" }>): Promise<void> {
  const { directory, host, port } = options;
  const clock = createSystemClock();
  // Lines for machines on standard error, what a person needs on standard output.
  const log = createLineLog(
    (line) => process.stderr.write(line),
    () => clock.nowMs(),
  );
  const tls: TlsCredentials | null =
    options.tls === null
      ? null
      : {
          certificate: readFileSync(options.tls.certificatePath),
          key: readFileSync(options.tls.keyPath),
        };
  const storage = openLmdbStorage(directory);
  const listen = { host, port, tls };
  const relay = await startRelay({ storage, clock, random: systemRandom, log, listen });

  console.log(`address: ${relayAddress({ host, port: relay.port, tls: tls !== null })}`);
  const claimCode = await relay.claimCode();
  if (claimCode !== null) console.log(`claim code: ${claimCode}`);

  const stop = (): void => {
    log.info("stopping");
    relay.stop().catch((error: unknown) => {
      log.error("stop-failed", error);
      process.exitCode = 1;
    });
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
