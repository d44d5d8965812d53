/*
 * The file behind the database in memory. sql.js keeps a file as one array, which it copies whole each time it has grown by an eighth and
 * each time somebody wants its content: a tenth of a second for a vault of 100,000 messages. This one is made of pieces: it grows without
 * being copied, and an image of it costs nothing until a piece is written that the image still needs.
 */

/** How the file is divided, bytes; a multiple of SQLite's page. */
const pieceBytes = 64 * 1024;

/** A file's content as it was at one moment, whatever is written meanwhile. */
export interface FileImage {
  readonly sizeBytes: number;
  /** Fills `target` with what begins at `position`, all of which must lie in the file. */
  read(position: number, target: Uint8Array): void;
  /** It is not needed any more. */
  release(): void;
}

/** A file in memory. Its methods are what `patches/sql.js` calls in place of its own array. */
export class MemoryFile {
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;
  /** For each image in use the pieces that it shares with the file. */
  readonly #images = new Set<ReadonlySet<Uint8Array>>();

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends bytes that nobody else holds: where they fill whole pieces they become the file's own without being copied. */
  adopt(bytes: Uint8Array): void {
    let taken = 0;
    while (this.#sizeBytes % pieceBytes === 0 && bytes.length - taken >= pieceBytes) {
      this.#pieces.push(bytes.subarray(taken, taken + pieceBytes));
      this.#sizeBytes += pieceBytes;
      taken += pieceBytes;
    }
    this.write(bytes, taken, bytes.length - taken, this.#sizeBytes);
  }

  /** Reads into `target` from `offset` on. @returns how many bytes there were */
  read(target: ArrayBufferView, offset: number, lengthBytes: number, position: number): number {
    const sizeBytes = Math.max(0, Math.min(lengthBytes, this.#sizeBytes - position));
    copyOut(this.#pieces, position, window(target, offset, sizeBytes));
    return sizeBytes;
  }

  /** Writes `source` from `offset` on. @returns `lengthBytes` */
  write(source: ArrayBufferView, offset: number, lengthBytes: number, position: number): number {
    const bytes = window(source, offset, lengthBytes);
    const end = position + lengthBytes;
    while (this.#pieces.length * pieceBytes < end) this.#pieces.push(new Uint8Array(pieceBytes));
    for (let done = 0; done < lengthBytes;) {
      const index = Math.floor((position + done) / pieceBytes);
      const from = (position + done) % pieceBytes;
      const part = bytes.subarray(done, done + pieceBytes - from);
      this.#ownPiece(index).set(part, from);
      done += part.length;
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
    return lengthBytes;
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      const cut = this.#pieces.splice(Math.ceil(sizeBytes / pieceBytes));
      for (const piece of cut) if (!this.#isShared(piece)) piece.fill(0);
      const rest = sizeBytes % pieceBytes;
      if (rest > 0) this.#ownPiece(this.#pieces.length - 1).fill(0, rest);
    } else {
      this.write(new Uint8Array(), 0, 0, sizeBytes);
    }
    this.#sizeBytes = sizeBytes;
  }

  /** The content as it is now, without copying it. */
  image(): FileImage {
    const pieces = [...this.#pieces];
    const shared = new Set(pieces);
    const sizeBytes = this.#sizeBytes;
    this.#images.add(shared);
    return {
      sizeBytes,
      read(position, target) {
        copyOut(pieces, position, target);
      },
      release: () => void this.#images.delete(shared),
    };
  }

  /** Overwrites everything. */
  wipe(): void {
    for (const piece of this.#pieces) piece.fill(0);
    this.#pieces = [];
    this.#sizeBytes = 0;
  }

  /** A piece that no image needs as it is. */
  #ownPiece(index: number): Uint8Array {
    const piece = this.#pieces[index];
    if (piece === undefined) throw new RangeError("beyond the end");
    if (!this.#isShared(piece)) return piece;
    const own = new Uint8Array(piece);
    this.#pieces[index] = own;
    return own;
  }

  /** Whether an image needs a piece as it is. */
  #isShared(piece: Uint8Array): boolean {
    return [...this.#images].some((shared) => shared.has(piece));
  }
}

/** How sql.js is told to use a {@link MemoryFile}: an empty array that carries it (see `patches/sql.js`). */
export class MemoryFileHandle extends Uint8Array {
  readonly file: MemoryFile;

  constructor(file: MemoryFile) {
    super(0);
    this.file = file;
  }
}

/** WebAssembly's memory comes as signed bytes. */
function window(view: ArrayBufferView, offset: number, lengthBytes: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, lengthBytes);
}

function copyOut(pieces: readonly Uint8Array[], position: number, target: Uint8Array): void {
  for (let done = 0; done < target.length;) {
    const from = (position + done) % pieceBytes;
    const piece = pieces[Math.floor((position + done) / pieceBytes)];
    if (piece === undefined) throw new RangeError("beyond the end");
    const part = piece.subarray(from, from + target.length - done);
    target.set(part, done);
    done += part.length;
  }
}
