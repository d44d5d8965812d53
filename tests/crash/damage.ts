import { crc32 } from "node:zlib";
import { AppError, equalBytes, type CryptoWorker, type VaultId } from "#protocol";
import { frameAt, frameEnd, tagOf } from "../../electron/vault/frames.ts";
import { checkGenerationHeader, generationHeaderBytes } from "../../electron/vault/headers.ts";
import { createVault, openVault } from "../../electron/vault/index.ts";
import { decodeKeyring } from "../../electron/vault/keyring.ts";
import { readLog } from "../../electron/vault/log-reader.ts";
import { readSnapshot } from "../../electron/vault/snapshot.ts";
import { seededRandom } from "../support/seeded.ts";
import { optionsFor, vaultDirectory } from "../support/vault-disk/image-check.ts";
import { emptyDisk, type DiskImage } from "../support/vault-disk/operations.ts";
import { createRecordingDisk } from "../support/vault-disk/recording-disk.ts";
import { itemsOf, put } from "../support/vault-fixture.ts";

/** How much is damaged. */
export interface DamageOptions {
  readonly worker: CryptoWorker;
  /** Every so manieth byte is flipped, and length cut. */
  readonly stride: number;
  /** So many of the flips and cuts are seen through the whole of opening as well. */
  readonly openings: number;
}

/** What came of damaging a vault. */
export interface DamageResult {
  readonly vaultBytes: number;
  readonly flips: number;
  readonly cuts: number;
  readonly openings: number;
}

/** A vault in its files, with what each frame of its log holds. */
interface Victim {
  readonly image: DiskImage;
  readonly vaultId: VaultId;
  readonly generation: number;
  readonly log: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly keyring: Uint8Array;
  readonly frames: readonly LogFrame[];
  /** What the snapshot holds, and how many values each further frame brings. */
  readonly snapshotItems: number;
}

interface LogFrame {
  readonly at: number;
  readonly endAt: number;
  readonly tag: Uint8Array;
  readonly plain: Uint8Array;
}

const generation = 2;
const snapshotValues = 100;
const logValues = 400;
const snapshotValueBytes = 5_000;
const logValueBytes = 1_200;
const pathOf = (name: string) => `${vaultDirectory}/${name}`;

/** Flips bytes of a vault of 1 MB one by one, and cuts its files. @throws Error that says what went unnoticed */
export async function damageEverywhere(options: DamageOptions): Promise<DamageResult> {
  const { worker, openings, stride } = options;
  const victim = await createVictim(worker);
  const { keyring, log, snapshot } = victim;
  // Readers of single files need the vault's keys in the worker.
  const holder = createRecordingDisk<never>(victim.image);
  const held = await openVault(optionsFor(holder, worker));
  const cases = { ...options, victim };
  const flips =
    (await sweep(log.length, stride, (at) => flipLog(cases, at))) +
    (await sweep(snapshot.length, stride, (at) => flipSnapshot(cases, at))) +
    (await sweep(keyring.length, 1, (at) => {
      flipKeyring(victim, at);
    }));
  const cuts =
    (await sweep(log.length, stride, (length) => cutLog(cases, length))) +
    (await sweep(snapshot.length, stride, (length) => cutSnapshot(cases, length))) +
    (await sweep(keyring.length, 1, (length) => {
      cutKeyring(victim, length);
    }));
  await held.close();
  const repaired = await sweep(keyring.length, Math.ceil(stride / 100), (at) =>
    openWithForgedKeyring(cases, at),
  );
  const opened = await openDamaged(cases, openings);
  const vaultBytes = log.length + snapshot.length + keyring.length;
  return { vaultBytes, flips, cuts, openings: opened + repaired };
}

async function sweep(
  sizeBytes: number,
  stride: number,
  run: (at: number) => Promise<void> | void,
): Promise<number> {
  let count = 0;
  for (let at = 0; at < sizeBytes; at += stride) {
    await run(at);
    count += 1;
  }
  return count;
}

async function createVictim(worker: CryptoWorker): Promise<Victim> {
  const disk = createRecordingDisk<never>(emptyDisk(parentOf(vaultDirectory)));
  const random = seededRandom(4);
  const vault = await createVault({
    ...optionsFor(disk, worker),
    passphrase: "four unrelated words here",
  });
  await vault.transact(
    Array.from({ length: snapshotValues }, (_, index) =>
      put(itemName(index), random.bytes(snapshotValueBytes)),
    ),
  );
  await vault.compact();
  for (let index = 0; index < logValues; index++) {
    await vault.transact([put(itemName(snapshotValues + index), random.bytes(logValueBytes))]);
  }
  await vault.close();
  const image = disk.image();
  const file = (name: string): Uint8Array => {
    const bytes = image.files.get(pathOf(name));
    if (bytes === undefined) throw new Error(`no ${name}`);
    return bytes;
  };
  const log = file(`log.${generation}`);
  const again = await openVault(optionsFor(createRecordingDisk<never>(image), worker));
  const plains: Uint8Array[] = [];
  await readLog({ bytes: log, generation, worker }, (plain) => plains.push(plain) > 0);
  await again.close();
  const frames: LogFrame[] = [];
  for (let at = generationHeaderBytes; at < log.length; at = frames.at(-1)?.endAt ?? log.length) {
    const frame = frameAt(log, at);
    const plain = plains[frames.length];
    if (frame === null || plain === undefined) throw new Error("the log is not whole");
    frames.push({ at, endAt: frameEnd(frame), tag: tagOf(frame.sealed), plain });
  }
  return {
    image,
    vaultId: vault.vaultId,
    generation,
    log,
    snapshot: file(`snapshot.${generation}`),
    keyring: file("keyring"),
    frames,
    snapshotItems: snapshotValues,
  };
}

