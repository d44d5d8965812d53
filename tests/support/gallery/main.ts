import "../../../renderer/theme/styles.ts";
import { mount } from "svelte";
import type { SettingsView } from "#protocol";
import App from "../../../renderer/App.svelte";
import { browserPorts } from "../../../renderer/browser-ports.ts";
import { chooseLanguage, I18n } from "../../../renderer/i18n/index.ts";
import { steadyLink } from "../../../renderer/runtime/index.ts";
import { AppModel } from "../../../renderer/state/app-model.svelte.ts";
import { ThemeController } from "../../../renderer/theme/theme.ts";
import { FixtureRuntime, sceneOf } from "../fixture-runtime.ts";

// The product's interface over the fixture: the address says which scene, `now` when it is.
const query = new URLSearchParams(location.search);
const startedAtMs = Date.now();
const fixtureStartMs = Number(query.get("now") ?? startedAtMs);
const now = (): number => fixtureStartMs + (Date.now() - startedAtMs);

const look = {
  theme: (query.get("theme") ?? "system") as SettingsView["theme"],
  textScale: Number(query.get("scale") ?? "1"),
};
const runtime = new FixtureRuntime(sceneOf(query.get("scene")), now, look);
const { language, locale } = chooseLanguage(navigator.languages);
document.documentElement.lang = language.tag;
document.documentElement.dir = query.get("dir") === "rtl" ? "rtl" : language.direction;
const theme = new ThemeController(window);
theme.start();
theme.apply(look);
const link =
  query.get("link") === "lost"
    ? ({ state: "lost", onChange: () => () => undefined } as const)
    : steadyLink;
const app = new AppModel({
  ...browserPorts(window),
  runtime,
  link,
  theme,
  i18n: new I18n(language, locale),
  now,
});
app.start();
Object.assign(window, { fixture: runtime });

const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { app } });
