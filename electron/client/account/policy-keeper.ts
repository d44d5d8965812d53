import {
  AppError,
  policySuite,
  type CryptoWorker,
  type Policy,
  type SignedRecord,
  type SuiteName,
} from "#protocol";
import { Changes } from "../core/changes.ts";
import type { Core } from "../core/core.ts";
import { putFact } from "../store/facts.ts";

/** What was on its way while the policy changed is followed as what came before, milliseconds. */
const onTheWayMs = 10 * 60_000;

/**
 * Verifies and parses a policy.
 *
 * @throws AppError `signature-invalid`, `record-invalid`
 */
export async function verifyPolicy(
  worker: CryptoWorker,
  record: SignedRecord,
  networkKey: Uint8Array,
): Promise<Policy> {
  const { value } = await worker.call("record.verify", {
    kind: "policy",
    record,
    publicKey: networkKey,
  });
  // `record.verify` parses with the schema of the kind it was given.
  return value as Policy;
}

/** Takes a policy from the relay, if it is signed and newer; it is never rolled back. */
export class PolicyKeeper {
  readonly #core: Core;
  readonly #networkKey: Uint8Array;
  readonly #onChanged: () => void;

  constructor(core: Core, networkKey: Uint8Array, onChanged: () => void) {
    this.#core = core;
    this.#networkKey = networkKey;
    this.#onChanged = onChanged;
  }

  /** Asks the relay whether there is a newer one. @throws AppError as {@link take} and `Core.request` */
  async refresh(): Promise<void> {
    const { version } = this.#core.policy;
    const { policy } = await this.#core.request("policy.get", {});
    await this.take(policy, version);
  }

  /**
   * The suite to which a conversation may be taken over: the policy's, or `claimed`, if the policy named that when it was done. Who was away while the policy
   * changed reads later what the others did meanwhile, in the suites of that time.
   *
   * @param atMs - when the relay had ordered it, milliseconds
   */
  suiteFor(claimed: string, atMs: number): SuiteName {
    const { policy } = this.#core;
    const former = policy.formerSuites?.find(
      ({ suite, untilMs }) => suite === claimed && atMs < untilMs + onTheWayMs,
    );
    return former?.suite ?? policySuite(policy);
  }

  /**
   * @param asked - the version that was known when the relay was asked: a later one may have overtaken the answer
   * @throws AppError `policy-rollback`, `signature-invalid`, `record-invalid`
   */
  async take(record: SignedRecord, asked = this.#core.policy.version): Promise<void> {
    const policy = await verifyPolicy(this.#core.worker, record, this.#networkKey);
    const known = this.#core.policy;
    if (policy.networkId !== known.networkId) throw new AppError("record-invalid");
    if (policy.version < asked) {
      throw new AppError("policy-rollback", { data: { offered: policy.version, known: asked } });
    }
    if (policy.version <= known.version) return;
    const changes = new Changes();
    changes.statements.push(putFact("policy", record));
    await this.#core.commit(changes);
    this.#core.policy = policy;
    this.#onChanged();
  }
}
