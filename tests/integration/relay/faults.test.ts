import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import { idFromBytes, type ConversationId, type MessageId } from "#protocol";
import { openLmdbStorage } from "../../../relay/storage/lmdb.ts";
import type { StorageKey } from "../../../relay/storage/port.ts";
import { RelayClient } from "../../support/relay-client.ts";
import {
  codeOf,
  eventually,
  RelayFixture,
  temporaryDirectory,
} from "../../support/relay-fixture.ts";
import { TestDevice, testBytes, TestNetwork } from "../../support/relay-identity.ts";

const codesOf = async (
  promises: Readonly<Record<string, Promise<unknown>>>,
): Promise<ReadonlyMap<string, string>> =>
  new Map(
    await Promise.all(
      Object.entries(promises).map(
        async ([what, promise]) => [what, await codeOf(promise)] as const,
      ),
    ),
  );

const relayMain = join(import.meta.dirname, "../../../relay/main.ts");

describe("a storage that can't write", () => {
  let fixture: RelayFixture;
  afterEach(() => fixture.dispose());

  test("every writing request fails as relay-storage-failed, nobody hears of it, nothing of it is there later", async () => {
    const claimed = await RelayFixture.claimed();
    ({ fixture } = claimed);
    const ada = claimed.admin;
    const bo = await fixture.invite(ada, "Bo");
    const group = await ada.createGroup();
    await ada.commit(group, 0, { add: [bo.deviceId] });
    await bo.client.request("keyPackages.publish", {
      keyPackages: [testBytes(20)],
      lastResort: null,
    });
    const { token } = await ada.client.request("invite.create", {
      expiresAtMs: fixture.clock.nowMs() + 60_000,
      uses: 1,
    });
    await bo.client.nextEvent("inbox.entry");
    const heard = bo.client.events.length;
    const visitor = await fixture.connect();
    const messageId = idFromBytes<MessageId>(testBytes(32));
    const cy = new TestDevice("Cy");
    const created = idFromBytes<ConversationId>(testBytes(16));

    fixture.storage.failCommits = true;
    const again = await fixture.connect();
    const codes = await codesOf({
      append: ada.append(group, 1, { messageId }),
      commit: ada.commit(group, 1, { remove: [bo.deviceId] }),
      create: ada.client.request("group.create", {
        conversationId: created,
        groupInfo: testBytes(10),
      }),
      acknowledge: ada.acknowledge(group, 1),
      claimPackage: ada.client.request("keyPackages.claim", { devices: [bo.deviceId] }),
      publish: ada.client.request("keyPackages.publish", {
        keyPackages: [testBytes(20)],
        lastResort: null,
      }),
      invite: ada.client.request("invite.create", {
        expiresAtMs: fixture.clock.nowMs() + 60_000,
        uses: 1,
      }),
      redeem: visitor.request("invite.redeem", fixture.redeemParams(cy, token)),
      inbox: bo.client.request("inbox.acknowledge", { sequence: 1 }),
      signIn: again.signIn(bo.device, fixture.network.networkId, 99),
    });
    expect(new Set(codes.values())).toEqual(new Set(["relay-storage-failed"]));
    expect(codes.size).toBe(10);
    // Reading still works.
    expect((await ada.read(group)).headSequence).toBe(1);

    fixture.storage.failCommits = false;
    expect(bo.client.events.length).toBe(heard);
    const { headSequence, epoch } = await bo.read(group);
    expect({ headSequence, epoch }).toEqual({ headSequence: 1, epoch: 1 });
    expect((await bo.client.request("inbox.read", { afterSequence: 0 })).entries).toHaveLength(1);
    expect((await ada.client.request("directory.list", { afterVersion: 0 })).version).toBe(2);
    // And each can simply be asked for again.
    expect(await ada.append(group, 1, { messageId })).toMatchObject({ sequence: 2 });
    const redeemed = visitor.request("invite.redeem", fixture.redeemParams(cy, token));
    expect(await codeOf(redeemed)).toBe("no failure");
    const { keyPackages } = await ada.client.request("keyPackages.claim", {
      devices: [bo.deviceId],
    });
    expect(keyPackages[0]?.lastResort).toBe(false);
    expect((await fixture.connect()).hello.network?.networkId).toBe(fixture.network.networkId);
  });

  test("a connection that can't be greeted is closed with the reason", async () => {
    fixture = await RelayFixture.start();
    fixture.storage.failReads = true;
    await expect(fixture.connect()).rejects.toThrow("no hello");
    fixture.storage.failReads = false;
    expect((await fixture.connect()).hello.network).toBeNull();
  });

  test("what is stored but can't be read is an error, never an absence", async () => {
    const claimed = await RelayFixture.claimed();
    ({ fixture } = claimed);
    const ada = claimed.admin;
    const group = await ada.createGroup();
    const key = `group.${group}.head` as StorageKey;
    await fixture.storage.commit({
      checks: [],
      writes: [{ key, value: new Uint8Array([1, 2, 3]) }],
    });
    expect(await codeOf(ada.append(group, 0))).toBe("relay-storage-failed");
    expect(await codeOf(ada.read(group))).toBe("relay-storage-failed");
    const create = { conversationId: group, groupInfo: testBytes(10) };
    expect(await codeOf(ada.client.request("group.create", create))).toBe("relay-storage-failed");
    expect(await codeOf(ada.client.request("policy.get", {}))).toBe("no failure");
  });

  test("a store of a newer relay is refused and left alone", async () => {
    fixture = await RelayFixture.start();
    await fixture.stopRelay();
    const storage = openLmdbStorage(fixture.directory);
    const { encodeCbor } = await import("#protocol");
    const value = encodeCbor({ version: 2 });
    await storage.commit({ checks: [], writes: [{ key: "meta.format" as StorageKey, value }] });
    await storage.close();
    await expect(fixture.startRelay()).rejects.toMatchObject({
      code: "relay-start-failed",
      data: { reason: "newer-format" },
    });
  });

  test("a port that somebody else has is said, and the folder is free again", async () => {
    fixture = await RelayFixture.start();
    const { port } = fixture.relay;
    await fixture.stopRelay();
    const { createServer } = await import("node:net");
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(port, "127.0.0.1", resolve);
    });
    await expect(fixture.startRelay()).rejects.toMatchObject({
      code: "relay-start-failed",
      data: { reason: "port" },
    });
    await new Promise((resolve) => other.close(resolve));
    await fixture.startRelay();
    expect(fixture.relay.port).toBe(port);
  });
});

