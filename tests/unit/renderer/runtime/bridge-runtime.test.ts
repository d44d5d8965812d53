import { expect, test } from "vitest";
import type { CommandAnswer, EventMessage, PreloadBridge } from "#protocol";
import { BridgeRuntime } from "../../../../renderer/runtime/bridge-runtime.ts";

function bridge(answer: CommandAnswer) {
  const asked: unknown[] = [];
  let say: (message: EventMessage) => void = () => undefined;
  const preload: PreloadBridge = {
    platform: "darwin",
    invoke: (name, params) => {
      asked.push([name, params]);
      return Promise.resolve(answer);
    },
    onEvent: (listener) => {
      say = listener;
      return () => undefined;
    },
  };
  return {
    preload,
    asked,
    say: (message: EventMessage): void => {
      say(message);
    },
  };
}

test("passes a command on and gives its result", async () => {
  const { preload, asked } = bridge({ ok: true, result: [] });
  await expect(new BridgeRuntime(preload).invoke("people.list", {})).resolves.toEqual([]);
  expect(asked).toEqual([["people.list", {}]]);
});

test("throws the error that an answer carries", async () => {
  const { preload } = bridge({ ok: false, error: { code: "vault-read-only", data: { at: 1 } } });
  await expect(new BridgeRuntime(preload).invoke("app.get", {})).rejects.toMatchObject({
    code: "vault-read-only",
    data: { at: 1 },
  });
});

test("hands each event to those who listen for it", () => {
  const { preload, say } = bridge({ ok: true, result: null });
  const runtime = new BridgeRuntime(preload);
  const heard: unknown[] = [];
  const stop = runtime.on("conversations.changed", (rows) => heard.push(rows));
  say({ name: "conversations.changed", body: ["row"] });
  say({ name: "people.changed", body: null });
  stop();
  say({ name: "conversations.changed", body: ["other"] });
  expect(heard).toEqual([["row"]]);
});
