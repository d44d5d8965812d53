import {
  AppError,
  idFromBytes,
  inviteTokenBytes,
  type InviteId,
  type InviteSummary,
  type ParsedRelayParams,
  type RelayResult,
  type UserId,
} from "#protocol";
import { sha256 } from "../primitives.ts";
import type { StorageKey } from "../storage/port.ts";
import type { Transaction } from "../storage/transaction.ts";
import {
  directoryScope,
  schedule,
  type DeviceCaller,
  type Done,
  type RelayContext,
} from "./context.ts";
import {
  invites,
  inviteSlot,
  inviteTokenSlot,
  lastToken,
  userSlot,
  type StoredInvite,
} from "./layout.ts";
import { loadNetwork, policyOf } from "./network.ts";

/** No invite stays open longer: one year. */
const maxInviteLifeMs = 366 * 24 * 3_600_000;
/** An expired invite is shown to its maker for this long. */
const shownAfterExpiryMs = 30 * 24 * 3_600_000;
/** Invites that one person can have at a time. */
const maxInvites = 500;

/** Makes an invite. Only its token's hash is kept: the token is in this answer and nowhere else. */
export async function createInvite(
  context: RelayContext,
  { expiresAtMs, uses }: ParsedRelayParams<"invite.create">,
  { userId }: DeviceCaller,
): Promise<RelayResult<"invite.create">> {
  const { membersMayInvite } = policyOf(await loadNetwork(context));
  const token = context.random(inviteTokenBytes);
  const inviteId = idFromBytes<InviteId>(context.random(16));
  return context.units.run(directoryScope, async (transaction) => {
    if (!membersMayInvite && !(await isAdministrator(transaction, userId))) {
      throw new AppError("not-allowed");
    }
    const createdAtMs = context.clock.nowMs();
    if (expiresAtMs <= createdAtMs || expiresAtMs > createdAtMs + maxInviteLifeMs) {
      throw new AppError("argument-invalid", { data: { argument: "expiresAtMs" } });
    }
    const own = await invitesWhere(transaction, ({ createdBy }) => createdBy === userId);
    if (own.length >= maxInvites) {
      throw new AppError("argument-invalid", { data: { reason: "too-many-invites" } });
    }
    const invite: StoredInvite = {
      tokenHash: sha256(token),
      createdBy: userId,
      role: "member",
      createdAtMs,
      expiresAtMs,
      uses,
      usesLeft: uses,
    };
    storeInvite(context, transaction, { inviteId, ...invite });
    return {
      token,
      invite: { inviteId, createdBy: userId, createdAtMs, expiresAtMs, uses, usesLeft: uses },
    };
  });
}

/** A member's own invites, an administrator's view of all. */
export function listInvites(
  context: RelayContext,
  { userId }: DeviceCaller,
): Promise<RelayResult<"invite.list">> {
  return context.units.run(directoryScope, async (transaction) => {
    const all = await isAdministrator(transaction, userId);
    return {
      invites: await invitesWhere(transaction, ({ createdBy }) => all || createdBy === userId),
    };
  });
}

/** Withdraws all invites that a person has made. To be run in the directory's scope. */
export async function removeInvitesOf(transaction: Transaction, userId: UserId): Promise<void> {
  const own = await invitesWhere(transaction, ({ createdBy }) => createdBy === userId);
  for (const { inviteId } of own) await removeInvite(transaction, inviteId);
}

/** Withdraws an invite: its maker may, and an administrator. */
export function revokeInvite(
  context: RelayContext,
  { inviteId }: ParsedRelayParams<"invite.revoke">,
  { userId }: DeviceCaller,
): Promise<Done> {
  return context.units.run(directoryScope, async (transaction) => {
    const invite = await transaction.load(inviteSlot(inviteId));
    if (invite === undefined) throw new AppError("invite-unknown");
    if (invite.createdBy !== userId && !(await isAdministrator(transaction, userId))) {
      throw new AppError("not-allowed");
    }
    await removeInvite(transaction, inviteId);
    return {};
  });
}

/** Stores a new invite under its id and its token's hash, to be forgotten some time after it expires. */
export function storeInvite(
  context: RelayContext,
  transaction: Transaction,
  { inviteId, ...invite }: StoredInvite & { readonly inviteId: InviteId },
): void {
  transaction.store(inviteSlot(inviteId), invite);
  transaction.store(inviteTokenSlot(invite.tokenHash), { inviteId });
  schedule(context, transaction, {
    atMs: invite.expiresAtMs + shownAfterExpiryMs,
    subject: `invite.${inviteId}`,
    due: { kind: "invite", inviteId },
  });
}

/** Forgets an invite, if it is there. */
export async function removeInvite(transaction: Transaction, inviteId: InviteId): Promise<void> {
  const slot = inviteSlot(inviteId);
  const invite = await transaction.load(slot);
  if (invite === undefined) return;
  transaction.remove(slot);
  transaction.remove(inviteTokenSlot(invite.tokenHash));
}

/**
 * The invite that a token opens now.
 *
 * @throws AppError `invite-unknown`, `invite-expired`, `invite-used`
 */
export async function findOpenInvite(
  transaction: Transaction,
  tokenHash: Uint8Array,
  nowMs: number,
): Promise<StoredInvite & { readonly inviteId: InviteId }> {
  const found = await transaction.load(inviteTokenSlot(tokenHash));
  if (found === undefined) throw new AppError("invite-unknown");
  const invite = await transaction.load(inviteSlot(found.inviteId));
  if (invite === undefined) throw new AppError("invite-unknown");
  if (invite.expiresAtMs <= nowMs) throw new AppError("invite-expired");
  if (invite.usesLeft === 0) throw new AppError("invite-used");
  return { inviteId: found.inviteId, ...invite };
}

/** Whether a person administers the network. */
export async function isAdministrator(transaction: Transaction, userId: UserId): Promise<boolean> {
  return (await transaction.load(userSlot(userId)))?.role === "administrator";
}

async function invitesWhere(
  transaction: Transaction,
  wanted: (invite: StoredInvite) => boolean,
): Promise<InviteSummary[]> {
  const summaries: InviteSummary[] = [];
  let after: StorageKey | null = null;
  for (;;) {
    const keys: readonly StorageKey[] = await transaction.listKeys({
      prefix: invites,
      after,
      limit: 500,
    });
    const ids = keys.map((key) => lastToken(key) as InviteId);
    const found = await transaction.loadAll(ids.map(inviteSlot));
    found.forEach((invite, index) => {
      const inviteId = ids[index];
      if (invite === undefined || inviteId === undefined) return;
      // The first administrator's was made by nobody and is shown to nobody.
      if (invite.createdBy === null || !wanted(invite)) return;
      const { createdBy, createdAtMs, expiresAtMs, uses, usesLeft } = invite;
      summaries.push({ inviteId, createdBy, createdAtMs, expiresAtMs, uses, usesLeft });
    });
    after = keys.at(-1) ?? null;
    if (keys.length < 500) return summaries;
  }
}
