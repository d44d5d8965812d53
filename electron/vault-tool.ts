import { ensureAppError, errorText } from "#protocol";
import { surveyVault } from "./vault/survey.ts";
import { surveyText } from "./vault/survey-text.ts";

// For support: npm run vault -- inspect DIRECTORY

const usage = `Usage: npm run vault -- inspect DIRECTORY [--json]

Tells what a vault's directory holds as far as that can be seen without a key: its
files, generations, frames, and the facts of its key slots. Never content; nothing
is changed, and Sotto may be running.

DIRECTORY is the folder with the file "keyring" in it.`;

const [command, directory, ...options] = process.argv.slice(2);
const isJson = options.includes("--json");

if (command === undefined || command === "help" || command === "--help") {
  print(process.stdout, usage);
} else if (command !== "inspect") {
  refuse(`There is no command "${command}".`);
} else if (directory === undefined || directory.startsWith("--")) {
  refuse("Which directory?");
} else if (options.some((option) => option !== "--json")) {
  refuse("One directory, and --json if you like.");
} else {
  await inspect(directory);
}

async function inspect(path: string): Promise<void> {
  try {
    const survey = await surveyVault(path);
    print(
      process.stdout,
      isJson ? JSON.stringify(survey, bytesAsHex, 2) : surveyText(survey).join("\n"),
    );
    if (survey.keyring.kind !== "readable") process.exitCode = 1;
  } catch (cause) {
    const error = ensureAppError(cause);
    const reason = error.data["reason"];
    print(
      process.stderr,
      `${path}: ${errorText(error.code)}${reason === undefined ? "" : ` (${String(reason)})`}`,
    );
    process.exitCode = 1;
  }
}

function bytesAsHex(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

function refuse(reason: string): void {
  print(process.stderr, `${reason}\n\n${usage}`);
  process.exitCode = 2;
}

function print(stream: NodeJS.WriteStream, words: string): void {
  stream.write(`${words}\n`);
}
