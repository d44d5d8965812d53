import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { WorkerMessage, WorkerRequest, WorkerResult } from "#protocol";

const entry = new URL("../../../../crypto/worker.ts", import.meta.url);
let thread: Worker | undefined;

afterEach(async () => {
  await thread?.terminate();
});

function ask(request: WorkerRequest): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    thread?.once("message", resolve);
    thread?.once("error", reject);
    thread?.postMessage(request);
  });
}

describe("the worker's entry", () => {
  test("runs as a thread and answers over its port", async () => {
    thread = new Worker(entry, { env: {} });
    expect(await ask({ id: 1, method: "vault.keyringFacts", params: {} })).toMatchObject({
      kind: "failure",
      id: 1,
      error: { code: "not-ready" },
    });
    expect(await ask({ id: 2, method: "start", params: {} })).toMatchObject({
      kind: "result",
      id: 2,
      result: { tests: 23 },
    });
    const facts = await ask({ id: 3, method: "vault.keyringFacts", params: {} });
    expect(facts).toMatchObject({ kind: "failure", id: 3, error: { code: "not-ready" } });
    const keychain = { account: "a", backend: "b", application: "c", user: "d", path: "e" };
    const params = { keychain, passphrase: null };
    const created = await ask({ id: 4, method: "vault.create", params });
    if (created.kind !== "result") throw new Error(created.kind);
    const { keychainKeys } = created.result as WorkerResult<"vault.create">;
    // Wiped in the worker, whole here.
    expect(keychainKeys?.map((key) => [key.length, key.every((byte) => byte === 0)])).toEqual([
      [32, false],
      [32, false],
    ]);
  });
});
