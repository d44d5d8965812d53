import type { GroupInfo, Welcome } from "ts-mls";
import {
  AppError,
  idFromBytes,
  type ConversationId,
  type ErrorCode,
  type GroupWrites,
  type KeyPackageRef,
  type OpenedEntry,
} from "#protocol";
import { createTrustGate } from "../mls/client-config.ts";
import { decodeGroupInfo, decodeWelcome, encodeKeyPackage } from "../mls/codec.ts";
import { mapMlsError } from "../mls/errors.ts";
import { beginGroup, groupInfoOf, joinByWelcome } from "../mls/group-begin.ts";
import { prepareCommit, settleCommit } from "../mls/group-commit.ts";
import { prepareRejoin } from "../mls/group-rejoin.ts";
import { openReinit, prepareReinit } from "../mls/group-reinit.ts";
import { openEntry, proposeLeave, sealApplication } from "../mls/group-messages.ts";
import {
  createKeyPackage,
  decodeOwnKeyPackage,
  encodeOwnKeyPackage,
  keyPackageOwner,
  keyPackageRefOf,
  type OwnKeyPackage,
} from "../mls/key-packages.ts";
import {
  epochOf,
  nextSuiteOf,
  pendingEpochOf,
  summaryOf,
  wipeMemory,
  type GroupMemory,
} from "../mls/memory.ts";
import { changedPieces, readPieces } from "../mls/pieces.ts";
import { wipe } from "../primitives/index.ts";
import type { Handlers, WorkerContext } from "./context.ts";

/** Groups and key packages. */
export function groupHandlers(
  context: WorkerContext,
): Handlers<
  | "keyPackages.generate"
  | "keyPackages.owners"
  | "group.load"
  | "group.unload"
  | "group.create"
  | "group.welcomeTargets"
  | "group.join"
  | "group.prepareCommit"
  | "group.prepareRejoin"
  | "group.prepareReinit"
  | "group.openReinit"
  | "group.settleCommit"
  | "group.proposeLeave"
  | "group.seal"
  | "group.open"
