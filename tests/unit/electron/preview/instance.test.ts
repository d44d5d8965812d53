import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  claimInstance,
  type Instance,
  type SecondStart,
} from "../../../../electron/preview/instance.ts";

let root: string;
const held: Instance[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sotto-instance-"));
});
afterEach(async () => {
  for (const instance of held.splice(0)) if (instance.kind === "first") await instance.release();
  await rm(root, { recursive: true });
});

async function claim(
  directory: string,
  link: string | null = null,
  onSecond: (start: SecondStart) => void = () => undefined,
): Promise<Instance> {
  const place = { platform: "linux", directory, temporaryDirectory: root } as const;
  const instance = await claimInstance(place, { link }, onSecond);
  held.push(instance);
  return instance;
}

describe("a second start with a profile", () => {
  test("hands its link to the first and hears its address", async () => {
    const heard: SecondStart[] = [];
    const first = await claim(join(root, "p"), null, (start) => heard.push(start));
    expect(first.kind).toBe("first");
    expect(await claim(join(root, "p"))).toEqual({ kind: "second", address: null });
    if (first.kind === "first") first.announce("http://127.0.0.1:1/#token=x");
    expect(await claim(join(root, "p"), "sotto://join/abc")).toEqual({
      kind: "second",
      address: "http://127.0.0.1:1/#token=x",
    });
    expect(heard).toEqual([{ link: null }, { link: "sotto://join/abc" }]);
  });

  test("leaves other profiles alone", async () => {
    expect((await claim(join(root, "a"))).kind).toBe("first");
    expect((await claim(join(root, "b"))).kind).toBe("first");
  });

  test("is the first again when that one has ended", async () => {
    const first = await claim(join(root, "p"));
    if (first.kind === "first") await first.release();
    expect((await claim(join(root, "p"))).kind).toBe("first");
  });
});

describe("what a crash leaves behind", () => {
  test("is taken over", async () => {
    const directory = join(root, "p");
    await mkdir(directory);
    // A socket's file with nobody behind it: here a plain file, which refuses connections alike.
    await writeFile(join(directory, "instance.sock"), "");
    expect((await claim(directory)).kind).toBe("first");
  });
});

describe("an instance that is there but says nothing", () => {
  test("stays the first", async () => {
    const directory = join(root, "p");
    await mkdir(directory);
    const busy: Server = createServer((socket) => {
      // Ends without an answer, as one that is closing does.
      socket.resume();
      socket.end();
    });
    await new Promise<void>((resolve) => {
      busy.listen(join(directory, "instance.sock"), resolve);
    });
    expect(await claim(directory)).toEqual({ kind: "second", address: null });
    await new Promise((resolve) => busy.close(resolve));
  });
});

describe("the socket", () => {
  test("can be used by its person only", async () => {
    const directory = join(root, "p");
    await claim(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, "instance.sock"))).mode & 0o777).toBe(0o600);
  });

  test("finds a shorter place when the profile's path is too long", async () => {
    const directory = join(root, "x".repeat(120));
    expect((await claim(directory)).kind).toBe("first");
    expect(await claim(directory)).toEqual({ kind: "second", address: null });
    expect((await claim(join(root, "y".repeat(120)))).kind).toBe("first");
  });

  test("is not put into a folder that others can enter", async () => {
    const shared = join(root, `sotto-${process.getuid?.() ?? 0}`);
    await mkdir(shared);
    await chmod(shared, 0o777);
    await expect(claim(join(root, "x".repeat(120)))).rejects.toThrow(/not ours alone/u);
  });
});
