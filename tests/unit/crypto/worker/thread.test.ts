import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { WorkerMessage, WorkerRequest } from "#protocol";

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
    expect(await ask({ id: 1, method: "vault.generateKey", params: {} })).toMatchObject({
      kind: "failure",
      id: 1,
      error: { code: "not-ready" },
    });
    expect(await ask({ id: 2, method: "start", params: {} })).toMatchObject({
      kind: "result",
      id: 2,
      result: { tests: 17 },
    });
    const generated = await ask({ id: 3, method: "vault.generateKey", params: {} });
    if (generated.kind !== "result") throw new Error(generated.kind);
    expect((generated.result as { readonly vaultKey: Uint8Array }).vaultKey).toHaveLength(32);
  });
});
