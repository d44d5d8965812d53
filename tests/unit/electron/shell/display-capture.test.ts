import type { Session } from "electron";
import { beforeEach, expect, test } from "vitest";
import { offerScreen } from "../../../../electron/shell/display-capture.ts";

type Handler = Parameters<Session["setDisplayMediaRequestHandler"]>[0] & object;

let handler: Handler;
let questions: ((response: number) => void)[];

const asked = {
  frame: { parent: null },
  securityOrigin: "sotto-app://sotto/",
  userGesture: true,
  videoRequested: true,
  audioRequested: false,
};

beforeEach(() => {
  questions = [];
  offerScreen(
    { setDisplayMediaRequestHandler: (given) => void (handler = given as Handler) },
    {
      dialog: {
        showMessageBox: () =>
          new Promise((resolve) => {
            questions.push((response) => {
              resolve({ response });
            });
          }),
      },
      desktopCapturer: {
        getSources: () =>
          Promise.resolve([
            { id: "screen:1:0", name: "One", display_id: "1" },
            { id: "screen:2:0", name: "Two", display_id: "2" },
          ]),
      },
      screen: {
        getCursorScreenPoint: () => ({ x: 1, y: 1 }),
        getDisplayNearestPoint: () => ({ id: 2 }),
      },
    },
  );
});

function ask(change: Partial<typeof asked> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    handler({ ...asked, ...change } as never, resolve);
  });
}

test("the screen under the pointer is taken when the person says yes, and each time anew", async () => {
  const first = ask();
  questions[0]!(1);
  expect(await first).toEqual({ video: { id: "screen:2:0", name: "Two" } });
  const second = ask();
  expect(questions).toHaveLength(2);
  questions[1]!(0);
  expect(await second).toBeNull();
});

test("nobody is asked for another page, a frame, a script without a click, or sound", async () => {
  const refused: readonly Partial<typeof asked>[] = [
    { securityOrigin: "https://evil.example/" },
    { securityOrigin: "sotto-app://sotto.evil.example/" },
    { frame: { parent: {} } as never },
    { frame: null as never },
    { userGesture: false },
    { videoRequested: false },
    { audioRequested: true },
  ];
  for (const change of refused) expect(await ask(change), JSON.stringify(change)).toBeNull();
  expect(questions).toHaveLength(0);
});

test("a second request while the person is asked is denied", async () => {
  const first = ask();
  expect(await ask()).toBeNull();
  questions[0]!(1);
  expect(await first).not.toBeNull();
});
