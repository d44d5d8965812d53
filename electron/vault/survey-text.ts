import { toHex } from "#protocol";
import type { GenerationSurvey, PartsSurvey, VaultSurvey } from "./survey.ts";
import type { SlotFacts } from "./types.ts";

/** A survey in words, a line each. */
export function surveyText(survey: VaultSurvey): readonly string[] {
  return [
    `directory     ${survey.directory}`,
    ...keyringLines(survey),
    ...survey.generations.flatMap(generationLines),
    ...survey.otherFiles.map(({ name, bytes }) => `other         ${name}, ${sizeText(bytes)}`),
    ...(survey.isInUse
      ? ["lock          there is one: Sotto is running, or was ended by force"]
      : []),
  ];
}

function keyringLines({ keyring }: VaultSurvey): readonly string[] {
  switch (keyring.kind) {
    case "none":
      return ["keyring       none: there is no vault here"];
    case "unreadable":
      return [`keyring       can't be read: ${keyring.code}`];
    case "readable":
      return [
        `vault         ${keyring.vaultId}`,
        `keyring       ${sizeText(keyring.bytes)}, revision ${keyring.revision}`,
        ...keyring.slots.map((slot) => `slot          ${slotText(slot)}`),
        `keys, buckets ${sizeText(keyring.sealedBytes)}, sealed: how many they are, only the open vault can tell`,
      ];
  }
}

function slotText(slot: SlotFacts): string {
  switch (slot.kind) {
    case "keychain": {
      const { account, application, backend, path, user } = slot;
      return `keychain: ${backend}, entries ${account}/0 and /1, made by ${application} for the user ${user} in ${path}`;
    }
    case "passphrase": {
      const memory = Math.round(slot.memoryBytes / (1024 * 1024));
      return `passphrase: of ${dateText(slot.createdAtMs)}, Argon2id with ${slot.passes} passes over ${memory} MiB`;
    }
    case "recovery-code":
      return `recovery code: of ${dateText(slot.createdAtMs)}`;
    case "organisation":
      return `organisation: of ${dateText(slot.createdAtMs)}, public key ${toHex(slot.publicKey.subarray(0, 8))}…`;
  }
}

function generationLines({ generation, isPresent, snapshot, log }: GenerationSurvey) {
  return [
    `generation    ${generation}, ${isPresent ? "the present one" : "left over or not finished"}`,
    `  snapshot    ${snapshot === null ? "missing" : partsText(snapshot, "chunks")}`,
    `  log         ${log === null ? "missing" : partsText(log, "frames")}`,
  ];
}

function partsText(file: PartsSurvey, unit: "frames" | "chunks"): string {
  const { header, longestBytes, partBytes, parts, rest } = file;
  const parted = `${parts} ${unit} of ${sizeText(partBytes)} together, the longest ${sizeText(longestBytes)}`;
  const behind = rest.bytes === 0 ? "" : `; behind them ${sizeText(rest.bytes)}`;
  const kind = rest.bytes === 0 ? "" : rest.isZero ? ", all zero" : ", not zero";
  return `${file.name}, ${sizeText(file.bytes)}, header ${header}, ${parted}${behind}${kind}`;
}

function sizeText(bytes: number | null): string {
  return bytes === null ? "not readable as a file" : `${bytes.toLocaleString("en")} bytes`;
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}
