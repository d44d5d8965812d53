import type {
  ConversationId,
  GroupEntry,
  KeyPackageRef,
  OpenedEntry,
  WorkerResult,
} from "#protocol";
import type { Directory } from "../account/directory.ts";
import type { PolicyKeeper } from "../account/policy-keeper.ts";
import type { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact } from "../store/facts.ts";
import type { KeptKeyPackage, Store } from "../store/store.ts";

type Reinit = Extract<OpenedEntry, { readonly kind: "reinit" }>;

/** A key package of this device that a Welcome was made for. */
export interface KeyPackageTarget extends KeptKeyPackage {
  readonly ref: KeyPackageRef;
}

/** Which of this device's key packages a Welcome was made for. */
export function targetAmong(
  store: Store,
  refs: readonly KeyPackageRef[],
): KeyPackageTarget | undefined {
  for (const ref of refs) {
    const own = store.keyPackage(ref);
    if (own !== undefined) return { ref, ...own };
  }
  return undefined;
}

/** A key package was joined with: what is left of it goes. */
export function noteJoined(
  core: Core,
  changes: Changes,
  conversationId: ConversationId,
  { ref, lastResort }: KeyPackageTarget,
): void {
  changes.write("keyPackage.consume", ref);
  // Others may be using it too: another one takes its place.
  if (lastResort) changes.statements.push(putFact("lastResortUsed", true));
  changes.write("leafAge.put", conversationId, core.time.now());
}

/**
 * Goes over to another suite with everybody else, if the network's policy names it or did when they went (docs/adr/0027). A device whose key package
 * was used but isn't here any more can't; it joins anew, as after any commit that it can't take (docs/adr/0022).
 */
export async function openReinit(
  core: Core,
  changes: Changes,
  parts: {
    readonly directory: Directory;
    readonly policy: PolicyKeeper;
    readonly conversationId: ConversationId;
    readonly entry: Extract<GroupEntry, { readonly kind: "commit" | "application" }>;
    readonly reinit: Reinit;
  },
): Promise<Exclude<OpenedEntry, Reinit>> {
  const { directory, policy, conversationId, entry, reinit } = parts;
  const { bytes, receivedAtMs } = entry;
  // Another one may have been decided on that this device hasn't heard of.
  if (reinit.suite !== policy.suiteFor(reinit.suite, receivedAtMs)) await policy.refresh();
  const suite = policy.suiteFor(reinit.suite, receivedAtMs);
  const target = targetAmong(core.store, reinit.refs);
  if (target === undefined) return { kind: "refused", code: "key-packages-exhausted" };
  const { ref, sealed: sealedPrivate } = target;
  const open = (): Promise<WorkerResult<"group.openReinit">> =>
    core.worker.call("group.openReinit", {
      ...{ conversationId, bytes, receivedAtMs },
      ...{ suite, ref, sealedPrivate },
    });
  let opened = await open();
  if (opened.kind === "device-unknown") {
    await directory.refresh();
    opened = await open();
  }
  if (opened.kind === "commit") noteJoined(core, changes, conversationId, target);
  return opened;
}
