import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { chromium, type Page } from "playwright";

import { chromiumArguments, findChromium } from "./lib/browser.ts";
import { icns, ico } from "./lib/icon-files.ts";
import { inRepository } from "./lib/paths.ts";

/* npm run icons: draws build/icons/*.svg into the pictures that systems and installers want. Run it after a change of the drawings. */
const executablePath = findChromium();
if (executablePath === undefined) {
  throw new Error("Drawing needs Chromium: see npm test for how to get it.");
}
const browser = await chromium.launch({ executablePath, args: chromiumArguments() });
const page = await browser.newPage();
try {
  await drawApp(page);
  for (const name of ["tray", "tray-unread", "trayTemplate", "trayUnreadTemplate"]) {
    save(`${name}.png`, await draw(page, name, 16));
    save(`${name}@2x.png`, await draw(page, name, 32));
  }
} finally {
  await browser.close();
}

async function drawApp(on: Page): Promise<void> {
  const pictures = new Map<number, Buffer>();
  for (const size of [16, 24, 32, 48, 64, 128, 256, 512, 1024]) {
    // Below 48 pixels the dots are noise: there the tray's plain ring is taken.
    pictures.set(size, await draw(on, size < 48 ? "tray" : "icon", size));
  }
  mkdirSync(inRepository("build/icons/linux"), { recursive: true });
  for (const [size, picture] of pictures) {
    if (size <= 512) save(`linux/${String(size)}x${String(size)}.png`, picture);
    if (size === 512) save("icon.png", picture);
  }
  save("icon.ico", ico(pictures));
  save("icon.icns", icns(pictures));
}

async function draw(on: Page, name: string, size: number): Promise<Buffer> {
  const svg = readFileSync(inRepository(`build/icons/${name}.svg`)).toString("base64");
  const side = `width="${String(size)}" height="${String(size)}"`;
  await on.setViewportSize({ width: size, height: size });
  await on.setContent(
    `<body style="margin:0"><img style="display:block" ${side} src="data:image/svg+xml;base64,${svg}">`,
  );
  return on.screenshot({ omitBackground: true });
}

function save(name: string, bytes: Uint8Array): void {
  writeFileSync(inRepository("build/icons", name), bytes);
}
