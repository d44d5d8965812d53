import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { vectorsFolder } from "../support/vectors.ts";

/*
 * Every file of vectors is read by a test of this folder, whole. Those of MLS are all to pass, each in a test of its own or, where they have no suite,
 * in one test of all; those of Wycheproof are counted by outcome in their own test. `mimi-content.test.ts` counts its own.
 */

/** How many vectors a file has for each suite of RFC 9420 §17.1 that it knows: 1 to 7, which are all ours. Tree operations are the same in every suite. */
const mlsPerSuite: Readonly<Record<string, number>> = {
  "mls/crypto-basics.json": 1,
  "mls/key-schedule.json": 1,
  "mls/message-protection.json": 1,
  "mls/passive-client-handling-commit.json": 13,
  "mls/passive-client-welcome.json": 8,
  "mls/psk_secret.json": 11,
  "mls/secret-tree.json": 3,
  "mls/transcript-hashes.json": 1,
  "mls/tree-validation.json": 14,
  "mls/welcome.json": 1,
};
/** How many vectors the others have. */
const mlsWithoutSuite: Readonly<Record<string, number>> = {
  "mls/deserialization.json": 14,
  "mls/messages.json": 300,
  "mls/tree-math.json": 10,
  "mls/tree-operations.json": 5,
};
const wycheproof: Readonly<Record<string, number>> = {
  "wycheproof/chacha20_poly1305_test.json": 325,
  "wycheproof/ed25519_test.json": 151,
  "wycheproof/hkdf_sha256_test.json": 86,
  "wycheproof/hkdf_sha512_test.json": 83,
  "wycheproof/hmac_sha256_test.json": 174,
  "wycheproof/x25519_test.json": 518,
};

const read = (path: string): unknown => JSON.parse(readFileSync(join(vectorsFolder, path), "utf8"));

/** The files that the tests of this folder name. */
function named(): ReadonlySet<string> {
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts") && path !== "inventory.test.ts")
    .map((path) => readFileSync(join(import.meta.dirname, path), "utf8"));
  const names = tests.flatMap((text) => [...text.matchAll(/"((?:mls|wycheproof)\/[^"]+)"/gu)]);
  return new Set(names.map(([, name = ""]) => name));
}

describe.skipIf(!existsSync(vectorsFolder))("the vectors", () => {
  test("are each read by a test, and no test names one that isn't there", () => {
    const folders = readdirSync(vectorsFolder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.toSorted()).toEqual(["mimi-content", "mls", "wycheproof"]);
    const files = ["mls", "wycheproof"].flatMap((folder) =>
      readdirSync(join(vectorsFolder, folder)).map((name) => `${folder}/${name}`),
    );
    expect([...named()].toSorted()).toEqual(files.toSorted());
    const counted = [mlsPerSuite, mlsWithoutSuite, wycheproof].flatMap((table) =>
      Object.keys(table),
    );
    expect(counted.toSorted()).toEqual(files.toSorted());
  });

  test.each(Object.entries(mlsPerSuite))("%s has %i for each of seven suites", (path, count) => {
    const suites = (read(path) as readonly { readonly cipher_suite: number }[]).map(
      (vector) => vector.cipher_suite,
    );
    const expected = [1, 2, 3, 4, 5, 6, 7].flatMap((suite) => new Array<number>(count).fill(suite));
    expect(suites.toSorted((left, right) => left - right)).toEqual(expected);
  });

  test.each(Object.entries(mlsWithoutSuite))("%s has %i", (path, count) => {
    expect(read(path)).toHaveLength(count);
  });

  test.each(Object.entries(wycheproof))("%s has %i", (path, count) => {
    const file = read(path) as {
      readonly numberOfTests: number;
      readonly testGroups: readonly { readonly tests: readonly unknown[] }[];
    };
    expect(file.numberOfTests).toBe(count);
    expect(file.testGroups.flatMap(({ tests }) => tests)).toHaveLength(count);
  });
});