const mountPoint = temporaryDirectory();
const smallDisk = ((): boolean => {
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mountPoint], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
})();

// Needs the right to mount; the same is tested above with a storage that fails by itself.
describe.skipIf(!smallDisk)("a disk that is really full", () => {
  afterEach(() => {
    execFileSync("/bin/umount", [mountPoint]);
    rmSync(mountPoint, { recursive: true });
  });

  test("fails what can't be kept, keeps what was acknowledged, and goes on when there is space again", async () => {
    const directory = join(mountPoint, "relay");
    const filler = join(mountPoint, "filler");
    mkdirSync(directory);
    writeFileSync(filler, Buffer.alloc(1024 * 1024));
    let storage = openLmdbStorage(directory);
    const put = (name: string) =>
      storage.commit({
        checks: [],
        writes: [{ key: `v.${name}` as StorageKey, value: testBytes(50_000) }],
      });
    const kept: string[] = [];
    let failure = "no failure";
    for (let index = 0; index < 200 && failure === "no failure"; index += 1) {
      failure = await codeOf(put(String(index)));
      if (failure === "no failure") kept.push(`v.${String(index)}`);
    }
    expect(failure).toBe("relay-storage-failed");
    expect(kept.length).toBeGreaterThan(20);
    const listed = async () =>
      (await storage.list({ prefix: "v." as StorageKey, after: null, limit: 1000 })).map(
        ({ key }) => key,
      );
    expect(await listed()).toEqual(kept.toSorted());
    rmSync(filler);
    expect(await codeOf(put("after"))).toBe("no failure");
    await storage.close();
    storage = openLmdbStorage(directory);
    expect(await listed()).toEqual([...kept, "v.after"].toSorted());
    await storage.close();
  });
});

/** A relay that runs as a process of its own. */
class RelayProcess {
  readonly #process: ChildProcess;
  readonly url: string;
  readonly claimCode: string | null;

  private constructor(child: ChildProcess, url: string, claimCode: string | null) {
    this.#process = child;
    this.url = url;
    this.claimCode = claimCode;
  }

