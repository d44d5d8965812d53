import { spawn } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLmdbStorage } from "../../../../relay/storage/lmdb.ts";
import type { StorageKey } from "../../../../relay/storage/port.ts";
import { temporaryDirectory } from "../../../support/relay-fixture.ts";
import { describeStorage } from "../storage-conformance.ts";

const key = (text: string): StorageKey => text as StorageKey;

describeStorage("LMDB", () => {
  const directory = temporaryDirectory();
  return Promise.resolve({
    open: () => Promise.resolve(openLmdbStorage(directory)),
    dispose: () => {
      rmSync(directory, { recursive: true });
      return Promise.resolve();
    },
  });
});

describe("LMDB storage", () => {
  test("makes its folder for its owner only, dots in the name or not", async () => {
    const parent = temporaryDirectory();
    const directory = join(parent, "deep", "relay.data");
    const storage = openLmdbStorage(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "data.mdb")).isFile()).toBe(true);
    await storage.close();
    rmSync(parent, { recursive: true });
  });

  test("says that its folder can't be used", () => {
    const parent = temporaryDirectory();
    const file = join(parent, "file");
    writeFileSync(file, "");
    expect(() => openLmdbStorage(file)).toThrow(
      expect.objectContaining({ code: "relay-start-failed", data: { reason: "folder" } }),
    );
    rmSync(parent, { recursive: true });
  });

  test("refuses a damaged file with words, where the library would end the process", async () => {
    const directory = temporaryDirectory();
    const storage = openLmdbStorage(directory);
    await storage.commit({ checks: [], writes: [{ key: key("a"), value: new Uint8Array(5000) }] });
    await storage.close();
    const file = join(directory, "data.mdb");
    const good = readFileSync(file);
    const damaged = {
      overwritten: Buffer.alloc(good.length, 7),
      zeroed: Buffer.alloc(good.length),
      "without its first page": Buffer.from(good).fill(9, 0, 4096),
      "without its second page": Buffer.from(good).fill(9, 4096, 8192),
      empty: Buffer.alloc(0),
      "cut in its first page": good.subarray(0, 100),
      "cut behind the first pages": good.subarray(0, 8192),
    };
    for (const [how, bytes] of Object.entries(damaged)) {
      writeFileSync(file, bytes);
      expect(() => openLmdbStorage(directory), how).toThrow(
        expect.objectContaining({ code: "relay-start-failed", data: { reason: "folder-damaged" } }),
      );
      expect(readFileSync(file), `${how}: left as it is`).toEqual(bytes);
    }
    writeFileSync(file, good);
    const again = openLmdbStorage(directory);
    expect((await again.read([key("a")]))[0]?.bytes.length).toBe(5000);
    await again.close();
    rmSync(directory, { recursive: true });
  });

  test("refuses a folder that another process uses, and takes it when that process is killed", async () => {
    const directory = temporaryDirectory();
    const other = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { openLmdbStorage } from ${JSON.stringify(join(import.meta.dirname, "../../../../relay/storage/lmdb.ts"))};
       const storage = openLmdbStorage(${JSON.stringify(directory)});
       await storage.commit({ checks: [], writes: [{ key: "a", value: new Uint8Array([1]) }] });
       console.log("open");
       setInterval(() => undefined, 1000);`,
    ]);
    await once(other.stdout, "data");
    expect(() => openLmdbStorage(directory)).toThrow(
      expect.objectContaining({ code: "relay-start-failed", data: { reason: "folder-in-use" } }),
    );
    other.kill("SIGKILL");
    await once(other, "exit");
    const storage = openLmdbStorage(directory);
    expect((await storage.read([key("a")]))[0]?.bytes).toEqual(Buffer.from([1]));
    await storage.close();
    rmSync(directory, { recursive: true });
  });

  test("uses the space of removed values again", async () => {
    const directory = temporaryDirectory();
    const storage = openLmdbStorage(directory);
    const size = (): number => statSync(join(directory, "data.mdb")).size;
    const round = async (): Promise<void> => {
      const keys = Array.from({ length: 20 }, (_, index) => key(`v.${String(index)}`));
      const value = new Uint8Array(50_000);
      await storage.commit({ checks: [], writes: keys.map((each) => ({ key: each, value })) });
      await storage.commit({
        checks: [],
        writes: keys.map((each) => ({ key: each, value: null })),
      });
    };
    for (let index = 0; index < 5; index += 1) await round();
    const before = size();
    for (let index = 0; index < 50; index += 1) await round();
    expect(size()).toBeLessThanOrEqual(before * 1.5);
    await storage.close();
    rmSync(directory, { recursive: true });
  });
});
