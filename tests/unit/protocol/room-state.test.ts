import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeRoomState,
  encodeCbor,
  encodeRoomState,
  parse,
  roleAllows,
  roleOf,
  settledRoomState,
  userIdSchema,
  type ConversationKind,
  type Role,
  type RoomAction,
} from "#protocol";
import { roomState, userId } from "../../support/protocol-arbitraries.ts";
import { errorWith } from "../../support/protocol.ts";

const ada = parse(userIdSchema, "AAAAAAAAAAAAAAAAAAAAAA");
const good = {
  kind: "group",
  name: "Planning",
  administrators: [ada],
  timers: { expirationSeconds: 3600, burnSeconds: null },
};

describe("the room state's bytes", () => {
  test("are read as what was written, and written again the same", () => {
    fc.assert(
      fc.property(roomState, (state) => {
        const bytes = encodeRoomState(state);
        expect(decodeRoomState(bytes)).toEqual(state);
        expect(encodeRoomState(decodeRoomState(bytes))).toEqual(bytes);
      }),
    );
  });

  test("fit their limit at their largest", () => {
    const administrators = Array.from({ length: 100 }, (_, index) =>
      parse(userIdSchema, Buffer.alloc(16, index).toString("base64url")),
    );
    const bytes = encodeRoomState({ ...good, kind: "room", name: "😀".repeat(80), administrators });
    expect(decodeRoomState(bytes).administrators).toHaveLength(100);
  });

  test.each([
    ["an unknown kind", { ...good, kind: "channel" }],
    ["a name with controls", { ...good, name: "a\u0007b" }],
    ["no administrator", { ...good, administrators: [] }],
    ["an administrator twice", { ...good, administrators: [ada, ada] }],
    ["a malformed user id", { ...good, administrators: ["ada"] }],
    ["too many administrators", { ...good, administrators: new Array(101).fill(ada) }],
    ["a timer that is too short", { ...good, timers: { expirationSeconds: 1, burnSeconds: null } }],
    ["no timers", { kind: "group", name: "x", administrators: [ada] }],
    ["an unknown field", { ...good, topic: "x" }],
    ["something else", [good]],
  ])("are refused with %s", (_name, state) => {
    expect(() => decodeRoomState(encodeCbor(state))).toThrow(errorWith("frame-malformed"));
  });

  test("are refused when there is no CBOR in them, more after it, or too much", () => {
    const bytes = encodeCbor(good);
    expect(() => decodeRoomState(new Uint8Array())).toThrow(errorWith("frame-malformed"));
    expect(() => decodeRoomState(Uint8Array.of(...bytes, 0))).toThrow(errorWith("frame-malformed"));
    expect(() => decodeRoomState(bytes.subarray(0, -1))).toThrow(errorWith("frame-malformed"));
    expect(() => decodeRoomState(new Uint8Array(8193))).toThrow(errorWith("frame-too-large"));
  });
});

describe("roleAllows", () => {
  const actions = ["add-member", "remove-member", "rename", "set-timers", "set-roles", "leave"];
  const table: Readonly<Record<ConversationKind, Readonly<Record<Role, readonly string[]>>>> = {
    direct: {
      administrator: ["set-timers", "leave"],
      member: ["set-timers", "leave"],
    },
    group: {
      administrator: actions,
      member: ["add-member", "rename", "leave"],
    },
    room: {
      administrator: actions,
      member: ["leave"],
    },
  };
  const cases = (["direct", "group", "room"] as const).flatMap((kind) =>
    (["administrator", "member"] as const).flatMap((role) =>
      actions.map((action) => ({
        kind,
        role,
        action: action as RoomAction,
        expected: table[kind][role].includes(action),
      })),
    ),
  );

  test("has 36 answers", () => {
    expect(cases).toHaveLength(36);
  });

  test.each(cases)("$kind, $role, $action: $expected", ({ kind, role, action, expected }) => {
    expect(roleAllows(kind, role, action)).toBe(expected);
  });
});

test("who isn't named as administrator is a member", () => {
  fc.assert(
    fc.property(roomState, userId, (state, someone) => {
      expect(roleOf(state, state.administrators[0]!)).toBe("administrator");
      fc.pre(!state.administrators.includes(someone));
      expect(roleOf(state, someone)).toBe("member");
    }),
  );
});

describe("administrators, once some people are the members", () => {
  test("are those named who are there, else the first one there; never nobody or a stranger", () => {
    fc.assert(
      fc.property(
        roomState,
        fc.uniqueArray(userId, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (state, others, at) => {
          fc.pre(state.kind !== "direct");
          const known = state.administrators[at % state.administrators.length]!;
          const people = [...new Set([...others, known])];
          const present = settledRoomState(state, people).administrators;
          expect(present).toEqual(state.administrators.filter((id) => people.includes(id)));
          const strangers = others.filter((id) => !state.administrators.includes(id));
          fc.pre(strangers.length > 0);
          const heirs = settledRoomState(state, strangers);
          expect(heirs).toEqual({ ...state, administrators: [strangers[0]] });
          expect(settledRoomState(heirs, strangers)).toBe(heirs);
        },
      ),
    );
  });

  test("of a direct conversation stay the two", () => {
    const direct = { ...good, kind: "direct", name: "" } as const;
    expect(settledRoomState(direct, [])).toBe(direct);
  });
});