interface Cases extends DamageOptions {
  readonly victim: Victim;
}

async function flipLog({ victim, worker }: Cases, at: number): Promise<void> {
  const bytes = flipped(victim.log, at);
  const { frames, generation, vaultId } = victim;
  const isHeaderWhole = passes(() =>
    checkGenerationHeader(bytes, { kind: "log", vaultId, generation }),
  );
  const harmed = frames.findIndex(({ endAt }) => at < endAt) + 1;
  const isInHeader = at < generationHeaderBytes;
  if (isHeaderWhole === isInHeader) throw new Error(`header of the log, byte ${at}`);
  const reading = await readKnown(victim, worker, bytes, at);
  const readable = isInHeader ? frames.length : harmed - 1;
  if (reading.frames !== readable) throw new Error(`byte ${at}: ${reading.frames} frames`);
  // The last frame only says that the vault was closed: it may pass for a torn one.
  const mayBeTorn = isInHeader || harmed === frames.length;
  if (!reading.isDamaged && !mayBeTorn) throw new Error(`byte ${at} of the log was cut off`);
}

async function cutLog({ victim, worker }: Cases, length: number): Promise<void> {
  const bytes = victim.log.subarray(0, length);
  const { frames, generation, vaultId } = victim;
  const isHeaderWhole = passes(() =>
    checkGenerationHeader(bytes, { kind: "log", vaultId, generation }),
  );
  if (isHeaderWhole !== length >= generationHeaderBytes) throw new Error(`header of ${length}`);
  if (!isHeaderWhole) return;
  const reading = await readKnown(victim, worker, bytes, null);
  const whole = frames.filter(({ endAt }) => endAt <= length).length;
  // As a crash in the middle of writing would have left it.
  if (reading.frames !== whole || reading.isDamaged) throw new Error(`log cut to ${length}`);
}

/**
 * The real reader with the real worker, but for frames that lie where they always lay, whole, behind what they always lay behind: the worker is a function of
 * what it is given, and was asked about those before.
 *
 * @throws Error when anything is taken that was never written
 */
async function readKnown(
  { frames, generation }: Victim,
  worker: CryptoWorker,
  bytes: Uint8Array,
  changedAt: number | null,
) {
  const knownAt = (frame: Uint8Array, number: number, previousTag: Uint8Array) => {
    const known = frames[number - 1];
    const at = frame.byteOffset - bytes.byteOffset - 8;
    if (known?.at !== at || known.endAt !== at + 8 + frame.length) return null;
    if (changedAt !== null && changedAt >= at + 8 && changedAt < known.endAt) return null;
    const expected = frames[number - 2]?.tag ?? new Uint8Array();
    return equalBytes(previousTag, expected) ? known : null;
  };
  const reader: Pick<CryptoWorker, "call"> = {
    call: async (method, params) => {
      if (method !== "vault.openFrames" || !("frames" in params)) {
        return worker.call(method, params);
      }
      const plains: Uint8Array[] = [];
      let { previousTag } = params;
      for (const [index, frame] of params.frames.entries()) {
        const number = params.firstSequence + index;
        const known = knownAt(frame, number, previousTag);
        const opened =
          known === null
            ? await worker.call("vault.openFrames", {
                generation: params.generation,
                firstSequence: number,
                previousTag,
                frames: [frame],
              })
            : { plains: [known.plain] };
        const [plain] = opened.plains;
        if (plain === undefined) return { plains, damagedAt: number } as never;
        plains.push(plain);
        previousTag = tagOf(frame);
      }
      return { plains, damagedAt: null } as never;
    },
  };
  let taken = 0;
  return readLog({ bytes, generation, worker: { ...worker, ...reader } }, (plain) => {
    const written = frames[taken++]?.plain;
    if (written === undefined || !(plain === written || equalBytes(plain, written))) {
      throw new Error(`frame ${taken} holds what was never written`);
    }
    return true;
  });
}

async function flipSnapshot({ victim, worker }: Cases, at: number): Promise<void> {
  const outcome = await readDamaged(victim, worker, flipped(victim.snapshot, at));
  const expected = at < generationHeaderBytes ? "header" : "vault-damaged";
  if (outcome !== expected && !(expected === "header" && outcome === "vault-newer-format")) {
    throw new Error(`byte ${at} of the snapshot: ${outcome}`);
  }
}

