import {
  AppError,
  equalBytes,
  maxKnownDevices,
  type ConversationId,
  type DeviceId,
  type UserId,
} from "#protocol";
import type { DeviceCaller, RelayContext } from "../context.ts";
import type { Reader, Transaction } from "../../storage/transaction.ts";
import { standingsOf } from "../accounts.ts";
import {
  groupInfoSlot,
  membershipSlot,
  undecidedInfoSlot,
  undecidedSlot,
  voidsSlot,
  type GroupHead,
  type GroupRoster,
  type Undecided,
  type Voids,
} from "../layout.ts";

/** As many commits of a person wait at most for somebody else to take one. */
const maxUndecided = 64;
/** What a person's void commits of this long count against their next one. */
const remembersMs = 24 * 3_600_000;
/** The pause after a person's second void commit; each further one makes it four times as long. */
const firstPauseMs = 30_000;
const longestPauseMs = 3_600_000;

/** Commits of this conversation that were found void. */
export async function loadVoids(reader: Reader, conversationId: ConversationId): Promise<Voids> {
  return (await reader.load(voidsSlot(conversationId)))?.voids ?? [];
}

/** Whether an entry counts for nothing since it stood on a void commit. */
export function isVoid(voids: Voids, sequence: number): boolean {
  return voids.some(({ from, to }) => from <= sequence && sequence < to);
}

/**
 * One void commit is an accident; who makes more of them must wait, longer each time, so that nobody keeps a conversation busy with them.
 *
 * @throws AppError `argument-invalid`: this very commit was found void; `rate-limited`
 */
export function checkCommitter(
  { clock }: RelayContext,
  voids: Voids,
  commit: { readonly person: UserId; readonly hash: Uint8Array },
): void {
  if (voids.some(({ commitHash }) => equalBytes(commitHash, commit.hash))) {
    throw new AppError("argument-invalid", { data: { reason: "void" } });
  }
  const nowMs = clock.nowMs();
  const own = voids.filter(
    ({ person, atMs }) => person === commit.person && atMs > nowMs - remembersMs,
  );
  const last = own.at(-1);
  if (last === undefined || own.length < 2) return;
  const pauseMs = Math.min(firstPauseMs * 4 ** (own.length - 2), longestPauseMs);
  const retryAfterMs = last.atMs + pauseMs - nowMs;
  if (retryAfterMs > 0) throw new AppError("rate-limited", { data: { retryAfterMs } });
}

/** Who could say that they can't take a commit: who was there before it and stays. Other people's devices alone count. */
export function voterDevices({ members, add, remove }: Undecided): readonly DeviceId[] {
  const touched = new Set([...add, ...remove]);
  return members.map(({ deviceId }) => deviceId).filter((deviceId) => !touched.has(deviceId));
}

/**
 * Which commits can still be found void now that a device has taken everything up to a place: none that it has judged, being somebody else's
 * device who was there before. One that takes a later commit has taken the earlier ones.
 */
export async function stillUndecided(
  transaction: Transaction,
  conversationId: ConversationId,
  look: {
    readonly head: GroupHead;
    readonly witness: DeviceCaller & { readonly sequence: number };
  },
): Promise<number[]> {
  const { head, witness } = look;
  let stand = 0;
  for (const sequence of head.undecided) {
    if (sequence > witness.sequence) break;
    const undecided = await transaction.load(undecidedSlot(conversationId, sequence));
    if (undecided !== undefined && !hasJudged(undecided, witness)) break;
    forgetUndecided(transaction, conversationId, sequence);
    stand += 1;
  }
  return head.undecided.slice(stand);
}

/** Also a device that it removes can tell a good commit from a bad one; one that it adds, or of its own person, can't. */
function hasJudged({ person, members, add }: Undecided, { userId, deviceId }: DeviceCaller) {
  const wasThere = members.some((member) => member.deviceId === deviceId);
  return userId !== person && wasThere && !add.includes(deviceId);
}

/** Forgets how a commit could be undone: it stands, or it is void. */
export function forgetUndecided(
  transaction: Transaction,
  conversationId: ConversationId,
  sequence: number,
): void {
  transaction.remove(undecidedSlot(conversationId, sequence));
  transaction.remove(undecidedInfoSlot(conversationId, sequence));
}

/** Notes where an undecided commit's Welcome went. */
export async function noteWelcomes(
  transaction: Transaction,
  conversationId: ConversationId,
  { sequence, welcomes }: Pick<Undecided, "welcomes"> & { readonly sequence: number },
): Promise<void> {
  const slot = undecidedSlot(conversationId, sequence);
  const undecided = await transaction.load(slot);
  if (undecided !== undefined) transaction.store(slot, { ...undecided, welcomes });
}

async function hasVoters(transaction: Transaction, undecided: Undecided): Promise<boolean> {
  const devices = voterDevices(undecided);
  // More than one person can have: there is somebody else.
  if (devices.length > maxKnownDevices) return true;
  const standings = await standingsOf(transaction, devices);
  return standings.some((standing) => standing !== null && standing.userId !== undecided.person);
}

/** A commit that is about to be accepted. */
interface NewCommit {
  readonly head: GroupHead;
  readonly roster: GroupRoster;
  readonly sequence: number;
  readonly commitHash: Uint8Array;
  readonly add: readonly DeviceId[];
  readonly remove: readonly DeviceId[];
}

/**
 * Keeps what was before a commit, if there is anybody to judge it. To be run before anything of it is stored.
 *
 * @returns the commits that can still be found void
 * @throws AppError `rate-limited` when too many wait
 */
export async function keepUndecided(
  transaction: Transaction,
  conversationId: ConversationId,
  { commit, caller }: { readonly commit: NewCommit; readonly caller: DeviceCaller },
): Promise<number[]> {
  const { head, roster, sequence } = commit;
  const witness = { ...caller, sequence };
  const earlier = await stillUndecided(transaction, conversationId, { head, witness });
  const add = [...commit.add];
  const remove = [...commit.remove];
  const touched = [...new Set([...add, ...remove])];
  const memberships = await transaction.loadAll(
    touched.map((deviceId) => membershipSlot(deviceId, conversationId)),
  );
  const undecided: Undecided = {
    epoch: head.epoch,
    committer: caller.deviceId,
    person: caller.userId,
    commitHash: commit.commitHash,
    add,
    remove,
    ...roster,
    memberships: touched.map((deviceId, index) => ({
      deviceId,
      membership: memberships[index] ?? null,
    })),
    welcomes: [],
    rejections: [],
  };
  // Nobody can judge it, and nobody is harmed by it.
  if (earlier.length === 0 && !(await hasVoters(transaction, undecided))) return [];
  if (earlier.length >= maxUndecided) {
    throw new AppError("rate-limited", { data: { retryAfterMs: firstPauseMs } });
  }
  const info = await transaction.load(groupInfoSlot(conversationId));
  transaction.store(undecidedSlot(conversationId, sequence), undecided);
  transaction.store(undecidedInfoSlot(conversationId, sequence), info?.bytes ?? new Uint8Array());
  return [...earlier, sequence];
}