> {
  function memoryOf(conversationId: ConversationId): GroupMemory {
    const memory = context.groups.get(conversationId);
    if (memory === undefined) throw new AppError("group-unknown");
    return memory;
  }

  /** Goes on with `after`, and seals the rows in which it differs from what is stored. */
  function keep(conversationId: ConversationId, after: GroupMemory | null): GroupWrites {
    const before = context.groups.get(conversationId) ?? null;
    const rows = changedPieces(before, after);
    const sealPiece = (name: string, plain: Uint8Array): Uint8Array =>
      context.vault.sealPiece(conversationId, name, plain);
    let pieces: GroupWrites["pieces"];
    try {
      pieces = rows.map(({ name, plain }) => ({
        name,
        sealed: plain === null ? null : sealPiece(name, plain),
      }));
    } finally {
      for (const { plain } of rows) wipe(plain ?? undefined);
    }
    if (after === null) context.forgetGroup(conversationId);
    else context.groups.set(conversationId, after);
    return { conversationId, pieces };
  }

  async function beginning(suite: string) {
    return {
      impl: await context.implOf(suite),
      gate: createTrustGate(context.trust),
      device: context.deviceFor(suite),
      nowMs: context.time.nowMs(),
    };
  }

  function ownKeyPackage(ref: KeyPackageRef, sealedPrivate: Uint8Array): OwnKeyPackage {
    const plain = context.vault.openSecret(`key package ${ref}`, sealedPrivate);
    if (plain === undefined) {
      throw new AppError("vault-damaged", { data: { secret: "key package" } });
    }
    const own = decodeOwnKeyPackage(plain);
    wipe(plain);
    return own;
  }

  function requireUnknown(conversationId: ConversationId): void {
    if (!context.groups.has(conversationId)) return;
    throw new AppError("conversation-exists");
  }

  return {
    "keyPackages.generate": async ({ suite, count, lastResort }) => {
      const impl = await context.implOf(suite);
      const device = context.deviceFor(suite);
      const keyPackages = [];
      for (let at = 0; at < count; at++) {
        const nowMs = context.time.nowMs();
        const own = await createKeyPackage(impl, device, { nowMs, lastResort });
        const ref = await keyPackageRefOf(impl, own.keyPackage);
        const plain = encodeOwnKeyPackage(own);
        const sealedPrivate = context.vault.sealSecret(`key package ${ref}`, plain);
        wipe(plain, own.initPrivateKey, own.hpkePrivateKey);
        keyPackages.push({ ref, bytes: encodeKeyPackage(own.keyPackage), sealedPrivate });
      }
      return { keyPackages };
    },

    "keyPackages.owners": ({ keyPackages }) => ({
      owners: keyPackages.map((bytes) => {
        try {
          return keyPackageOwner(bytes);
        } catch (error) {
          if (error instanceof AppError && error.fault === "peer") return null;
          throw error;
        }
      }),
    }),

    "group.load": async ({ conversationId, pieces }) => {
      const plains = new Map(
        pieces.map(({ name, sealed }) => {
          const plain = context.vault.openPiece(conversationId, name, sealed);
          if (plain === undefined) throw new AppError("vault-damaged", { data: { piece: name } });
          return [name, plain] as const;
        }),
      );
      const gate = createTrustGate(context.trust);
      const privateKeyOf = (suite: string): Uint8Array =>
        context.deviceFor(suite).signaturePrivateKey;
      const read = readPieces(plains, privateKeyOf, gate.clientConfig);
      const impl = await context.implOf(read.state.groupContext.cipherSuite);
      const memory: GroupMemory = { impl, gate, ...read };
      const summary = summaryOf(memory);
      if (summary.conversationId !== conversationId) {
        wipeMemory(memory);
        throw new AppError("vault-damaged");
      }
      context.forgetGroup(conversationId);
      context.groups.set(conversationId, memory);
      return { summary, pendingCommitEpoch: pendingEpochOf(memory) };
    },
    "group.unload": ({ conversationId }) => {
      context.forgetGroup(conversationId);
      return {};
    },

    "group.create": async ({ suite, conversationId, roomState }) => {
      requireUnknown(conversationId);
      const memory = await beginGroup(await beginning(suite), conversationId, roomState);
      return {
        summary: summaryOf(memory),
        groupInfo: await groupInfoOf(memory.impl, memory.state),
        writes: keep(conversationId, memory),
      };
    },
    "group.welcomeTargets": ({ welcome }) => ({
      refs: targetsOf(decodeWelcome(welcome)),
    }),
    "group.join": async ({ welcome, ref, sealedPrivate, conversationId }) => {
      requireUnknown(conversationId);
      const own = ownKeyPackage(ref, sealedPrivate);
      const decoded = decodeOrRefuse(welcome);
      if ("code" in decoded) {
        wipe(own.initPrivateKey, own.hpkePrivateKey);
        return { kind: "refused", code: decoded.code };
      }
      const outcome = await joinByWelcome(
        await beginning(own.keyPackage.cipherSuite),
        decoded.welcome,
        own,
        conversationId,
      ).finally(() => {
        wipe(own.initPrivateKey, own.hpkePrivateKey);
      });
      if (outcome.kind !== "joined") return outcome;
      return {
        kind: "joined",
        inviter: outcome.inviter,
        summary: summaryOf(outcome.memory),
        writes: keep(conversationId, outcome.memory),
      };
    },

    "group.prepareCommit": async ({ conversationId, ...wanted }) => {
      const memory = memoryOf(conversationId);
      const prepared = await prepareCommit(memory, wanted, context.time.nowMs());
      const { memory: after, ...rest } = prepared;
      return { ...rest, writes: keep(conversationId, after) };
    },
    "group.prepareRejoin": async ({ conversationId, groupInfo }) => {
      const decoded = decodeGroupInfoOrRefuse(groupInfo);
      const { cipherSuite } = decoded.groupContext;
      const prepared = await prepareRejoin(await beginning(cipherSuite), conversationId, decoded);
      const { memory: after, ...rest } = prepared;
      const before = context.groups.get(conversationId);
      const writes = keep(conversationId, after);
      if (before !== undefined) wipeMemory(before);
      return { ...rest, suite: cipherSuite, writes };
    },
    "group.prepareReinit": async ({ conversationId, suite, ...wanted }) => {
      const memory = memoryOf(conversationId);
      const next = { ...(await beginning(suite)), suite };
      const { memory: after, epoch, bytes, groupInfo } = await prepareReinit(memory, next, wanted);
      return { epoch, bytes, groupInfo, writes: keep(conversationId, after) };
    },
    "group.openReinit": async (params) => {
      const { conversationId, bytes, receivedAtMs: at, suite, ref, sealedPrivate } = params;
      const before = memoryOf(conversationId);
      const next = { ...(await beginning(suite)), suite };
      const own = ownKeyPackage(ref, sealedPrivate);
      const entry = { conversationId, bytes, own, at };
      const outcome = await openReinit(before, next, entry).finally(() => {
        wipe(own.initPrivateKey, own.hpkePrivateKey);
      });
      if (outcome.kind !== "commit") return outcome;
      const { memory, ...opened } = outcome;
      return { ...opened, summary: summaryOf(memory), writes: keep(conversationId, memory) };
    },
    "group.settleCommit": async ({ conversationId, accepted }) => {
      const before = memoryOf(conversationId);
      const nextImpl = await context.implOf(nextSuiteOf(before));
      const { memory, change } = settleCommit(before, accepted, nextImpl);
      // Of a rejoin that lost, this is all that is left.
      const summary = summaryOf(memory ?? before);
      return { summary, change, writes: keep(conversationId, memory) };
    },
    "group.proposeLeave": async ({ conversationId }) => {
      const { memory, entries } = await proposeLeave(memoryOf(conversationId));
      return { epoch: epochOf(memory.state), entries, writes: keep(conversationId, memory) };
    },

    "group.seal": async ({ conversationId, content, authenticatedData }) => {
      const sealed = await sealApplication(memoryOf(conversationId), content, authenticatedData);
      const { memory, epoch, generation, bytes } = sealed;
      return { epoch, generation, bytes, writes: keep(conversationId, memory) };
    },
    "group.open": async ({ conversationId, bytes, receivedAtMs }): Promise<OpenedEntry> => {
      const before = memoryOf(conversationId);
      const outcome = await openEntry(before, conversationId, bytes, receivedAtMs);
      switch (outcome.kind) {
        case "application":
        case "leave-proposed": {
          const { memory, ...entry } = outcome;
          return { ...entry, writes: keep(conversationId, memory) };
        }
        case "commit": {
          const { memory, ...entry } = outcome;
          const writes = keep(conversationId, memory);
          return { ...entry, summary: summaryOf(memory), writes };
        }
        case "removed":
          return { ...outcome, writes: keep(conversationId, null) };
        case "reinit": {
          const { welcome } = outcome;
          return { kind: "reinit", suite: welcome.cipherSuite, refs: targetsOf(welcome) };
        }
        case "stale":
        case "future":
        case "device-unknown":
        case "refused":
          return outcome;
      }
    },
  };
}

function targetsOf({ secrets }: Welcome): readonly KeyPackageRef[] {
  return secrets.map(({ newMember }) => idFromBytes<KeyPackageRef>(newMember));
}

/** A Welcome comes from others: one that can't be read is an outcome. */
function decodeOrRefuse(
  bytes: Uint8Array,
): { readonly welcome: Welcome } | { readonly code: ErrorCode } {
  try {
    return { welcome: decodeWelcome(bytes) };
  } catch (error) {
    return { code: mapMlsError(error, "frame-malformed").code };
  }
}

/** A GroupInfo comes from the relay. @throws AppError `commit-refused` for one that can't be read */
function decodeGroupInfoOrRefuse(bytes: Uint8Array): GroupInfo {
  try {
    return decodeGroupInfo(bytes);
  } catch (cause) {
    throw new AppError("commit-refused", { cause, data: { reason: "not a GroupInfo" } });
  }
}
