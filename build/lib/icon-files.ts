/*
 * The two files that hold one icon in many sizes. Both systems take PNG pictures inside them, so writing the frame around is all there is
 * to do, and electron-builder needs none of the helpers it would fetch for the conversion.
 */

/** Windows' icon file: a directory of pictures, none above 256 pixels. @param pictures - PNG files by side length in pixels. */
export function ico(pictures: ReadonlyMap<number, Buffer>): Buffer {
  const entries = [...pictures].filter(([size]) => size <= 256);
  const head = Buffer.alloc(6 + 16 * entries.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(entries.length, 4);
  let offset = head.length;
  for (const [index, [size, picture]] of entries.entries()) {
    const at = 6 + 16 * index;
    // One byte for a side: 0 stands for 256.
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(picture.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += picture.length;
  }
  return Buffer.concat([head, ...entries.map(([, picture]) => picture)]);
}

/** Types of macOS' icon file for PNG pictures: one per side in pixels, and those shown at double density. */
const icnsTypes: readonly (readonly [string, number])[] = [
  ["icp4", 16],
  ["icp5", 32],
  ["icp6", 64],
  ["ic07", 128],
  ["ic08", 256],
  ["ic09", 512],
  ["ic10", 1024],
  ["ic11", 32],
  ["ic12", 64],
  ["ic13", 256],
  ["ic14", 512],
];

/** macOS' icon file. @param pictures - PNG files by side length in pixels. */
export function icns(pictures: ReadonlyMap<number, Buffer>): Buffer {
  const parts = icnsTypes.flatMap(([type, size]) => {
    const picture = pictures.get(size);
    return picture === undefined ? [] : [part(type, picture)];
  });
  return part("icns", Buffer.concat(parts));
}

function part(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, "latin1");
  head.writeUInt32BE(8 + body.length, 4);
  return Buffer.concat([head, body]);
}
