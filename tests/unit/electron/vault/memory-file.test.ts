import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../../electron/vault/database.ts";
import { MemoryFile, type FileImage } from "../../../../electron/vault/memory-file.ts";

const piece = 64 * 1024;

function contentOf(source: MemoryFile | FileImage): Buffer {
  const content = Buffer.alloc(source.sizeBytes);
  if (source instanceof MemoryFile) source.read(content, 0, content.length, 0);
  else source.read(0, content);
  return content;
}

describe("a file in memory", () => {
  const positions = fc.oneof(fc.nat(4 * piece), fc.constantFrom(0, piece - 1, piece, 2 * piece));
  const steps = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      at: positions,
      length: fc.oneof(fc.nat(100), fc.nat(2 * piece)),
      value: fc.integer({ min: 1, max: 255 }),
    }),
    fc.record({ kind: fc.constant("truncate" as const), at: positions }),
    fc.record({ kind: fc.constant("adopt" as const), length: fc.nat(2 * piece + 5) }),
    fc.constant({ kind: "image" as const }),
    fc.constant({ kind: "release" as const }),
  );

  test("is what an array would be, and its images stay as they were", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 30 }), (script) => {
        const file = new MemoryFile();
        let expected = Buffer.alloc(0);
        let images: { readonly image: FileImage; readonly expected: Buffer }[] = [];
        const resized = (size: number) =>
          Buffer.concat([expected, Buffer.alloc(Math.max(0, size - expected.length))]).subarray(
            0,
            size,
          );
        for (const step of script) {
          switch (step.kind) {
            case "write": {
              // As a window into something larger, in signed bytes, as WebAssembly gives it.
              const source = new Int8Array(step.length + 7).fill(step.value);
              file.write(source, 3, step.length, step.at);
              expected = Buffer.from(resized(Math.max(expected.length, step.at + step.length)));
              expected.fill(step.value, step.at, step.at + step.length);
              break;
            }
            case "truncate":
              file.truncate(step.at);
              expected = Buffer.from(resized(step.at));
              break;
            case "adopt":
              file.adopt(new Uint8Array(step.length).fill(9));
              expected = Buffer.concat([expected, Buffer.alloc(step.length, 9)]);
              break;
            case "image":
              images.push({ image: file.image(), expected });
              break;
            case "release":
              for (const { image } of images) image.release();
              images = [];
          }
          expect(file.sizeBytes).toBe(expected.length);
          expect(contentOf(file).equals(expected)).toBe(true);
          for (const { image, expected: then } of images) {
            expect(contentOf(image).equals(then)).toBe(true);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("gives what there is when more is asked for", () => {
    const file = new MemoryFile();
    file.write(Uint8Array.of(1, 2, 3), 0, 3, 0);
    const target = new Uint8Array(4);
    expect(file.read(target, 1, 3, 1)).toBe(2);
    expect(target).toEqual(Uint8Array.of(0, 2, 3, 0));
    expect(file.read(target, 0, 4, 3)).toBe(0);
    expect(file.read(target, 0, 4, 99)).toBe(0);
  });

  test("overwrites the pieces that are cut off, unless an image needs them", () => {
    const file = new MemoryFile();
    const content = new Uint8Array(3 * piece).fill(7);
    file.adopt(content);
    file.truncate(2 * piece);
    expect(content.subarray(2 * piece)).toEqual(new Uint8Array(piece));
    const image = file.image();
    file.truncate(0);
    expect(contentOf(image).every((byte) => byte === 7)).toBe(true);
  });

  test("holds nothing once it was wiped", () => {
    const file = new MemoryFile();
    const content = new Uint8Array(piece).fill(7);
    file.adopt(content);
    file.wipe();
    expect(file.sizeBytes).toBe(0);
    expect(content.every((byte) => byte === 0)).toBe(true);
  });
});

/** Each part of patches/sql.js was seen to be needed here. */
describe("sql.js", () => {
  test("keeps a database in it: what is committed is in the file, and an image opens again", async () => {
    const database = await openDatabase(null, {});
    database.migrate(["CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB) STRICT"]);
    const insert = { sql: "INSERT INTO t (body) VALUES (?1)", params: [new Uint8Array(3_000)] };
    database.begin();
    for (let count = 0; count < 100; count++) database.run(insert);
    database.commit();
    const image = database.image();
    expect(contentOf(image).subarray(0, 15).toString()).toBe("SQLite format 3");

    // What comes later is not in it: not even what spills over in the middle of a transaction, and the end of which is cut off again.
    database.begin();
    for (let count = 0; count < 2_000; count++) database.run(insert);
    database.rollBack();
    database.begin();
    database.run({ sql: "DELETE FROM t WHERE n <= 50", params: [] });
    database.commit();
    expect(database.query("SELECT count(*) AS n FROM t", [])).toEqual([{ n: 50 }]);
    expect(database.query("PRAGMA integrity_check", [])).toEqual([{ integrity_check: "ok" }]);

    const file = new MemoryFile();
    file.adopt(contentOf(image));
    image.release();
    const copy = await openDatabase(file, {});
    expect(copy.query("SELECT count(*) AS n FROM t", [])).toEqual([{ n: 100 }]);
    expect(copy.query("PRAGMA integrity_check", [])).toEqual([{ integrity_check: "ok" }]);
    copy.close();
    database.close();
    expect(file.sizeBytes).toBe(0);
  });
});
