import { beforeAll, expect, test } from "vitest";
import { suiteNames, type MessageId } from "#protocol";
import { checkEnd, type End, type Finding, type Verdict, type Witness } from "./oracle.ts";
import { runScenario, type ScenarioOptions } from "./scenario.ts";
import type { Step, StepKind } from "./schedule.ts";

/*
 * The oracle is shown the end of a real run, in which nothing is amiss, and the same end with one thing planted in it. Ada, Ben and Cem have talked; Ada has
 * removed Cem, and has said something since.
 */

type Row = ReturnType<Witness["look"]>[number];

const options: ScenarioOptions = {
  seed: 3,
  commits: 20,
  suite: suiteNames.aes128,
  people: [1, 1, 1],
  steps: [
    step("send", 0),
    step("send", 1),
    step("send", 2),
    { ...step("remove", 0), what: 2 },
    step("send", 0),
  ],
};

function step(kind: StepKind, who: number): Step {
  return { kind, who, where: 0, what: 0, waitMs: 5000 };
}

/** An end in which one device is another than it was. */
function altered(end: End, name: string, change: (device: Witness) => Partial<Witness>): End {
  const devices = end.devices.map((device): Witness => {
    if (device.name !== name) return device;
    const { userId, deviceId, doubts } = device;
    const look: Witness["look"] = (sql) => device.look(sql);
    return { name, userId, deviceId, doubts, look, ...change(device) };
  });
  return { ...end, devices };
}

/** An end in which a device's table says something else. */
function saying(
  end: End,
  name: string,
  table: "conversations" | "messages" | "facts",
  change: (rows: readonly Row[]) => readonly Row[],
): End {
  return altered(end, name, (device) => ({
    look(sql) {
      const rows = device.look(sql);
      return sql.includes(`FROM ${table}`) ? change(rows) : rows;
    },
  }));
}

function conversation(end: End, name: string, changed: Row): End {
  return saying(end, name, "conversations", (rows) => rows.map((row) => ({ ...row, ...changed })));
}

function saidLast(end: End): MessageId {
  return [...end.sent.keys()].at(-1)!;
}

interface Fault {
  readonly title: string;
  readonly plant: (end: End) => End;
  readonly finds: Finding;
}

const faults: readonly Fault[] = [
  {
    title: "somebody who was told that the directory isn't right",
    plant: (end) => saying(end, "B1", "facts", () => [{ name: "objectionsTold" }]),
    finds: { kind: "alarm", text: "B1 was told of the directory: objectionsTold" },
  },
  {
    title: "a message that couldn't be opened",
    plant: (end) => conversation(end, "B1", { unopenable: 2 }),
    finds: { kind: "unopenable", text: "B1 can't open 2" },
  },
  {
    title: "a member who believes to be none",
    plant: (end) => conversation(end, "B1", { state: "removed" }),
    finds: { kind: "diverged", text: "B1 is a member, and says removed" },
  },
  {
    title: "somebody removed who believes to be a member",
    plant: (end) => conversation(end, "C1", { state: "active" }),
    finds: { kind: "diverged", text: "C1 is no member, and says active" },
  },
  {
    title: "another epoch",
    plant: (end) => conversation(end, "B1", { epoch: 77 }),
    finds: { kind: "diverged", text: "B1 is at epoch 77 of 2" },
  },
  {
    title: "another suite than the policy's",
    plant: (end) => ({ ...end, suite: suiteNames.p256 }),
    finds: {
      kind: "diverged",
      text: `A1 is in ${suiteNames.aes128}, not ${suiteNames.p256}`,
    },
  },
  ...["authenticator", "members", "room_state"].map((column) => ({
    title: `another ${column} of the same epoch`,
    plant: (end: End) => conversation(end, "B1", { [column]: new Uint8Array([1]) }),
    finds: { kind: "diverged", text: "they disagree: A1 | B1" } as const,
  })),
  {
    title: "a device that has believed that a conversation has split, though it no longer does",
    plant: (end) => altered(end, "B1", () => ({ doubts: 1 })),
    finds: { kind: "doubted", text: "B1 has believed 1 times that a conversation has split" },
  },
  {
    title: "a message that wasn't read",
    plant: (end) =>
      saying(end, "B1", "messages", (rows) =>
        rows.filter((row) => row["message_id"] !== [...end.sent.keys()][0]),
      ),
    finds: { kind: "missing", text: 'B1 hasn\'t read "A1 says 1"' },
  },
  {
    title: "a message that was read by somebody who was removed before",
    plant: (end) =>
      saying(end, "C1", "messages", (rows) => [
        ...rows,
        { message_id: saidLast(end), state: null },
      ]),
    finds: { kind: "foreign", text: 'C1 has read "B1 says 6", which wasn\'t for it' },
  },
  {
    title: "a message that neither was ordered nor is there any more",
    plant: (end) => {
      const [conversationId] = end.logs.keys();
      const said = { conversationId: conversationId!, text: "gone", by: end.devices[0]! };
      return { ...end, sent: new Map([...end.sent, ["nowhere" as MessageId, said]]) };
    },
    finds: { kind: "lost", text: '"gone" was lost: gone' },
  },
];

const verdicts = new Map<string, Verdict>();
let honest: Verdict;
let afterRollBack: Verdict;

beforeAll(async () => {
  await runScenario(options, (end) => {
    for (const { title, plant } of faults) verdicts.set(title, checkEnd(plant(end)));
    const lossy = conversation(end, "B1", { unopenable: 2 });
    const [, ben] = lossy.devices;
    afterRollBack = checkEnd({ ...lossy, rolledBack: new Map([[ben!, new Map()]]) });
    honest = checkEnd(end);
    return honest;
  });
});

test("nothing is found where nothing is amiss", () => {
  expect(honest).toEqual({
    findings: [],
    deliveries: 15,
    unopenable: 0,
    unopenableAfterLoss: 0,
  });
});

test.each(faults)("is found: $title", ({ title, finds }) => {
  const { findings } = verdicts.get(title)!;
  expect(findings).toContainEqual(finds);
  expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set([finds.kind]));
});

test("what a device couldn't open after its vault was put back is counted, and no fault", () => {
  expect(afterRollBack).toMatchObject({ findings: [], unopenable: 0, unopenableAfterLoss: 2 });
});
