import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { createCryptoWorker, threadSpawner } from "../../../../electron/worker/index.ts";
import { systemClock } from "../../../support/fake-clock.ts";

const directory = mkdtempSync(join(tmpdir(), "sotto-thread-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** A worker that answers lock with its environment, sign with what it was sent, and does worse things on other calls. */
const program = `
import { parentPort } from "node:worker_threads";
parentPort.on("message", ({ id, method, params }) => {
  if (method === "vault.lock") parentPort.postMessage({ kind: "result", id, result: Object.keys(process.env) });
  if (method === "session.sign") parentPort.postMessage({ kind: "result", id, result: params.challenge });
  if (method === "start") throw new Error("broken");
  if (method === "network.load") process.exit(3);
  if (method === "identity.create") for (;;);
});
`;
const entry = join(directory, "entry.mjs");
writeFileSync(entry, program);

function setUp(url = pathToFileURL(entry), callTimeoutMs = 5_000) {
  const reasons: string[] = [];
  const worker = createCryptoWorker({
    spawn: threadSpawner(url),
    clock: systemClock,
    callTimeoutMs,
    onStopped: (reason) => void reasons.push(reason),
  });
  const restarted = new Promise<void>((resolve) => worker.onRestart(resolve));
  return { worker, reasons, restarted };
}

test("a thread answers, has no environment, and leaves the caller's bytes where they are", async () => {
  const { worker } = setUp();
  expect(await worker.call("vault.lock", {})).toEqual([]);
  const challenge = new Uint8Array(64).fill(5).subarray(8, 40);
  const params = { challenge, vaultSequence: 1 };
  expect(await worker.call("session.sign", params)).toEqual(new Uint8Array(32).fill(5));
  expect(challenge).toEqual(new Uint8Array(32).fill(5));
  await worker.dispose();
});

test.each([
  ["throws", "start", "Error: broken"],
  ["exits", "network.load", "exit code 3"],
] as const)("a thread that %s is replaced by one that works", async (_title, method, reason) => {
  const { worker, reasons, restarted } = setUp();
  await expect(worker.call(method, { sealedNetworkKey: new Uint8Array() })).rejects.toMatchObject({
    code: "worker-stopped",
  });
  await restarted;
  expect(reasons).toEqual([reason]);
  expect(await worker.call("vault.lock", {})).toEqual([]);
  await worker.dispose();
});

test("a thread in an endless loop is ended and replaced", async () => {
  const { worker, restarted } = setUp(undefined, 2_000);
  await expect(worker.call("identity.create", {})).rejects.toMatchObject({
    code: "worker-stopped",
  });
  await restarted;
  expect(await worker.call("vault.lock", {})).toEqual([]);
  await worker.dispose();
});

test("a program that isn't there fails its calls and nothing else", async () => {
  const { worker, reasons } = setUp(pathToFileURL(join(directory, "missing.mjs")));
  await expect(worker.call("vault.lock", {})).rejects.toMatchObject({ code: "worker-stopped" });
  expect(reasons[0]).toMatch(/missing\.mjs/u);
  await worker.dispose();
});