async function cutSnapshot({ victim, worker }: Cases, length: number): Promise<void> {
  const outcome = await readDamaged(victim, worker, victim.snapshot.subarray(0, length));
  if (outcome !== "vault-damaged") throw new Error(`snapshot cut to ${length}: ${outcome}`);
}

async function readDamaged(
  { generation, vaultId }: Victim,
  worker: CryptoWorker,
  bytes: Uint8Array,
): Promise<string> {
  try {
    const reading = await readSnapshot(bytes, "snapshot", { vaultId, generation, worker });
    return reading.isHeaderDamaged ? "header" : "whole";
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

function flipKeyring({ keyring }: Victim, at: number): void {
  for (let bit = 0; bit < 8; bit++) {
    const bytes = flipped(keyring, at, 1 << bit);
    if (canDecode(bytes)) throw new Error(`byte ${at} of the keyring`);
  }
}

function cutKeyring({ keyring }: Victim, length: number): void {
  const bytes = keyring.subarray(0, length);
  if (canDecode(bytes)) throw new Error(`keyring cut to ${length}`);
}

const keyringBodyAt = 20;

/** Somebody who changes a keyring makes its checksum right as well: what is sealed must show it. */
async function openWithForgedKeyring({ victim, worker }: Cases, at: number): Promise<void> {
  if (at < keyringBodyAt) return;
  const forged = Buffer.from(flipped(victim.keyring, at));
  forged.writeUInt32BE(crc32(forged.subarray(keyringBodyAt)), keyringBodyAt - 4);
  const files = new Map(victim.image.files).set(pathOf("keyring"), new Uint8Array(forged));
  const disk = createRecordingDisk<never>({ ...victim.image, files });
  const vault = await openVault(optionsFor(disk, worker)).catch(appErrorOf);
  if (vault instanceof AppError) return;
  await vault.close();
  throw new Error(`byte ${at} of the keyring was forged, and the vault opened`);
}

/** Opens the vault with a byte flipped, or a file cut, again and again. */
async function openDamaged({ victim, worker }: Cases, count: number): Promise<number> {
  const random = seededRandom(5);
  for (let index = 0; index < count; index++) {
    const name = random.pick([`log.${generation}`, `log.${generation}`, `snapshot.${generation}`]);
    const whole = victim.image.files.get(pathOf(name)) ?? new Uint8Array();
    const at = random.below(4) === 0 ? random.below(60) : random.below(whole.length);
    const bytes = random.below(4) === 0 ? whole.slice(0, at) : flipped(whole, at);
    const files = new Map(victim.image.files).set(pathOf(name), bytes);
    await openOne(victim, worker, { ...victim.image, files }, `${name} at ${at}`);
  }
  return count;
}

/** @throws Error when what is shown is not a beginning of what was stored, or was changed on the disk though it is damaged */
async function openOne(
  victim: Victim,
  worker: CryptoWorker,
  image: DiskImage,
  what: string,
): Promise<void> {
  const disk = createRecordingDisk<never>(image);
  const vault = await openVault(optionsFor(disk, worker)).catch(appErrorOf);
  if (vault instanceof AppError) {
    const isSaid = vault.code === "vault-damaged" || vault.code === "vault-newer-format";
    if (!isSaid) throw new Error(`${what}: ${vault.code}`);
    return;
  }
  const items = itemsOf(vault);
  const isWhole = items.size === snapshotValues + logValues;
  if (items.size < victim.snapshotItems) throw new Error(`${what}: ${items.size} items`);
  for (let index = 0; index < items.size; index++) {
    if (!items.has(itemName(index))) throw new Error(`${what}: item ${index} of ${items.size}`);
  }
  const isTorn = vault.readOnly === null && what.startsWith("log");
  if (vault.readOnly !== "vault-damaged" && !isTorn) throw new Error(`${what}: unnoticed`);
  if (vault.readOnly === null && !isWhole && victim.log.length === logOf(image).length) {
    throw new Error(`${what}: cut silently`);
  }
  await vault.close();
  if (vault.readOnly === null) return;
  for (const [path, bytes] of image.files) {
    if (!equalBytes(disk.image().files.get(path) ?? new Uint8Array(), bytes)) {
      throw new Error(`${what}: ${path} was changed`);
    }
  }
}

function logOf({ files }: DiskImage): Uint8Array {
  return files.get(pathOf(`log.${generation}`)) ?? new Uint8Array();
}

function flipped(bytes: Uint8Array, at: number, mask = 1 << (at % 8)): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

function canDecode(keyring: Uint8Array): boolean {
  return passes(() => {
    decodeKeyring(keyring);
    return true;
  });
}

/** Whether a check says yes; one that throws says no. */
function passes(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function appErrorOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}

function itemName(index: number): string {
  return `item ${String(index).padStart(6, "0")}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