  static async start(directory: string): Promise<RelayProcess> {
    const child = spawn(process.execPath, [relayMain, "--directory", directory], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let url: string | null = null;
    for await (const line of createInterface({ input: child.stdout })) {
      const [name, value = ""] = line.split(": ");
      if (name === "address") {
        url = value;
        // A claim code follows at once, or never.
        if (existsSync(join(directory, "claimed"))) return new RelayProcess(child, value, null);
      }
      if (name === "claim code" && url !== null) return new RelayProcess(child, url, value);
    }
    throw new Error("the relay ended");
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const exited = new Promise<number | null>((resolve) => this.#process.once("exit", resolve));
    this.#process.kill(signal);
    return exited;
  }
}

describe("a relay that is killed", () => {
  test("has everything it acknowledged when it is started again, in order and without gaps", async () => {
    const directory = temporaryDirectory();
    const network = new TestNetwork();
    const ada = new TestDevice("Ada");
    let relay = await RelayProcess.start(directory);
    let client = await RelayClient.connect(relay.url);
    const { administratorToken } = await client.request("network.claim", {
      claimCode: relay.claimCode!,
      networkKey: network.key.publicKey,
      issuerCertificate: network.certificate(client.hello.issuerKey),
      policy: network.policy(),
    });
    await client.request("invite.redeem", {
      token: administratorToken,
      displayName: ada.displayName,
      accountKey: ada.account.publicKey,
      userId: ada.userId,
      device: ada.record(network.networkId),
    });
    writeFileSync(join(directory, "claimed"), "");
    await client.signIn(ada, network.networkId);
    const conversationId = idFromBytes<ConversationId>(testBytes(16));
    await client.request("group.create", { conversationId, groupInfo: testBytes(10) });

    const acknowledged = new Map<number, Uint8Array>();
    let unanswered: { messageId: MessageId; bytes: Uint8Array }[] = [];
    const append = (message: { messageId: MessageId; bytes: Uint8Array }) =>
      client.request("group.append", {
        conversationId,
        epoch: 0,
        expiresAtMs: Date.now() + 3_600_000,
        ...message,
      });
    for (let round = 0; round < 2; round += 1) {
      // Writers without a pause, killed in the middle: each goes on until it gets no answer.
      unanswered = [];
      const killAt = acknowledged.size + 30 + round * 37;
      const write = async (): Promise<void> => {
        for (;;) {
          const message = {
            messageId: idFromBytes<MessageId>(testBytes(32)),
            bytes: testBytes(500),
          };
          let outcome;
          try {
            outcome = await append(message);
          } catch {
            unanswered.push(message);
            return;
          }
          if (outcome.kind === "accepted") acknowledged.set(outcome.sequence, message.bytes);
        }
      };
      const writers = Promise.all(Array.from({ length: 30 }, write));
      await eventually(() => acknowledged.size >= killAt);
      await relay.kill("SIGKILL");
      await writers;
      expect(unanswered.length).toBeGreaterThan(0);

      relay = await RelayProcess.start(directory);
      client = await RelayClient.connect(relay.url);
      await client.signIn(ada, network.networkId);
      const found = new Map<number, Uint8Array>();
      for (let after = 0; ;) {
        const page = await client.request("group.read", {
          conversationId,
          afterSequence: after,
          limit: 500,
        });
        for (const entry of page.entries) {
          expect(entry.sequence).toBe(after + 1);
          after = entry.sequence;
          if (entry.kind === "application") found.set(entry.sequence, entry.bytes);
        }
        if (after === page.headSequence) break;
      }
      for (const [sequence, bytes] of acknowledged) expect(found.get(sequence)).toEqual(bytes);

      // Asking again for what wasn't answered puts each there once, whether or not it was stored.
      const stored = new Set(
        [...found.values()].map((bytes) => Buffer.from(bytes).toString("hex")),
      );
      const wereStored = unanswered.filter(({ bytes }) =>
        stored.has(Buffer.from(bytes).toString("hex")),
      );
      const again = await Promise.all(unanswered.map(append));
      const { headSequence } = await client.request("group.read", {
        conversationId,
        afterSequence: 0,
        limit: 1,
      });
      expect(headSequence).toBe(found.size + unanswered.length - wereStored.length);
      again.forEach((outcome, index) => {
        if (outcome.kind === "accepted") {
          acknowledged.set(outcome.sequence, unanswered[index]!.bytes);
        }
      });
      expect(acknowledged.size).toBe(headSequence);
    }
    client.socket.terminate();
    expect(await relay.kill("SIGTERM")).toBe(0);
    rmSync(directory, { recursive: true });
  });
});
