import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { icns, ico } from "../../../build/lib/icon-files.ts";

const folder = join(import.meta.dirname, "../../../build/icons");
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

/** Pictures of an .ico: side in pixels, and the file inside. */
function readIco(file: Buffer): [number, Buffer][] {
  return Array.from({ length: file.readUInt16LE(4) }, (_, index) => {
    const at = 6 + 16 * index;
    const start = file.readUInt32LE(at + 12);
    const side = file.readUInt8(at) === 0 ? 256 : file.readUInt8(at);
    return [side, file.subarray(start, start + file.readUInt32LE(at + 8))];
  });
}

/** Parts of an .icns: type and file inside. */
function readIcns(file: Buffer): [string, Buffer][] {
  const parts: [string, Buffer][] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at + 4)) {
    const type = file.toString("latin1", at, at + 4);
    parts.push([type, file.subarray(at + 8, at + file.readUInt32BE(at + 4))]);
  }
  return parts;
}

describe("icon files", () => {
  const pictures = new Map([16, 256, 512].map((size) => [size, Buffer.from(`picture ${size}`)]));

  test("hold each picture whole", () => {
    expect(readIco(ico(pictures))).toEqual([
      [16, pictures.get(16)],
      [256, pictures.get(256)],
    ]);
    expect(readIcns(icns(pictures))).toContainEqual(["ic09", pictures.get(512)]);
  });

  test("state their own length", () => {
    const file = icns(pictures);
    expect(file.toString("latin1", 0, 4)).toBe("icns");
    expect(file.readUInt32BE(4)).toBe(file.length);
  });

  test("in the repository hold pictures of the sizes they state", () => {
    for (const [side, picture] of readIco(readFileSync(join(folder, "icon.ico")))) {
      expect(picture.subarray(0, 4)).toEqual(pngSignature);
      expect(picture.readUInt32BE(16)).toBe(side);
    }
    const parts = readIcns(readFileSync(join(folder, "icon.icns")));
    expect(parts.map(([type]) => type)).toContain("ic10");
    for (const [, picture] of parts) expect(picture.subarray(0, 4)).toEqual(pngSignature);
  });
});
